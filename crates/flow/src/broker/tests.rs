//! The rules of the broker: its core under a virtual clock, its shell with made-up models.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use protocol::{
    Agent,
    model::{Finish, Usage},
};

use super::*;
use crate::guard::{self, Prompt, Verdict};

fn config() -> BrokerConfig {
    BrokerConfig {
        chain: Vec::new(),
        requests_in_flight_max: 1,
        waiting_max: 1_000,
        waiting_per_person_max: 1_000,
        request_time_max: Duration::from_secs(30),
        attempts_max: 2,
        backoff_min: Duration::from_secs(1),
        backoff_max: Duration::from_secs(8),
        breaker_failures: 3,
        breaker_open: Duration::from_secs(60),
        answer_tokens_max: 100,
        canary: "gh-0".into(),
    }
}
const AGAIN: Disposition = Disposition::Retry { after: None };

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ask(core: &mut Core, call: u64, person: i64, chain: &[usize], now: Duration) -> Vec<Effect> {
    core.step(Input::Asked(CallId(call), person, chain.to_vec()), now)
}

fn fail(core: &mut Core, call: u64, what: Disposition, now: Duration) -> Vec<Effect> {
    core.step(Input::Failed(CallId(call), what, 1.0), now)
}

fn calls(call: u64, model: usize) -> Vec<Effect> {
    vec![Effect::Call(CallId(call), model)]
}

#[test]
fn broker_2_who_asks_once_is_served_after_one_round_of_who_asks_much() {
    let mut core = Core::new(config(), 1);
    for call in 0..100 {
        let started = ask(&mut core, call, 1, &[0], at(0));
        assert_eq!(started.len(), usize::from(call == 0));
    }
    assert_eq!(ask(&mut core, 100, 2, &[0], at(0)), []);
    assert_eq!(core.step(Input::Answered(CallId(0)), at(1)), calls(1, 0), "its turn had begun");
    assert_eq!(core.step(Input::Answered(CallId(1)), at(2)), calls(100, 0));
    assert_eq!(core.step(Input::Answered(CallId(100)), at(3)), calls(2, 0));
}

#[test]
fn a_failed_call_is_repeated_after_a_pause_and_then_the_next_model_is_asked() {
    let mut core = Core::new(config(), 2);
    assert_eq!(ask(&mut core, 1, 1, &[1, 0], at(0)), calls(1, 1));
    assert_eq!(fail(&mut core, 1, AGAIN, at(1)), [Effect::Pause(CallId(1), at(1))]);
    assert_eq!(core.step(Input::PauseEnded(CallId(1)), at(2)), calls(1, 1));
    assert_eq!(fail(&mut core, 1, AGAIN, at(3)), calls(1, 0), "attempts_max calls to one model");
    assert_eq!(
        fail(&mut core, 1, Disposition::NextModel, at(4)),
        [Effect::GiveUp(CallId(1), Unanswered::AllFailed)]
    );
}

#[test]
fn the_pause_doubles_to_its_limit_with_jitter_over_the_upper_half() {
    let spans = |dice| (1..=6).map(|it| backoff(&config(), it, dice)).collect::<Vec<_>>();
    assert_eq!(spans(1.0), [1, 2, 4, 8, 8, 8].map(at));
    assert_eq!(spans(0.0), [500, 1_000, 2_000, 4_000, 4_000, 4_000].map(Duration::from_millis));
    assert_eq!(backoff(&config(), u32::MAX, 1.0), config().backoff_max);
}

#[test]
fn retry_after_is_kept_to_the_letter_and_one_that_is_too_long_leads_to_the_next_model() {
    let wait = |seconds| Disposition::Retry { after: Some(at(seconds)) };
    let mut core = Core::new(config(), 2);
    drop(ask(&mut core, 1, 1, &[0, 1], at(0)));
    assert_eq!(fail(&mut core, 1, wait(8), at(0)), [Effect::Pause(CallId(1), at(8))]);
    let mut core = Core::new(config(), 2);
    drop(ask(&mut core, 1, 1, &[0, 1], at(0)));
    assert_eq!(fail(&mut core, 1, wait(9), at(0)), calls(1, 1));
}

/// A broker whose only model failed until its breaker opened, at second 0.
fn opened() -> Core {
    let mut core = Core::new(BrokerConfig { attempts_max: 1, ..config() }, 1);
    for call in 1..=3 {
        assert_eq!(ask(&mut core, call, 1, &[0], at(0)), calls(call, 0), "still closed");
        drop(fail(&mut core, call, AGAIN, at(0)));
    }
    core
}

#[test]
fn broker_4_an_open_breaker_lets_nothing_through_until_its_time_is_up_then_one_probe() {
    let no = |call| vec![Effect::GiveUp(CallId(call), Unanswered::AllFailed)];
    let mut core = opened();
    core.config.requests_in_flight_max = 10;
    assert_eq!(ask(&mut core, 10, 1, &[0], at(59)), no(10));
    assert_eq!(core.breakers(at(59)).next(), Some(BreakerState::Open));
    assert_eq!(core.breakers(at(60)).next(), Some(BreakerState::HalfOpen));
    assert_eq!(ask(&mut core, 11, 1, &[0], at(60)), calls(11, 0));
    assert_eq!(ask(&mut core, 12, 1, &[0], at(60)), no(12), "one probe at a time");
    drop(fail(&mut core, 11, AGAIN, at(61)));
    assert_eq!(ask(&mut core, 13, 1, &[0], at(120)), no(13), "open again");
    assert_eq!(ask(&mut core, 14, 1, &[0], at(121)), calls(14, 0));
    drop(core.step(Input::Withdrawn(CallId(14)), at(122)));
    assert_eq!(ask(&mut core, 15, 1, &[0], at(122)), calls(15, 0), "a probe withdrawn is no probe");
    drop(core.step(Input::Answered(CallId(15)), at(123)));
    assert_eq!(core.breakers(at(123)).next(), Some(BreakerState::Closed));
}

#[test]
fn broker_4_the_end_of_an_old_call_makes_no_room_for_a_second_probe() {
    let mut core = Core::new(BrokerConfig { requests_in_flight_max: 9, ..config() }, 1);
    drop(ask(&mut core, 1, 1, &[0], at(0)));
    for call in 2..=4 {
        drop(ask(&mut core, call, 1, &[0], at(0)));
        drop(fail(&mut core, call, Disposition::NextModel, at(0)));
    }
    assert_eq!(ask(&mut core, 5, 1, &[0], at(60)), calls(5, 0));
    drop(core.step(Input::Withdrawn(CallId(1)), at(61)));
    let refused = vec![Effect::GiveUp(CallId(6), Unanswered::AllFailed)];
    assert_eq!(ask(&mut core, 6, 1, &[0], at(61)), refused);
}

#[test]
fn past_the_limits_a_question_is_turned_away_at_once() {
    let busy = |call| vec![Effect::GiveUp(CallId(call), Unanswered::Busy)];
    let config = BrokerConfig { waiting_max: 3, waiting_per_person_max: 2, ..config() };
    let mut core = Core::new(config, 1);
    for call in 0..3 {
        drop(ask(&mut core, call, 1, &[0], at(0)));
    }
    assert_eq!(ask(&mut core, 3, 1, &[0], at(0)), busy(3), "two of one person wait");
    assert_eq!(ask(&mut core, 4, 2, &[0], at(0)), []);
    assert_eq!(ask(&mut core, 5, 3, &[0], at(0)), busy(5), "three wait in all");
}

#[test]
fn a_withdrawn_question_frees_its_slot_and_one_that_waits_is_never_asked() {
    let mut core = Core::new(config(), 1);
    for call in 1..=3 {
        drop(ask(&mut core, call, 1, &[0], at(0)));
    }
    assert_eq!(core.step(Input::Withdrawn(CallId(2)), at(1)), []);
    assert_eq!(core.step(Input::Withdrawn(CallId(1)), at(1)), calls(3, 0));
    drop(core.step(Input::Answered(CallId(3)), at(2)));
    assert!(core.asked.is_empty() && core.waiting.is_empty() && core.waiting_count == 0);
}

/// Xorshift: the same seed, the same run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

struct Run {
    core: Core,
    dice: Dice,
    now: Duration,
    asked: u64,
    under_way: BTreeMap<CallId, usize>,
    pauses: Vec<(Duration, CallId)>,
    ended: BTreeMap<CallId, &'static str>,
    /// By model: failures in a row, and until when nothing may pass.
    open_until: [Option<Duration>; 3],
    failures: [u32; 3],
}

impl Run {
    fn step(&mut self, input: Input) {
        for effect in self.core.step(input, self.now) {
            match effect {
                Effect::Call(call, model) => {
                    let open = self.open_until[model];
                    assert!(open.is_none_or(|it| it <= self.now), "BROKER-4: {model} is open");
                    let probes = self.under_way.values().filter(|it| **it == model).count();
                    // Calls from before it opened may still be under way.
                    assert!(open.is_none() || probes <= 4, "BROKER-4: {probes} calls to {model}");
                    assert!(self.under_way.insert(call, model).is_none());
                }
                Effect::Pause(call, span) => self.pauses.push((self.now + span, call)),
                Effect::GiveUp(call, _) => self.end(call, "given up"),
            }
        }
        assert!(self.under_way.len() <= 4, "BROKER-1: {} at a time", self.under_way.len());
        assert_eq!(self.under_way.len(), self.core.in_flight);
    }

    fn end(&mut self, call: CallId, how: &'static str) {
        let earlier = self.ended.insert(call, how);
        assert_eq!(earlier, None, "BROKER-3: {call:?} ends twice");
    }

    fn finish_a_call(&mut self) {
        let count = u64::try_from(self.under_way.len()).unwrap();
        if count == 0 {
            return;
        }
        let place = usize::try_from(self.dice.roll(count)).unwrap();
        let (&call, &model) = self.under_way.iter().nth(place).unwrap();
        self.under_way.remove(&call);
        let what = match self.dice.roll(8) {
            0 | 1 => AGAIN,
            2 => Disposition::NextModel,
            3 => Disposition::Retry { after: Some(at(self.dice.roll(12))) },
            4 => {
                self.end(call, "withdrawn");
                return self.step(Input::Withdrawn(call));
            }
            _ => {
                (self.failures[model], self.open_until[model]) = (0, None);
                self.end(call, "answered");
                return self.step(Input::Answered(call));
            }
        };
        self.failures[model] += 1;
        if config().breaker_failures <= self.failures[model] {
            self.open_until[model] = Some(self.now + config().breaker_open);
        }
        self.step(Input::Failed(call, what, 0.5));
    }

    fn end_a_pause(&mut self) {
        let due = self.pauses.iter().position(|(until, _)| *until <= self.now);
        if let Some(due) = due {
            let (_, call) = self.pauses.swap_remove(due);
            self.step(Input::PauseEnded(call));
        }
    }

    fn one_step(&mut self) {
        match self.dice.roll(5) {
            0 | 1 if self.asked < 40 => {
                self.asked += 1;
                let person = i64::try_from(self.dice.roll(4)).unwrap();
                let mut chain = vec![0, 1, 2];
                chain.rotate_left(usize::try_from(self.dice.roll(3)).unwrap());
                chain.truncate(1 + usize::try_from(self.dice.roll(3)).unwrap());
                self.step(Input::Asked(CallId(self.asked), person, chain));
            }
            2 => self.now += Duration::from_millis(self.dice.roll(20_000)),
            3 => self.end_a_pause(),
            _ => self.finish_a_call(),
        }
    }
}

/// Goal: every question ends once, whatever the models do. Method: 2,000 seeds.
#[test]
fn broker_1_3_every_question_ends_in_exactly_one_answer_in_2_000_seeds() {
    for seed in 1..=2_000_u64 {
        let played = std::panic::catch_unwind(|| {
            let config = BrokerConfig { requests_in_flight_max: 4, waiting_max: 12, ..config() };
            let mut run = Run {
                core: Core::new(config, 3),
                dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
                now: Duration::ZERO,
                asked: 0,
                under_way: BTreeMap::new(),
                pauses: Vec::new(),
                ended: BTreeMap::new(),
                open_until: [None; 3],
                failures: [0; 3],
            };
            (0..200).for_each(|_| run.one_step());
            while run.ended.len() < usize::try_from(run.asked).unwrap() {
                run.now += at(1);
                run.finish_a_call();
                run.end_a_pause();
                assert!(run.now < at(1_000_000), "a question waits for ever");
            }
            assert!(run.core.asked.is_empty() && run.core.waiting.is_empty());
            assert_eq!((run.core.waiting_count, run.core.in_flight), (0, 0));
        });
        assert!(played.is_ok(), "the above happens with seed {seed}");
    }
}

// --- the shell ---

/// Answers with its name, or never.
struct Fake {
    name: &'static str,
    hangs: bool,
    asked: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
}

struct CountDrop(Arc<AtomicU32>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[async_trait::async_trait]
impl Model for Fake {
    fn name(&self) -> &str {
        self.name
    }

    fn prompt_tokens_max(&self, _: u32) -> usize {
        10_000
    }

    async fn complete(
        &self,
        _: &ModelRequest,
        on_text: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<Completion, CompleteError> {
        self.asked.fetch_add(1, Relaxed);
        on_text(self.name);
        if self.hangs {
            let _until_dropped = CountDrop(Arc::clone(&self.dropped));
            std::future::pending::<()>().await;
        }
        let (text, model) = (self.name.to_owned(), self.name.to_owned());
        Ok(Completion {
            text,
            model,
            usage: Usage::default(),
            finish: Finish::Stop,
            calls: Vec::new(),
        })
    }
}

fn question() -> Question {
    let agent = Agent {
        name: "sage".parse().unwrap(),
        description: String::new(),
        instructions: String::new(),
        models: vec!["unknown".to_owned(), "slow".to_owned()],
        paused: false,
        memory: None,
        proposes_facts: false,
        examples: Default::default(),
        tools: Vec::new(),
        may_ask: Vec::new(),
        may_hand_to: Vec::new(),
    };
    let screen = screening::Screen::new(screening::Policy::default()).unwrap();
    let prompt = Prompt { text: "hi".to_owned(), ..Prompt::default() };
    let Verdict::Clear(prompt, _) =
        guard::screen_prompt(&screen, prompt, &"sage".parse().unwrap()).0
    else {
        panic!("the guard refuses a greeting")
    };
    Question {
        agent: Arc::new(agent),
        history: Vec::new(),
        facts: Vec::new(),
        summary: None,
        recalled: Vec::new(),
        bench: None,
        prompt,
        images: Vec::new(),
    }
}

/// A broker with a model that hangs and one that answers, on paused time.
const PAYER: Payer = Payer { person: None, chat: protocol::ChatId(1) };

/// Nothing is capped.
fn desk() -> Desk {
    let hall = Arc::new(arc_swap::ArcSwap::from_pointee(crate::roster::View::default()));
    Desk::new(hall, Arc::new(crate::testing::Stopped), Default::default())
}

fn with_broker<F: Future<Output = ()>>(
    test: impl FnOnce(Mailbox<Msg>, Arc<AtomicU32>, Arc<AtomicU32>) -> F,
) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.unwrap(), async {
        let (asked, dropped) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
        let model = |name, hangs| -> Arc<dyn Model> {
            Arc::new(Fake { name, hangs, asked: asked.clone(), dropped: dropped.clone() })
        };
        let models: Arc<[Arc<dyn Model>]> = [model("slow", true), model("quick", false)].into();
        let config = BrokerConfig { chain: vec!["quick".to_owned()], ..config() };
        let tally = Tally::register(&mut prometheus_client::registry::Registry::default());
        let spec = kit::Spec::new("broker", "broker", 8, kit::RestartPolicy::GENTLE);
        let (mailbox, supervision) = kit::supervise(spec, &kit::Health::default(), move || {
            let egress = tokio::runtime::Handle::current();
            let (config, models) = (config.clone(), Arc::clone(&models));
            Broker::incarnate(config, models, egress, desk(), tally.clone())
        });
        let running = kit::spawn(supervision);
        test(mailbox, asked, dropped).await;
        running.abort();
    });
}

fn complete(
    mailbox: &Mailbox<Msg>,
) -> (oneshot::Receiver<Result<Completion, Unanswered>>, watch::Sender<()>, Glance) {
    let ((reply, answer), (call, gone)) = (oneshot::channel(), watch::channel(()));
    let glance = Glance::default();
    let (question, glance_of_it) = (question(), glance.clone());
    let msg =
        Msg::Complete { question, person: 1, payer: PAYER, glance: glance_of_it, gone, reply };
    mailbox.try_tell(msg).unwrap();
    (answer, call, glance)
}

#[test]
fn a_model_that_hangs_is_left_at_its_deadline_for_the_next_one() {
    with_broker(|mailbox, asked, dropped| async move {
        let began = Instant::now();
        let (answer, _call, glance) = complete(&mailbox);
        assert_eq!(answer.await.unwrap().unwrap().text, "quick");
        let took = began.elapsed();
        // Two calls of thirty seconds, and a pause of half a second to one second between them.
        assert!((at(60)..=at(61) + Duration::from_millis(10)).contains(&took), "{took:?}");
        assert_eq!((asked.load(Relaxed), dropped.load(Relaxed)), (3, 2));
        assert_eq!(glance.read(), "quick", "what the first model wrote is not shown any more");
    });
}

#[test]
fn a_call_ends_when_its_asker_goes_and_its_slot_is_free() {
    with_broker(|mailbox, _, dropped| async move {
        let (answer, call, _) = complete(&mailbox);
        // The second waits for the only slot.
        let (second, second_call, _) = complete(&mailbox);
        tokio::time::sleep(at(1)).await;
        drop(call);
        assert!(answer.await.is_err(), "nobody is answered who is gone");
        assert_eq!(dropped.load(Relaxed), 1);
        drop(second_call);
        assert!(second.await.is_err());
        assert_eq!(dropped.load(Relaxed), 1 + 1);
    });
}

fn summarise(mailbox: &Mailbox<Msg>) -> oneshot::Receiver<Result<Completion, Unanswered>> {
    let (reply, answer) = oneshot::channel();
    let (agent, exchanges) = (question().agent, Vec::new());
    let digestion = Digestion { agent, through: 1, earlier: None, exchanges };
    mailbox.try_tell(Msg::Summarise { digestion, payer: PAYER, reply }).unwrap();
    answer
}

#[test]
fn broker_5_a_summary_gives_way_to_a_question_and_waits_while_one_is_answered() {
    with_broker(|mailbox, asked, dropped| async move {
        let begun = summarise(&mailbox);
        tokio::time::sleep(at(1)).await;
        assert_eq!((asked.load(Relaxed), dropped.load(Relaxed)), (1, 0), "nobody else asks");
        let (answer, _call, _) = complete(&mailbox);
        assert!(begun.await.is_err(), "the only call is the question's now");
        let waits = summarise(&mailbox);
        tokio::time::sleep(at(1)).await;
        assert_eq!((asked.load(Relaxed), dropped.load(Relaxed)), (2, 1), "it waits");
        assert_eq!(answer.await.unwrap().unwrap().text, "quick");
        // The model that hangs takes its time, and nobody is held up by that.
        assert!(matches!(waits.await.unwrap(), Err(Unanswered::AllFailed)));
    });
}
