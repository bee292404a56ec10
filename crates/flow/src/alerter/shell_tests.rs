//! The actor in front of sinks that are down, slow or broken, on a ledger in memory and paused time.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::Duration,
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use kit::{Health, Mailbox, RestartPolicy, Spec, ask, supervise};
use prometheus_client::registry::Registry;
use protocol::{
    Clock, Timestamp,
    alert::{Notification, Severity, Sink, TellError},
    ledger::{Append, Ledger as _, Owned, Stream},
};
use tokio::time::{Instant, sleep};

use super::{
    Alert, Alerter, AlerterConfig, Msg, Needs, Order, Placed, Report, Tray, rules::Reading,
};
use crate::{
    memory::{self, Memory},
    tally::Tally,
    testing::{FakeLedger, local},
};

/// What a sink does wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// It answers that it cannot.
    Broken,
    /// It answers an hour later.
    Slow,
    /// It wants to be left alone for so many seconds.
    Busy(u64),
}

struct Fake {
    name: &'static str,
    born: Instant,
    wrong: Mutex<VecDeque<Wrong>>,
    tried: Mutex<u32>,
    /// When, what, and under which key.
    told: Mutex<Vec<(u64, String, String)>>,
}

impl Fake {
    fn new(name: &'static str, wrong: impl IntoIterator<Item = Wrong>) -> Arc<Self> {
        Arc::new(Self {
            name,
            born: Instant::now(),
            wrong: Mutex::new(wrong.into_iter().collect()),
            tried: Mutex::default(),
            told: Mutex::default(),
        })
    }

    fn lines(&self) -> Vec<String> {
        self.told.lock().unwrap().iter().map(|(at, line, _)| format!("{at} {line}")).collect()
    }

    fn is_down(&self) {
        self.wrong.lock().unwrap().extend([Wrong::Broken; 10_000]);
    }

    fn is_up(&self) {
        self.wrong.lock().unwrap().clear();
    }
}

#[async_trait]
impl Sink for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn tell(&self, it: &Notification) -> Result<(), TellError> {
        *self.tried.lock().unwrap() += 1;
        let wrong = self.wrong.lock().unwrap().pop_front();
        match wrong {
            Some(Wrong::Broken) => return Err(TellError::new("it answered with status 500")),
            Some(Wrong::Slow) => sleep(Duration::from_secs(3_600)).await,
            Some(Wrong::Busy(seconds)) => {
                let retry_after = Some(Duration::from_secs(seconds));
                return Err(TellError { why: "busy".to_owned(), retry_after });
            }
            None => {}
        }
        let end = if it.is_over() { "." } else { "!" };
        let line = format!("{}{end} ({})", it.kind, it.count());
        self.told.lock().unwrap().push((self.born.elapsed().as_secs(), line, it.key()));
        Ok(())
    }
}

/// Goes with tokio's time.
struct Going(Instant);

impl Clock for Going {
    fn now(&self) -> Timestamp {
        let since = u64::try_from(self.0.elapsed().as_millis()).unwrap();
        Timestamp(1_700_000_000_000 + since)
    }
}

struct House {
    ledger: Arc<FakeLedger>,
    health: Health,
    memory: Mailbox<memory::Msg>,
    sinks: Arc<[Placed]>,
    born: Instant,
}

impl House {
    fn new(sinks: &[(&Arc<Fake>, u8)]) -> Self {
        let (ledger, health) = (Arc::new(FakeLedger::default()), Health::default());
        let spec = Spec::new("memory", "memory", 1_024, RestartPolicy::GENTLE);
        let of_memory = Arc::clone(&ledger);
        let (memory, running) =
            supervise(spec, &health, move || Memory::incarnate(Arc::clone(&of_memory) as _));
        drop(kit::spawn(running));
        let placed = sinks.iter().map(|(sink, step)| Placed {
            sink: Arc::clone(sink) as _,
            step: *step,
            least: Severity::Warning,
        });
        Self { ledger, health, memory, sinks: placed.collect(), born: Instant::now() }
    }

    fn open(&self) -> Mailbox<Msg> {
        let needs = Needs {
            memory: self.memory.clone(),
            clock: Arc::new(Going(self.born)),
            hall: Arc::new(ArcSwap::default()),
            pseudonym: Arc::new(|it| it.to_string()),
            languages: crate::tongues::Tongues::default(),
            ledger: Arc::new(crate::testing::FakeLedger::default()),
            bots: [].into(),
            messenger: None,
            outbox: Arc::default(),
            sinks: Arc::clone(&self.sinks),
            reader: Arc::new(Reading::default),
            tally: Tally::register(&mut Registry::default()),
            tray: Tray::default(),
        };
        let spec = Spec::new("alerter", "alerter", 4_096, RestartPolicy::GENTLE);
        let incarnate = move || Alerter::incarnate(AlerterConfig::default(), needs.clone());
        let (alerter, running) = supervise(spec, &self.health, incarnate);
        drop(kit::spawn(running));
        alerter
    }
}

fn raise(alerter: &Mailbox<Msg>, kind: &'static str) {
    alerter.try_tell(Msg::raise(kind, Severity::Critical, format!("{kind}."))).unwrap();
}

async fn wait(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn r23_a_sink_that_is_down_slow_or_broken_is_tried_again_and_a_flood_is_three_messages() {
    local(async {
        let down = Fake::new("down", [Wrong::Broken; 3]);
        let slow = Fake::new("slow", [Wrong::Slow]);
        let busy = Fake::new("busy", [Wrong::Busy(100)]);
        let good = Fake::new("good", []);
        let house = House::new(&[(&down, 0), (&slow, 0), (&busy, 0), (&good, 0)]);
        let alerter = house.open();
        (0..1_000).for_each(|_| raise(&alerter, "poll"));
        wait(200).await;
        let lines = good.lines();
        assert!(
            lines.len() == 1 && lines[0].starts_with("0 poll!"),
            "no other holds it up: {lines:?}"
        );
        let (tries, lines) = (*down.tried.lock().unwrap(), down.lines());
        assert!(tries == 4 && lines.len() == 1, "after 1, 2 and 4 s or a little less: {lines:?}");
        assert_eq!(slow.lines().len(), 1, "given up after a minute, and tried again");
        assert_eq!(busy.lines(), ["100 poll! (1000)"], "not before it wanted to be asked");
        alerter.try_tell(Msg::Over("poll")).unwrap();
        wait(1_000).await;
        for sink in [&down, &slow, &busy, &good] {
            let lines = sink.lines();
            assert!(lines.len() <= 3, "{lines:?}");
            assert!(lines.last().unwrap().ends_with("poll. (1000)"), "{lines:?}");
        }
    });
}

#[test]
fn r23_the_next_sink_is_tried_meanwhile_and_a_restart_in_the_middle_loses_nothing() {
    local(async {
        let (chat, mail) = (Fake::new("chat", []), Fake::new("mail", []));
        chat.is_down();
        let house = House::new(&[(&chat, 0), (&mail, 1)]);
        let alerter = house.open();
        raise(&alerter, "store");
        wait(5).await;
        assert_eq!((chat.lines().len(), mail.lines()), (0, vec!["1 store! (1)".to_owned()]));
        alerter.stop().await;
        drop(alerter);
        wait(100).await;
        let alerter = house.open();
        wait(100).await;
        assert_eq!(mail.lines().len(), 1, "who was told is not told again");
        chat.is_up();
        wait(300).await;
        let lines = chat.lines();
        assert!(matches!(lines.as_slice(), [it] if it.ends_with("store! (1)")), "{lines:?}");
        let key = |sink: &Fake| sink.told.lock().unwrap().first().unwrap().2.clone();
        assert_eq!(key(&chat), key(&mail), "it is the same message");
        alerter.try_tell(Msg::Over("store")).unwrap();
        alerter.stop().await;
        let _alerter = house.open();
        wait(1_000).await;
        for sink in [&chat, &mail] {
            assert!(sink.lines().last().unwrap().ends_with("store. (1)"), "{:?}", sink.lines());
        }
    });
}

#[test]
fn an_alert_in_hand_when_the_alerter_fails_is_told_by_the_next() {
    local(async {
        let good = Fake::new("good", []);
        let house = House::new(&[(&good, 0)]);
        let alerter = house.open();
        wait(2).await;
        // Somebody else writes to its stream: what it writes next conflicts, and it begins anew.
        let rival = Owned::halls(r#"{"entry":"closed","kind":"x"}"#);
        let at = house.ledger.load(Stream::Alerts).await.unwrap().at;
        let append =
            Append { stream: Stream::Alerts, expected: at, events: vec![rival], closes: vec![] };
        house.ledger.append(append).await.unwrap();
        raise(&alerter, "poll");
        wait(30).await;
        let lines = good.lines();
        assert!(matches!(lines.as_slice(), [it] if it.ends_with("poll! (1)")), "{lines:?}");
        let failed = house.health.read().into_iter().find(|it| it.id == "alerter").unwrap();
        assert_eq!(failed.restarts, 1, "{failed:?}");
    });
}

#[test]
fn alerter_5_with_a_ledger_that_neither_reads_nor_writes_alerts_are_told_all_the_same() {
    local(async {
        let good = Fake::new("good", []);
        let house = House::new(&[(&good, 0)]);
        house.ledger.fails.store(true, Relaxed);
        let alerter = house.open();
        raise(&alerter, "store");
        wait(60).await;
        assert_eq!(good.lines(), ["0 store! (1)"]);
        house.ledger.fails.store(false, Relaxed);
        wait(60).await;
        assert!(good.lines().len() <= 2, "told again once at the most: {:?}", good.lines());
        assert!(house.ledger.everything().contains("store"), "and written then");
        alerter.try_tell(Msg::Over("store")).unwrap();
        wait(1_000).await;
        assert!(good.lines().last().unwrap().ends_with("store. (1)"), "{:?}", good.lines());
    });
}

#[test]
fn alerter_5_an_entry_that_cannot_be_read_is_left_out_and_the_others_hold() {
    local(async {
        let good = Fake::new("good", []);
        good.is_down();
        let house = House::new(&[(&good, 0)]);
        let alerter = house.open();
        raise(&alerter, "poll");
        wait(2).await;
        alerter.stop().await;
        let odd = [r#"{"entry":"of a later version"}"#, "{"].map(Owned::halls);
        let at = house.ledger.load(Stream::Alerts).await.unwrap().at;
        let (stream, events) = (Stream::Alerts, odd.to_vec());
        let append = Append { stream, expected: at, events, closes: vec![] };
        house.ledger.append(append).await.unwrap();
        good.is_up();
        let _alerter = house.open();
        wait(30).await;
        let lines = good.lines();
        assert!(matches!(lines.as_slice(), [it] if it.ends_with("poll! (1)")), "{lines:?}");
    });
}

#[test]
fn orders_silence_acknowledge_list_and_try_every_sink() {
    local(async {
        let (good, down) = (Fake::new("good", []), Fake::new("down", []));
        let house = House::new(&[(&good, 0), (&down, 0)]);
        let alerter = house.open();
        wait(1).await;
        let order = async |order: Order| ask(&alerter, |reply| Msg::Order(order, reply)).await;
        let hour = Duration::from_secs(3_600);
        let silence = Order::Silence { kind: "poll".to_owned(), span: hour };
        assert_eq!(order(silence).await.unwrap(), Ok(Report::Done));
        let labels = BTreeMap::from([("bot".to_owned(), "a".to_owned())]);
        let (kind, summary) = ("poll".to_owned(), "Gone.".to_owned());
        let severity = Severity::Warning;
        let alert = Alert { kind, labels, severity, summary, is_held: false };
        alerter.try_tell(Msg::Raise(alert)).unwrap();
        raise(&alerter, "store");
        wait(1).await;
        assert_eq!(good.lines(), ["1 store! (1)"]);
        let Ok(Ok(Report::List { alerts, silences })) = order(Order::List).await else { panic!() };
        let kinds: Vec<&str> = alerts.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!((kinds, silences.len()), (vec!["store", "poll"], 1), "worst first");
        assert_eq!(alerts[0].told, ["down", "good"]);
        let acknowledge = |kind: &str| Order::Acknowledge { kind: kind.to_owned() };
        assert_eq!(order(acknowledge("store")).await.unwrap(), Ok(Report::Done));
        assert!(order(acknowledge("nothing")).await.unwrap().is_err());
        down.is_down();
        let Ok(Ok(Report::Tested(trials))) = order(Order::Test).await else { panic!() };
        let ends: Vec<_> = trials.iter().map(|it| (it.sink, it.why_not.as_deref())).collect();
        assert_eq!(ends, [("good", None), ("down", Some("it answered with status 500"))]);
        assert!(good.lines().last().unwrap().contains("alerts_test."), "it is over: nobody wakes");
    });
}

#[test]
fn the_stream_is_folded_now_and_then_and_reads_back_from_the_state() {
    local(async {
        let good = Fake::new("good", []);
        let house = House::new(&[(&good, 0)]);
        let alerter = house.open();
        for _ in 0..60 {
            raise(&alerter, "a");
            raise(&alerter, "b");
            wait(45).await;
            alerter.try_tell(Msg::Over("a")).unwrap();
            wait(45).await;
        }
        let loaded = house.ledger.load(Stream::Alerts).await.unwrap();
        assert!(loaded.snapshot.is_some() && loaded.appends < 100, "{}", loaded.appends);
        alerter.stop().await;
        let before = good.lines().len();
        let alerter = house.open();
        wait(2_000).await;
        alerter.stop().await;
        let lines = good.lines().split_off(before);
        assert!(lines.last().is_none_or(|it| it.contains(". (")), "{lines:?}");
    });
}
