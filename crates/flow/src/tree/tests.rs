//! All actors together, on made-up ports and paused time.

mod rights;

use std::sync::{LazyLock, atomic::Ordering::Relaxed};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use prometheus_client::registry::Registry;
use protocol::{
    Agent, PersonId, Timestamp,
    event::Part,
    ledger::{Expiry, Ledger as _},
    messenger::Messenger as _,
    model::{CompleteError, Completion, Model, ModelRequest},
};
use screening::{Policy, Screen};

use super::*;
use crate::{
    alerter::{AlerterConfig, Surroundings},
    broker::BrokerConfig,
    context::Rooms,
    incident,
    janitor::Retention,
    keeper::KeeperConfig,
    outbox::Pacing,
    recall::RecallConfig,
    request::House,
    right::Role,
    roster::{Founding, View},
    rulebook::InForce,
    session::Recaller,
    session::{HistoryLimits, HomeConfig, MemoryConfig, SessionConfig},
    tally::Tally,
    testing::{ByWords, Echo, FakeAudit, FakeLedger, FakeMessenger, NoFiles, Stopped, local},
    timekeeper::TimekeeperConfig,
    treasurer::{Desk, time::Calendar},
    wiring::Lobby,
};

mod money;
mod papers;

static SCREEN: LazyLock<Arc<Screen>> =
    LazyLock::new(|| Arc::new(Screen::new(Policy::default()).unwrap()));

const ADMIN: i64 = 1;
const GUEST: i64 = 2;
const FRIEND: i64 = 3;
const STRANGER: i64 = 666;

/// Panics over a marked text: a fault that only this message has.
fn typeset(text: &str) -> Vec<Part> {
    assert!(!text.contains("poison"), "asked to");
    vec![Part::plain(text)]
}

fn session_config() -> SessionConfig {
    SessionConfig {
        history: HistoryLimits { exchanges_max: 5, chars_max: 10_000, summarised: true },
        memory: MemoryConfig {
            facts_max: 10,
            fact_chars_max: 100,
            summaries_by_model: false,
            recalls: false,
            rooms: Rooms::default(),
        },
        tools: crate::session::ToolLimits::default(),
        papers: crate::papers::PaperLimits { papers_max: 5, bytes_max: 100_000, chars_max: 10_000 },
        backlog_max: 5,
        attempts_max: 3,
        turn_time_max: Duration::from_secs(60),
        tick: Duration::from_millis(500),
        answer_tokens_max: 100,
        rest_after: Duration::from_secs(5),
        typeset,
        house: House { providers: "a provider".into(), ..House::default() },
        home: HomeConfig::default(),
    }
}

fn broker_config() -> BrokerConfig {
    BrokerConfig {
        chain: vec!["echo".to_owned()],
        requests_in_flight_max: 8,
        waiting_max: 100,
        waiting_per_person_max: 10,
        request_time_max: Duration::from_secs(30),
        attempts_max: 2,
        backoff_min: Duration::from_secs(1),
        backoff_max: Duration::from_secs(8),
        breaker_failures: 5,
        breaker_open: Duration::from_secs(30),
        answer_tokens_max: 100,
        canary: "gh-0".into(),
    }
}

fn founding() -> Founding {
    let sage = Agent {
        name: "sage".parse().unwrap(),
        description: String::new(),
        instructions: "Be brief.".to_owned(),
        models: Vec::new(),
        paused: false,
        memory: None,
        proposes_facts: false,
        examples: Default::default(),
        tools: Vec::new(),
        may_ask: Vec::new(),
        may_hand_to: Vec::new(),
    };
    Founding {
        agents: vec![sage],
        roles: [(PersonId(ADMIN), Role::Admin)].into(),
        allowed: [GUEST, FRIEND].into(),
        ..Founding::default()
    }
}

fn wiring(messenger: &Arc<FakeMessenger>, ledger: &Arc<FakeLedger>) -> Wiring {
    let pacing = Pacing {
        enabled: true,
        chat_per_second: 1.0,
        chat_burst: 3.0,
        group_per_minute: 20.0,
        all_per_second: 30.0,
    };
    let ingress = IngressConfig {
        polls: true,
        poll_wait: Duration::from_secs(25),
        person_per_minute: 20,
        person_burst: 6,
        chat_per_minute: 60,
        flood_ignore: Duration::from_secs(60),
        waiting_max: 1_000,
        languages: protocol::Languages::ENGLISH,
    };
    let hall = Arc::new(ArcSwap::from_pointee(View::default()));
    Wiring {
        incidents: Arc::new(incident::Desk::before(Arc::new(FakeAudit::default()))),
        ledger: Arc::clone(ledger) as _,
        egress: tokio::runtime::Handle::current(),
        judges: tokio::runtime::Handle::current(),
        models: [Arc::new(Echo) as _].into(),
        toolbox: Arc::new(crate::session::NoTools),
        bots: vec![Bot { messenger: Arc::clone(messenger) as _, polls: true }],
        lobby: Lobby::default(),
        rules: Arc::new(ArcSwap::from_pointee(InForce {
            screen: Arc::clone(&SCREEN),
            own: Vec::new(),
            left_out: std::collections::BTreeMap::new(),
        })),
        rulebook: Arc::new(NoFiles),
        sinks: [].into(),
        clock: Arc::new(Stopped),
        tally: Tally::register(&mut Registry::default()),
        desk: Desk::new(Arc::clone(&hall), Arc::new(Stopped), Calendar::default()),
        hall,
        founding: Arc::new(founding()),
        recaller: None,
        senses: crate::senses::Senses::new(tokio::runtime::Handle::current()),
        pseudonym: Arc::new(|_| "somebody".to_owned()),
        tongues: crate::tongues::Tongues::default(),
        digest: Arc::new(|text| format!("digest of {}", text.len())),
        version: "0.0.0",
        session: Arc::new(session_config()),
        timekeeper: TimekeeperConfig::default(),
        keeper: KeeperConfig { live_max: 100, quarantine_pause: Duration::from_secs(60) },
        broker: broker_config(),
        ingress,
        pacing,
        backups: None,
        clerk: Arc::new(crate::testing::NoProgram) as _,
        alerter: AlerterConfig::default(),
        surroundings: Arc::new(Surroundings::default),
        retention: Retention {
            quarantine: Some(Duration::from_millis(100)),
            ..Retention::default()
        },
    }
}

/// A hall that stands while the test runs, and is then asked to stop.
fn hall<F: Future<Output = ()>>(test: impl FnOnce(Arc<FakeMessenger>, Arc<FakeLedger>) -> F) {
    let (messenger, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    stands(&messenger, &ledger, test(Arc::clone(&messenger), Arc::clone(&ledger)));
}

fn stands(
    messenger: &Arc<FakeMessenger>,
    ledger: &Arc<FakeLedger>,
    test: impl Future<Output = ()>,
) {
    stands_with(|| wiring(messenger, ledger), test);
}

/// The wiring is made where the actors run.
fn stands_with(wiring: impl FnOnce() -> Wiring, test: impl Future<Output = ()>) {
    local(async move {
        let wiring = Rc::new(wiring());
        let (stop, stopped) = watch::channel(false);
        let running = kit::spawn(run(wiring, Health::default(), Doors::default(), stopped));
        test.await;
        stop.send(true).unwrap();
        let ending = tokio::time::timeout(Duration::from_secs(20), running).await;
        assert!(matches!(ending.unwrap().unwrap(), Ending::Drained));
    });
}

/// Waits until nothing waits in the ledger.
async fn at_rest(ledger: &FakeLedger) {
    for _ in 0..60_000 {
        if ledger.waiting_count() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} updates wait for ever", ledger.waiting_count());
}

#[test]
fn a_message_is_answered_once_after_the_notice_and_closed() {
    hall(|chat, ledger| async move {
        chat.write(1, GUEST, "hello");
        chat.wait_for(GUEST, "echo: hello").await;
        at_rest(&ledger).await;
        let said: Vec<String> =
            chat.sent.lock().unwrap().iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("a provider"), "the notice comes first: {said:?}");
        assert!(ledger.everything().contains("echo: hello"), "the answer is durable");
        // The session leaves memory and comes back.
        tokio::time::sleep(Duration::from_secs(30)).await;
        chat.write(2, GUEST, "again");
        chat.wait_for(GUEST, "echo: again").await;
        assert_eq!(chat.count(GUEST, "echo: hello"), 1);
    });
}

#[test]
fn a_stranger_is_told_once_and_nothing_of_theirs_is_stored() {
    hall(|chat, ledger| async move {
        for update in 1..=5 {
            chat.write(update, STRANGER, "let me in, please");
        }
        chat.wait_for(STRANGER, "This bot is private").await;
        chat.write(6, GUEST, "hello");
        chat.wait_for(GUEST, "echo: hello").await;
        assert_eq!(chat.count(STRANGER, ""), 1);
        assert!(!ledger.everything().contains("let me in"));
    });
}

#[test]
fn an_admin_spawns_an_agent_and_anybody_else_learns_nothing() {
    hall(|chat, _| async move {
        chat.write(1, GUEST, "/spawn bard Sing.");
        chat.wait_for(GUEST, "I do not know that command").await;
        chat.write(2, GUEST, "/nonsense");
        chat.write(3, ADMIN, "/spawn bard Sing.");
        chat.wait_for(ADMIN, "bard is here").await;
        chat.write(4, GUEST, "/agent bard");
        chat.wait_for(GUEST, "You are now talking to bard").await;
        chat.write(5, GUEST, "a song");
        chat.wait_for(GUEST, "echo: a song").await;
        assert_eq!(chat.count(GUEST, "I do not know that command"), 2);
    });
}

#[test]
fn roster_1_a_rule_goes_from_test_to_shadow_to_enforce_and_survives_a_restart() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let before = Arc::clone(&chat);
    let stored = Arc::clone(&ledger);
    stands(&chat, &ledger, async move {
        before.write(1, GUEST, "tell me of aurora one");
        before.wait_for(GUEST, "echo: tell me of aurora one").await;
        before.write(2, GUEST, "/rule add aurora refuse (?i)aurora");
        before.wait_for(GUEST, "I do not know that command").await;
        before.write(3, ADMIN, "/rule add aurora refuse (?i)aurora");
        before.wait_for(ADMIN, "aurora is noted and not applied yet").await;
        before.write(4, ADMIN, "/rule test aurora 1");
        let told = "aurora, over the last day: of 2 texts that passed, 2 would have been stopped";
        before.wait_for(ADMIN, told).await;
        assert_eq!(before.count(ADMIN, "tell me of"), 0, "no text of anybody is shown");
        before.write(5, GUEST, "tell me of aurora two");
        before.wait_for(GUEST, "echo: tell me of aurora two").await;
        assert!(!stored.everything().contains("\"shadow\":[\"aurora\"]"));
        before.write(6, ADMIN, "/rule shadow aurora");
        before.wait_for(ADMIN, "aurora is in shadow").await;
        before.write(7, GUEST, "tell me of aurora three");
        before.wait_for(GUEST, "echo: tell me of aurora three").await;
        assert!(stored.everything().contains("\"shadow\":[\"aurora\"]"), "it is recorded");
        before.write(8, ADMIN, "/rule enforce aurora");
        before.wait_for(ADMIN, "aurora is enforced").await;
        before.write(9, GUEST, "tell me of aurora four");
        before.wait_for(GUEST, "I would rather not answer this one").await;
    });
    let after = Arc::clone(&chat);
    stands(&chat, &ledger, async move {
        after.write(10, FRIEND, "tell me of aurora five");
        after.wait_for(FRIEND, "I would rather not answer this one").await;
        after.write(11, ADMIN, "/rule");
        after.wait_for(ADMIN, "• aurora (enforce, refuse): (?i)aurora").await;
        after.write(12, ADMIN, "/rule remove aurora");
        after.wait_for(ADMIN, "aurora is gone").await;
        after.write(13, FRIEND, "tell me of aurora six");
        after.wait_for(FRIEND, "echo: tell me of aurora six").await;
    });
}

#[test]
fn a_rule_that_cannot_be_compiled_changes_nothing_and_says_why() {
    hall(|chat, ledger| async move {
        chat.write(1, ADMIN, "/rule add broken refuse (aurora");
        chat.wait_for(ADMIN, "That rule cannot be used, so nothing was changed").await;
        chat.write(2, ADMIN, "/rule add wide refuse .*");
        chat.wait_for(ADMIN, "at least 3 plain characters in a row").await;
        chat.write(3, ADMIN, "/rule add override_instructions refuse aurora");
        chat.wait_for(ADMIN, "there is already a rule of this name").await;
        chat.write(4, ADMIN, "/rule enforce broken");
        chat.wait_for(ADMIN, "No admin gave a rule called broken").await;
        chat.write(5, ADMIN, "/rule");
        chat.wait_for(ADMIN, "No rule was given here yet").await;
        chat.write(6, ADMIN, &format!("/rule add long refuse ({}", "x".repeat(3_000)));
        chat.wait_for(ADMIN, "xxxx").await;
        let longest = chat.sent.lock().unwrap().iter().map(|(_, it)| it.len()).max();
        assert!(longest < Some(4_000), "why is told in one message: {longest:?}");
        assert!(!ledger.everything().contains("ruled"), "nothing is recorded");
    });
}

#[test]
fn poison_is_set_aside_with_an_apology_and_an_alert_and_others_go_on() {
    hall(|chat, ledger| async move {
        chat.write(1, GUEST, "poison");
        chat.write(2, GUEST, "and this?");
        chat.write(3, FRIEND, "hello");
        chat.wait_for(FRIEND, "echo: hello").await;
        chat.wait_for(GUEST, "I have set it aside").await;
        chat.wait_for(GUEST, "echo: and this?").await;
        chat.wait_for(ADMIN, "set aside").await;
        at_rest(&ledger).await;
        assert_eq!(chat.count(GUEST, "I have set it aside"), 1);
        let retried = ledger.everything().matches("turn_retried").count();
        assert_eq!(retried, 3, "attempts_max attempts, and the one that sets it aside");
    });
}

#[test]
fn what_makes_the_reader_panic_cannot_be_read_and_holds_up_nobody() {
    hall(|chat, ledger| async move {
        chat.write(1, GUEST, "unreadable poison");
        chat.write(2, GUEST, "hello");
        chat.wait_for(GUEST, "echo: hello").await;
        chat.wait_for(ADMIN, "set aside").await;
        at_rest(&ledger).await;
    });
}

#[test]
fn a_ledger_that_fails_for_a_while_loses_nothing_and_costs_nobody_their_limits() {
    hall(|chat, ledger| async move {
        chat.write(1, GUEST, "first");
        chat.wait_for(GUEST, "echo: first").await;
        ledger.fails.store(true, Relaxed);
        // As many as a person may send at once: none of them is paid for twice.
        for update in 2..=5 {
            chat.write(update, GUEST, &format!("message {update}"));
        }
        chat.write(6, FRIEND, "hello");
        tokio::time::sleep(Duration::from_secs(10)).await;
        ledger.fails.store(false, Relaxed);
        for update in 2..=5 {
            chat.wait_for(GUEST, &format!("echo: message {update}")).await;
            assert_eq!(chat.count(GUEST, &format!("echo: message {update}")), 1);
        }
        chat.wait_for(FRIEND, "echo: hello").await;
        assert_eq!(chat.count(GUEST, "That was a lot at once"), 0);
    });
}

#[test]
fn a_ledger_that_fails_in_the_middle_of_turns_loses_nothing() {
    for pause in [5, 15, 25, 40, 60, 90, 130] {
        hall(|chat, ledger| async move {
            chat.write(1, GUEST, "hello");
            tokio::time::sleep(Duration::from_millis(pause)).await;
            ledger.fails.store(true, Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            ledger.fails.store(false, Relaxed);
            chat.write(2, GUEST, "more");
            chat.wait_for(GUEST, "echo: hello").await;
            chat.wait_for(GUEST, "echo: more").await;
            at_rest(&ledger).await;
        });
    }
}

#[test]
fn what_was_not_finished_at_a_stop_is_finished_by_the_next_hall() {
    for pause in [0, 20, 45, 70, 95, 120, 160] {
        let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
        for update in 1..=3 {
            chat.write(update, GUEST, &format!("message {update}"));
        }
        stands(&chat, &ledger, async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        });
        let after = Arc::clone(&chat);
        stands(&chat, &ledger, async move {
            for update in 1..=3 {
                after.wait_for(GUEST, &format!("echo: message {update}")).await;
            }
        });
        assert_eq!(ledger.waiting_count(), 0);
        for update in 1..=3 {
            let times = chat.count(GUEST, &format!("echo: message {update}"));
            assert!((1..=2).contains(&times), "{update} was answered {times} times");
        }
    }
}

#[test]
fn a_redelivered_batch_is_answered_once() {
    hall(|chat, ledger| async move {
        chat.write(1, GUEST, "hello");
        chat.wait_for(GUEST, "echo: hello").await;
        chat.write(1, GUEST, "hello");
        chat.write(2, GUEST, "more");
        chat.wait_for(GUEST, "echo: more").await;
        at_rest(&ledger).await;
        assert_eq!(chat.count(GUEST, "echo: hello"), 1);
    });
}

#[test]
fn tree_2_a_hall_that_cannot_start_gives_up_and_says_why() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    ledger.fails.store(true, Relaxed);
    local(async move {
        let wiring = Rc::new(wiring(&chat, &ledger));
        let (_stop, stopped) = watch::channel(false);
        let running = run(wiring, Health::default(), Doors::default(), stopped);
        let ending = tokio::time::timeout(Duration::from_secs(600), running).await;
        assert!(matches!(ending, Ok(Ending::GaveUp { .. })), "it hangs");
    });
}

#[test]
fn a_doorbell_that_rings_while_a_session_is_loaded_is_heard() {
    hall(|chat, ledger| async move {
        chat.write(1, FRIEND, "hello");
        chat.wait_for(FRIEND, "echo: hello").await;
        ledger.load_ms.store(200, Relaxed);
        let began = Instant::now();
        chat.write(2, GUEST, "first");
        tokio::time::sleep(Duration::from_millis(50)).await;
        chat.write(3, GUEST, "second");
        chat.wait_for(GUEST, "echo: second").await;
        // Not only when the session leaves memory and the keeper looks again.
        assert!(began.elapsed() < session_config().rest_after, "{:?}", began.elapsed());
    });
}

#[test]
fn a_doorbell_that_rings_while_what_an_inbox_held_before_is_on_its_way_is_heard() {
    hall(|chat, ledger| async move {
        let pause = async |ms| tokio::time::sleep(Duration::from_millis(ms)).await;
        chat.write(1, GUEST, "first");
        pause(10).await;
        ledger.inbox_ms.store(2_000, Relaxed);
        chat.write(2, GUEST, "second");
        pause(5).await;
        // The first answer cannot be recorded: all is read anew, what is on its way is not.
        ledger.fails.store(true, Relaxed);
        pause(100).await;
        ledger.fails.store(false, Relaxed);
        pause(500).await;
        ledger.inbox_ms.store(0, Relaxed);
        let began = Instant::now();
        chat.write(3, GUEST, "third");
        chat.wait_for(GUEST, "third").await;
        // Not only when the session leaves memory and the keeper looks again.
        assert!(began.elapsed() < session_config().rest_after, "{:?}", began.elapsed());
    });
}

#[test]
fn keeper_1_a_message_at_the_moment_at_which_its_session_leaves_is_answered_once() {
    // Of an admin: limits on writers run on real time.
    hall(|chat, ledger| async move {
        ledger.load_ms.store(3, Relaxed);
        chat.write(1, ADMIN, "message 1.");
        for update in 2..42 {
            chat.wait_for(ADMIN, &format!("echo: message {}.", update - 1)).await;
            at_rest(&ledger).await;
            let offset = u64::try_from(update).unwrap();
            tokio::time::sleep(session_config().rest_after - Duration::from_millis(offset)).await;
            chat.write(update, ADMIN, &format!("message {update}."));
        }
        chat.wait_for(ADMIN, "echo: message 41.").await;
        at_rest(&ledger).await;
        for update in 1..42 {
            assert_eq!(chat.count(ADMIN, &format!("echo: message {update}.")), 1, "{update}");
        }
        assert_eq!(ledger.everything().matches("turn_retried").count(), 0, "a session failed");
    });
}

/// A model that takes its time.
struct Slow;

#[async_trait]
impl Model for Slow {
    fn name(&self) -> &str {
        Echo.name()
    }

    fn prompt_tokens_max(&self, answer_tokens_max: u32) -> usize {
        Echo.prompt_tokens_max(answer_tokens_max)
    }

    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<Completion, CompleteError> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Echo.complete(request, on_text).await
    }
}

#[test]
fn keeper_3_conversations_that_were_busy_when_there_was_no_room_leave_memory_once_they_are_silent()
{
    let people = 10..22;
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let wiring = || {
        let usual = wiring(&chat, &ledger);
        let session = SessionConfig { rest_after: Duration::from_secs(3_600), ..session_config() };
        let allowed = people.clone().collect();
        Wiring {
            session: Arc::new(session),
            models: [Arc::new(Slow) as _].into(),
            keeper: KeeperConfig { live_max: 4, ..usual.keeper },
            founding: Arc::new(Founding { allowed, ..founding() }),
            pacing: Pacing { enabled: false, ..usual.pacing },
            ..usual
        }
    };
    stands_with(wiring, async {
        people.clone().for_each(|it| chat.write(it, it, "first."));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(ledger.rested_count() < people.clone().count(), "they are busy");
        people.clone().for_each(|it| chat.write(100 + it, it, "second."));
        for person in people.clone() {
            chat.wait_for(person, "echo: second.").await;
        }
        at_rest(&ledger).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        // A quarter of the room is for those that are silent: one.
        let rested = ledger.rested_count();
        assert!(people.clone().count() <= rested + 1, "only {rested} left memory");
    });
}

const GROUP: i64 = -5;

#[test]
fn whoever_confirms_is_forgotten_told_once_and_new_again() {
    hall(async |messenger, ledger| {
        messenger.write(1, GUEST, "marked words");
        messenger.wait_for(GUEST, "echo: marked words").await;
        messenger.write(2, GUEST, "/forget");
        messenger.wait_for(GUEST, "Erase everything about you?").await;
        assert!(ledger.everything().contains("marked words"), "nothing is erased by asking");
        messenger.write(3, GUEST, "/forget yes");
        messenger.wait_for(GUEST, "a receipt of 1000").await;
        assert!(!ledger.everything().contains("marked words"));
        messenger.write(4, GUEST, "hello again");
        messenger.wait_for(GUEST, "echo: hello again").await;
        assert_eq!(messenger.count(GUEST, "🔒 What you write is stored"), 2, "they are new here");
        assert_eq!(messenger.count(GUEST, "a receipt of"), 1);
        assert_eq!(ledger.waiting_count(), 0);
    });
}

#[test]
fn in_a_group_only_the_forgotten_persons_words_go_and_the_talk_goes_on() {
    hall(async |messenger, ledger| {
        messenger.write_in(GROUP, 1, GUEST, "words of the guest");
        messenger.wait_for(GROUP, "echo: words of the guest").await;
        messenger.write_in(GROUP, 2, FRIEND, "words of the friend");
        messenger.wait_for(GROUP, "echo: words of the friend").await;
        messenger.write_in(GROUP, 3, GUEST, "/forget yes");
        messenger.wait_for(GROUP, "in our private chat").await;
        assert!(ledger.everything().contains("words of the guest"), "not where others read along");
        // A question of the friend is being answered while the guest is forgotten.
        messenger.write_in(GROUP, 4, FRIEND, "a question on its way");
        messenger.write(5, GUEST, "/forget yes");
        messenger.wait_for(GUEST, "a receipt of").await;
        messenger.wait_for(GROUP, "echo: a question on its way").await;
        let left = ledger.everything();
        assert!(!left.contains("words of the guest") && left.contains("words of the friend"));
        messenger.write_in(GROUP, 6, GUEST, "the guest again");
        messenger.wait_for(GROUP, "echo: the guest again").await;
        assert_eq!(messenger.count(GROUP, "echo: a question on its way"), 1);
        assert_eq!(ledger.waiting_count(), 0);
    });
}

#[test]
fn a_receipt_that_was_not_shown_before_a_crash_is_shown_after_it() {
    let (messenger, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let bot = messenger.identity().id;
    local(async {
        ledger.forget(PersonId(GUEST), protocol::Timestamp(7), Some(bot)).await.unwrap();
    });
    stands(&messenger, &ledger, async {
        messenger.wait_for(GUEST, "a receipt of 7").await;
    });
    local(async { assert!(ledger.untold_receipts().await.unwrap().is_empty()) });
}

#[test]
fn an_export_goes_to_its_person_in_two_files() {
    hall(async |messenger, _| {
        messenger.write(1, GUEST, "marked words");
        messenger.wait_for(GUEST, "echo: marked words").await;
        messenger.write(2, FRIEND, "other words");
        messenger.wait_for(FRIEND, "echo: other words").await;
        messenger.write(3, GUEST, "/export");
        messenger.wait_for(GUEST, "That is everything").await;
        for file in ["guildhall-export.json: ", "guildhall-export.md: "] {
            assert_eq!(messenger.count(GUEST, file), 1);
        }
        assert_eq!(messenger.count(GUEST, "\"asked\": \"marked words\""), 1);
        assert_eq!(messenger.count(GUEST, "other words"), 0);
        assert_eq!(messenger.count(FRIEND, "guildhall-export"), 0);
    });
}

#[test]
fn what_has_expired_is_taken_out_soon_after_the_start_and_again_and_again() {
    hall(async |_, ledger| {
        tokio::time::sleep(Duration::from_secs(25 * 60)).await;
        let expected = Expiry { quarantine: Some(Timestamp(900)), ..Expiry::default() };
        assert_eq!(ledger.expired(), vec![expected; 3]);
    });
}

/// A wiring with a search in the past, on an embedder that works or hangs.
fn recalling(chat: &Arc<FakeMessenger>, ledger: &Arc<FakeLedger>, hangs: bool) -> Wiring {
    let mut session = session_config();
    session.memory.recalls = true;
    let config = RecallConfig {
        time_max: Duration::from_millis(250),
        results_max: 1,
        score_min: 0.3,
        memories_max: 100,
    };
    let embedder = Arc::new(ByWords { hangs });
    let recaller = Some(Recaller { embedder, config });
    let usual = wiring(chat, ledger);
    let ingress = IngressConfig { person_per_minute: 0, chat_per_minute: 0, ..usual.ingress };
    Wiring { session: Arc::new(session), recaller, ingress, ..usual }
}

/// So much talk that what was said before is in no prompt any more.
async fn talk(chat: &FakeMessenger, person: i64, first: i64) {
    for update in first..first + 8 {
        chat.write(update, person, &format!("Number {update};"));
        chat.wait_for(person, &format!("Number {update};")).await;
    }
}

#[test]
fn what_was_said_long_ago_is_recalled_after_a_restart_for_whoever_said_it_and_nobody_else() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    stands_with(|| recalling(&chat, &ledger, false), async {
        chat.write(1, GUEST, "My lighthouse keeper is called Thorvald");
        chat.wait_for(GUEST, "echo: My lighthouse").await;
        talk(&chat, GUEST, 2).await;
        talk(&chat, FRIEND, 12).await;
    });
    let found = "asked: My lighthouse keeper is called Thorvald";
    stands_with(|| recalling(&chat, &ledger, false), async {
        for (update, person) in [(21, GUEST), (22, FRIEND)] {
            chat.write(update, person, "How is the lighthouse keeper called?");
            chat.wait_for(person, "How is the lighthouse keeper called?").await;
        }
        assert_eq!((chat.count(GUEST, found), chat.count(FRIEND, found)), (1, 0));
        // Begun afresh: what was said before is not used any more.
        chat.write(23, GUEST, "/new");
        chat.wait_for(GUEST, "A fresh conversation").await;
        talk(&chat, GUEST, 24).await;
        chat.write(33, GUEST, "And the lighthouse keeper?");
        chat.wait_for(GUEST, "And the lighthouse keeper?").await;
        assert_eq!(chat.count(GUEST, found), 1);
    });
    assert!(ledger.everything().contains("Thorvald"));
}

/// Says something in the group, and waits until it was answered.
async fn say_in_group(chat: &FakeMessenger, update: i64, person: i64, text: &str, answer: &str) {
    let before = chat.count(GROUP, answer);
    chat.write_in(GROUP, update, person, text);
    for _ in 0..2_400 {
        if before < chat.count(GROUP, answer) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody says {answer:?} to {text:?}");
}

#[test]
fn in_a_group_facts_and_memories_of_the_forgotten_go_and_those_of_others_stay() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    let (keeper, oven) = ("asked: My lighthouse keeper is Thorvald", "asked: My oven is Gudrun");
    stands_with(|| recalling(&chat, &ledger, false), async {
        let say = async |update, person, text: &str, answer: &str| {
            say_in_group(&chat, update, person, text, answer).await;
        };
        say(1, GUEST, "/remember I keep a lighthouse", "I will remember").await;
        say(2, FRIEND, "/remember I bake bread", "I will remember").await;
        say(3, GUEST, "My lighthouse keeper is Thorvald", "is Thorvald").await;
        assert_eq!(chat.count(GROUP, "I keep a lighthouse\n- (told by a person) I bake bread"), 1);
        say(4, FRIEND, "My oven is Gudrun", "is Gudrun").await;
        for update in 5..13 {
            let text = format!("Number {update};");
            say(update, FRIEND, &text, &text).await;
        }
        say(13, GUEST, "Who is my lighthouse keeper?", keeper).await;
        say(14, FRIEND, "Who is my oven?", oven).await;
        say(15, FRIEND, "/memory", "1. I bake bread (sage)\n\nSomebody else has had").await;
        // At rest: the state is stored as a snapshot, and everything is read again.
        tokio::time::sleep(Duration::from_secs(30)).await;
        say(16, FRIEND, "Who is the oven?", oven).await;
        assert!(ledger.everything().contains("lighthouse"));
        chat.write(17, GUEST, "/forget yes");
        chat.wait_for(GUEST, "a receipt of").await;
        let left = ledger.everything();
        assert!(!left.contains("lighthouse") && !left.contains("Thorvald"), "{left}");
        assert!(left.contains("I bake bread") && left.contains("Gudrun"));
        let found = chat.count(GROUP, keeper);
        say(18, FRIEND, "Who is the lighthouse keeper?", "Who is the lighthouse keeper?").await;
        assert_eq!(chat.count(GROUP, keeper), found, "it is in no index any more");
        say(19, FRIEND, "Now who is the oven?", oven).await;
    });
    stands_with(|| recalling(&chat, &ledger, false), async {
        say_in_group(&chat, 20, GUEST, "/memory", "I remember nothing about you here").await;
        say_in_group(&chat, 21, FRIEND, "/memory", "1. I bake bread (sage)").await;
        say_in_group(&chat, 22, FRIEND, "/new", "A fresh conversation").await;
        let remembered = "<remembered>\n- (told by a person) I bake bread\n</remembered>";
        say_in_group(&chat, 23, FRIEND, "Number 23;", remembered).await;
    });
}

#[test]
fn remember_3_a_search_that_hangs_holds_up_an_answer_for_its_deadline_only() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    stands_with(|| recalling(&chat, &ledger, true), async {
        talk(&chat, GUEST, 1).await;
        let began = Instant::now();
        chat.write(11, GUEST, "Number of the last");
        chat.wait_for(GUEST, "echo: Number of the last").await;
        let took = began.elapsed();
        assert!(Duration::from_millis(250) < took && took < Duration::from_secs(3), "{took:?}");
    });
}
