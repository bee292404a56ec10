//! The timekeeper on a ledger in memory.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use kit::{Health, RestartPolicy, Spec, supervise};
use protocol::{BotId, ChatId, ledger::Ledger};

use super::*;
use crate::{
    memory::Memory,
    testing::{FakeLedger, local},
};

const ADA: PersonId = PersonId(7);
const KEY: SessionKey = SessionKey { bot: BotId(9), chat: ChatId(7), topic: None };

/// Goes with the time of the tests, and can be set wrong.
struct Wall {
    born: Instant,
    wrong_by_ms: AtomicI64,
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.born.elapsed().as_millis()).unwrap();
        let at = 1_795_694_400_000 + passed + self.wrong_by_ms.load(Relaxed);
        Timestamp(u64::try_from(at).unwrap())
    }
}

struct House {
    ledger: Arc<FakeLedger>,
    wall: Arc<Wall>,
    timekeeper: Mailbox<Msg>,
    _running: Vec<tokio::task::JoinHandle<()>>,
}

impl House {
    fn stand(ledger: &Arc<FakeLedger>) -> Self {
        let wall = Arc::new(Wall { born: Instant::now(), wrong_by_ms: AtomicI64::new(0) });
        let spec = |kind: &'static str| Spec::new(kind, kind, 64, RestartPolicy::GENTLE);
        let health = Health::default();
        let for_memory = Arc::clone(ledger);
        let (memory, remembers) = supervise(spec("memory"), &health, move || {
            Memory::incarnate(Arc::clone(&for_memory) as Arc<dyn Ledger>)
        });
        let clock = Arc::clone(&wall);
        let needs = Needs { memory, keeper: Rc::default(), clock };
        let (timekeeper, keeps) = supervise(spec("timekeeper"), &health, move || {
            Timekeeper::incarnate(TimekeeperConfig::default(), needs.clone())
        });
        let running = vec![
            kit::spawn(async { drop(remembers.await) }),
            kit::spawn(async { drop(keeps.await) }),
        ];
        Self { ledger: Arc::clone(ledger), wall, timekeeper, _running: running }
    }

    async fn remind(&self, words: &str, update: i64) -> Said {
        let (when, text) = when::read(words).unwrap();
        let order = Order::Remind { person: ADA, when, text: text.to_owned() };
        let from = (KEY, UpdateId(update));
        ask(&self.timekeeper, |reply| Msg::Obey { order, from, reply }).await.unwrap()
    }

    async fn waiting(&self) -> usize {
        self.ledger.load(Stream::Session(KEY)).await.unwrap().waiting.len()
    }
}

async fn minutes(count: u64) {
    tokio::time::sleep(Duration::from_secs(60 * count)).await;
}

#[test]
fn timekeeper_4_what_is_due_waits_in_its_inbox_once_across_restarts() {
    local(async {
        let ledger = Arc::<FakeLedger>::default();
        let house = House::stand(&ledger);
        assert!(matches!(house.remind("in 20 minutes tea", 1).await, Said::Set(_)));
        drop(house);
        let house = House::stand(&ledger);
        minutes(19).await;
        assert_eq!(house.waiting().await, 0);
        minutes(2).await;
        assert_eq!(house.waiting().await, 1);
        drop(house);
        let house = House::stand(&ledger);
        minutes(60).await;
        assert_eq!(house.waiting().await, 1);
    });
}

#[test]
fn a_ledger_that_is_away_delays_a_run_and_loses_none() {
    local(async {
        let ledger = Arc::<FakeLedger>::default();
        let house = House::stand(&ledger);
        house.remind("in 20 minutes tea", 1).await;
        ledger.fails.store(true, Relaxed);
        minutes(30).await;
        ledger.fails.store(false, Relaxed);
        minutes(1).await;
        assert_eq!(house.waiting().await, 1);
        minutes(60).await;
        assert_eq!(house.waiting().await, 1);
    });
}

#[test]
fn a_clock_that_jumps_neither_fires_what_is_far_away_nor_forgets_what_is_near() {
    local(async {
        let ledger = Arc::<FakeLedger>::default();
        let house = House::stand(&ledger);
        house.remind("in 2 hours tea", 1).await;
        house.remind("in 300 days cake", 2).await;
        let year = 365 * 86_400_000;
        for wrong_by in [year, -year / 365, 0, year] {
            house.wall.wrong_by_ms.store(wrong_by, Relaxed);
            minutes(10).await;
            assert_eq!(house.waiting().await, 0, "the clock is wrong by {wrong_by} ms");
        }
        house.wall.wrong_by_ms.store(-86_400_000, Relaxed);
        minutes(81).await;
        assert_eq!(house.waiting().await, 1, "what was due comes, whatever the clock says");
    });
}

#[test]
fn what_is_a_person_s_goes_with_them() {
    local(async {
        let ledger = Arc::<FakeLedger>::default();
        let house = House::stand(&ledger);
        house.remind("in 20 minutes tea", 1).await;
        ask(&house.timekeeper, |gone| Msg::Forget(ADA, gone)).await.unwrap();
        ledger.forget(ADA, Timestamp(1), None).await.unwrap();
        minutes(60).await;
        assert_eq!(house.waiting().await, 0);
        drop(house);
        let house = House::stand(&ledger);
        minutes(60).await;
        assert_eq!(house.waiting().await, 0);
    });
}
