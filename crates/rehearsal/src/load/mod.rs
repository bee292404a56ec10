//! The load generator: virtual people who write to the bot and check every answer they get.
//!
//! In a closed loop each writes again when answered; in an open loop messages come at a rate and the time of each
//! counts from when it was due, so that a stall is not hidden. Each question carries a mark (see
//! [`marks`](crate::models::marks)) that its answer must repeat.
//!
//! Owns      the ledger of what was asked, shared with the observer that sees each message the bot sends.
//! Needs     the model server of the same rehearsal to be the bot's model, which repeats the marks.

mod ledger;
mod pump;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use self::ledger::{Ledger, Question};
pub use self::pump::{PumpConfig, PumpError, pump};
use crate::{PersonSeed, Rehearsal, Say, World, models};

/// How often what is due in an open loop is looked for.
const TICK: Duration = Duration::from_millis(1);
/// The shortest time between two messages of an open loop.
const PAUSE_MIN: Duration = Duration::from_micros(1);
/// How often impatient people are looked for.
const PATIENCE_CHECK: Duration = Duration::from_millis(100);
/// How often it is looked whether the bot has come.
const BOT_CHECK: Duration = Duration::from_millis(20);
/// Words that fill a question up to its length.
const FILLER: &str = "Please say what you think of it. ";

/// What the virtual people do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many they are.
    pub people: usize,
    /// The id of the first; the others follow it.
    pub first_person: i64,
    /// How long they write. Answers may come later, see `drain`.
    pub time: Duration,
    /// Messages each of them writes at most. 0 is no limit.
    pub messages_max: u64,
    /// Messages a second of all of them together; 0 makes a closed loop.
    pub rate_per_s: f64,
    /// Pause of a person between an answer and their next message, in a closed loop.
    pub think: Duration,
    /// After so long without an answer a person gives a message up and writes the next one, in a closed loop.
    pub patience: Duration,
    /// How long to wait at the end for answers that are still due.
    pub drain: Duration,
    /// The length of a message, in bytes. It is never shorter than its mark.
    pub text_bytes: usize,
    /// What each says first, before the clock starts, for bots that greet before they answer.
    pub greeting: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            people: 100,
            first_person: 7_000_001,
            time: Duration::from_secs(10),
            messages_max: 0,
            rate_per_s: 0.0,
            think: Duration::ZERO,
            patience: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            text_bytes: 100,
            greeting: None,
        }
    }
}

/// What came of a plan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// People who took part.
    pub people: usize,
    /// How long they wrote, in seconds.
    pub seconds: f64,
    /// Messages written.
    pub written: u64,
    /// Messages answered, those after the writing ended included.
    pub answered: u64,
    /// Answers a second while people wrote.
    pub messages_per_s: f64,
    /// Median time to the answer.
    pub p50_ms: f64,
    /// 90 % were answered in this time.
    pub p90_ms: f64,
    /// 99 % were answered in this time.
    pub p99_ms: f64,
    /// 99.9 % were answered in this time.
    pub p999_ms: f64,
    /// The longest time to an answer.
    pub max_ms: f64,
    /// Messages that the bot confirmed and never answered.
    pub lost: u64,
    /// Messages that the bot had not even confirmed at the end: it was too slow, not wrong.
    pub unserved: u64,
    /// Second answers to one message.
    pub duplicates: u64,
    /// Answers that came after that to a newer message of the same person.
    pub out_of_order: u64,
    /// Answers that came to another person than the one who asked.
    pub cross_talk: u64,
    /// Messages of the bot without a mark, such as apologies.
    pub unmarked: u64,
    /// Messages given up by impatient people.
    pub given_up: u64,
    /// Model calls that held another person's text.
    pub leaks: u64,
    /// Model calls without the person's previous question.
    pub context_gaps: u64,
    /// Model calls with a person's questions in another order.
    pub context_disorder: u64,
}

/// Waits until the bot polls or has set a webhook; says whether it did within `time_max`.
pub async fn bot_came(world: &World, time_max: Duration) -> bool {
    let came = async {
        let mut ticks = interval(BOT_CHECK);
        let here = |world: &World| {
            let calls = world.stats().calls;
            ["getUpdates", "setWebhook"].iter().any(|method| calls.contains_key(method))
        };
        while !here(world) {
            ticks.tick().await;
        }
    };
    timeout(time_max, came).await.is_ok()
}

/// Carries a plan out and reports on it. One plan at a time: it takes the world's observer for itself.
///
/// Not cancel-safe: a dropped run leaves its people in the world and their messages in the bot's queue.
pub async fn run(rehearsal: &Rehearsal, plan: Plan) -> Report {
    let load = Load::new(rehearsal, plan);
    load.greet().await;
    let before = rehearsal.models().stats();
    let begun = Instant::now();
    load.ledger().begin(begun);
    if load.plan.rate_per_s > 0.0 {
        load.write_at_rate(begun).await;
    } else {
        load.write_when_answered(begun).await;
    }
    let wrote = begun.elapsed();
    let in_time = load.ledger().end();
    load.drain().await;
    load.report(wrote, in_time, &before, &rehearsal.models().stats())
}

struct Load {
    world: World,
    plan: Plan,
    ledger: Arc<Mutex<Ledger>>,
    /// Rung when somebody may write or everything is answered.
    bell: Arc<Notify>,
}

impl Load {
    fn new(rehearsal: &Rehearsal, plan: Plan) -> Self {
        let world = rehearsal.world().clone();
        for id in (plan.first_person..).take(plan.people) {
            world.add_person(PersonSeed::new(id, format!("Person{id}")));
        }
        let ledger = Arc::new(Mutex::new(Ledger::new(&plan, Instant::now())));
        let bell = Arc::new(Notify::new());
        let (book, ring) = (ledger.clone(), bell.clone());
        world.observe(move |sent| {
            let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
            if book.received(sent.chat, sent.text, Instant::now()) {
                ring.notify_one();
            }
        });
        Self { world, plan, ledger, bell }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A change of the ledger is whole or a test fails, so a poisoned lock is still good.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, person: i64, text: String) {
        let say = Say { person, text, ..Say::default() };
        if self.world.say(&say).is_err() {
            // lost-ok: it is in the ledger, so it is reported as lost.
        }
    }

    fn write(&self, question: &Question) {
        let mark = question.asked.mark();
        let mut text = format!("Message {} of mine, {mark}. ", question.asked.sequence);
        while text.len() < self.plan.text_bytes {
            text.push_str(FILLER);
        }
        // The filler is plain ASCII, so any length is a boundary.
        text.truncate(self.plan.text_bytes.max(mark.len() + 40));
        self.say(question.person, text);
    }

    async fn greet(&self) {
        let Some(greeting) = &self.plan.greeting else { return };
        for person in (self.plan.first_person..).take(self.plan.people) {
            self.say(person, greeting.clone());
        }
        let greeted = async {
            while !self.ledger().all_greeted() {
                self.bell.notified().await;
            }
        };
        if timeout(self.plan.patience, greeted).await.is_err() {
            // lost-ok: who was not greeted writes all the same, and what comes of it is reported.
        }
    }

    async fn write_when_answered(&self, begun: Instant) {
        let end = begun + self.plan.time;
        let think = if self.plan.think.is_zero() { PATIENCE_CHECK } else { TICK };
        let mut checks = interval(think);
        checks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let now = Instant::now();
            if now >= end || self.ledger().is_done() {
                return;
            }
            let questions = self.ledger().ready(now);
            for question in &questions {
                self.write(question);
            }
            if questions.is_empty() {
                tokio::select! {
                    () = self.bell.notified() => {}
                    _ = checks.tick() => {}
                }
            } else {
                // The server may live on this very thread.
                tokio::task::yield_now().await;
            }
        }
    }

    async fn write_at_rate(&self, begun: Instant) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let pause = Duration::from_secs_f64(1.0 / self.plan.rate_per_s).max(PAUSE_MIN);
        let (mut due, end) = (begun, begun + self.plan.time);
        let mut person = (0..self.plan.people).cycle();
        while due < end {
            let now = ticks.tick().await;
            while due <= now && due < end {
                let question = person.next().and_then(|person| self.ledger().ask(person, due));
                let Some(question) = question else { return };
                self.write(&question);
                due += pause;
            }
        }
    }

    async fn drain(&self) {
        let answered = async {
            while !self.ledger().all_answered() {
                self.bell.notified().await;
            }
        };
        if timeout(self.plan.drain, answered).await.is_err() {
            // lost-ok: what is not answered by now is reported as lost or unserved.
        }
    }

    fn report(
        &self,
        wrote: Duration,
        in_time: u64,
        before: &models::Stats,
        after: &models::Stats,
    ) -> Report {
        self.world.observe(|_| ());
        let waiting: usize = self.world.lock().bots.iter().map(|bot| bot.queue.len()).sum();
        let mut report = self.ledger().report();
        report.people = self.plan.people;
        report.seconds = wrote.as_secs_f64();
        report.messages_per_s = in_time as f64 / wrote.as_secs_f64().max(f64::EPSILON);
        report.unserved = (waiting as u64).min(report.lost);
        report.lost -= report.unserved;
        report.leaks = after.leaks - before.leaks;
        report.context_gaps = after.context_gaps - before.context_gaps;
        report.context_disorder = after.context_disorder - before.context_disorder;
        report
    }
}

#[cfg(test)]
mod tests;
