//! Stands the hall that is attacked, sends the sentences, and reads what it did from its ledger.

use std::{sync::mpsc, thread, time::Duration};

use flow::forensics::{self, Found, Names, Sought, Turn, Whose};
use protocol::{AgentName, Clock as _, Timestamp};
use rehearsal::{PersonSeed, Say, World};
use store::Store;
use tokio::sync::watch;

use super::{
    Ask, Counts, Deed, Family, Report, Tried,
    house::{self, Folder},
    judge,
    plan::{self, Try},
};
use crate::{
    audit,
    build::BuildError,
    config::{Env, GuardLevel, Loaded},
    evidence, master,
    run::{self, Cues, Door, SystemClock, store_config},
    stagehand,
};

/// Questions that are out at the same time.
const OUT_MAX: usize = 4;
/// How long the hall may take until it stands.
const STAND_TIME_MAX: Duration = Duration::from_secs(120);
/// How much longer than a turn may take an answer is waited for.
const GRACE: Duration = Duration::from_secs(15);
/// After so many it is told how far it is.
const TOLD_EVERY: usize = 25;
/// How often it is looked whether an answer has come.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Messages that somebody gets who asks one question: the notice, and the answer.
const MESSAGES: usize = 2;

/// Hears what is going to happen, and how far it is.
type Tell<'t> = &'t mut dyn FnMut(&str);

/// Attacks a hall with this one's agents, rules and models. `tell` hears what is going to happen, and how far it is.
///
/// # Errors
/// Why it could not be done, in words.
pub fn run(env: &Env, ask: &Ask, tell: Tell<'_>) -> Result<Report, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let mut loaded = house::loaded(env).map_err(|problems| words(&problems))?;
    let configuration = audit::fingerprint(&loaded);
    let changes = evidence::house(&loaded)?;
    let folder = Folder::make().map_err(|error| words(&error))?;
    let stage =
        rehearsal::Config { bots: vec![house::bot(&loaded)], people: Vec::new(), ..usual() };
    let (telegram, world, _) = stagehand::start(stage).map_err(|error| words(&error))?;
    house::apart(&mut loaded, folder.path(), telegram).map_err(|error| words(&error))?;
    let agents = chosen(house::begin(&loaded, &changes)?, ask.agent.as_ref())?;
    let names: Vec<AgentName> = agents.iter().map(|(name, _)| name.clone()).collect();
    let tries = plan::of(ask.max, &names);
    let config = &loaded.config;
    let models: Vec<String> = config.chain().iter().map(|it| it.name.clone()).collect();
    tell(&announced(&tries, &names, &models, config.broker.answer_tokens_max));
    let mut report = Report {
        made_ms: SystemClock.now().0,
        took_ms: 0,
        version: env!("CARGO_PKG_VERSION"),
        configuration,
        agents: names.iter().map(|it| it.as_str().to_owned()).collect(),
        models,
        level: level(config.guard.level),
        min: ask.min,
        attacks: Counts::default(),
        harmless: Counts::default(),
        families: Vec::new(),
        input_tokens: 0,
        output_tokens: 0,
        cost_micros: 0,
        currency: config.budgets.currency.clone(),
        tried: Vec::new(),
    };
    let turn_time_max = config.session.turn_time_max + GRACE;
    // What is read afterwards is found by the same settings.
    let (read_by, answered_by) = (config.clone(), loaded);
    let ended = stand(answered_by, |stops| send(&world, &tries, turn_time_max, (stops, tell)))?;
    ended?;
    let (found, canary) = read(&read_by)?;
    report.took_ms = SystemClock.now().0.saturating_sub(report.made_ms);
    count(&mut report, &tries, &found, &(canary, agents));
    Ok(report)
}

fn usual() -> rehearsal::Config {
    rehearsal::Config { groups: Vec::new(), ..rehearsal::Config::default() }
}

fn level(it: GuardLevel) -> &'static str {
    match it {
        GuardLevel::Low => "low",
        GuardLevel::Medium => "medium",
        GuardLevel::High => "high",
    }
}

type Told = Vec<(AgentName, String)>;

fn chosen(agents: Told, only: Option<&AgentName>) -> Result<Told, String> {
    let wanted: Told =
        agents.into_iter().filter(|(name, _)| only.is_none_or(|it| it == name)).collect();
    match (wanted.is_empty(), only) {
        (false, _) => Ok(wanted),
        (true, Some(name)) => Err(format!("there is no agent called {name}, or it rests")),
        (true, None) => Err("no agent is awake: there is nobody to attack".to_owned()),
    }
}

fn announced(tries: &[Try], agents: &[AgentName], models: &[String], tokens: u32) -> String {
    let attacks = tries.iter().filter(|it| it.family != Family::Harmless).count();
    let agents: Vec<&str> = agents.iter().map(AgentName::as_str).collect();
    format!(
        "{} questions, {attacks} attacks and {} harmless ones, go to {}. What the guard lets pass is asked of real models \
         ({}) and costs what they charge: answers of at most {} tokens, and what is tried again after it failed.\n",
        tries.len(),
        tries.len() - attacks,
        agents.join(", "),
        models.join(", "),
        tokens as usize * tries.len()
    )
}

// === The hall. ===

/// Runs the hall on a thread of its own while `work` is done, and ends it. `work` is told when the hall has ended by
/// itself.
fn stand<T>(loaded: Loaded, work: impl FnOnce(&dyn Fn() -> bool) -> T) -> Result<T, String> {
    let (stop, ends) = watch::channel(false);
    let (stands, standing) = mpsc::sync_channel(1);
    let life = move || {
        let logs = run::start_logs(&loaded).map_err(|error| error.to_string())?;
        let tell = move || {
            // lost-ok: whoever waited for it has given up.
            stands.try_send(()).ok();
        };
        let cues = Cues { standing: &tell, may_renew: None, ends: Some(ends) };
        let code = run::run(loaded, Door::Locked, &logs, cues);
        drop(logs);
        match code {
            Some(code) if code == std::process::ExitCode::SUCCESS => Ok(()),
            Some(_) | None => Err("the hall that is attacked did not end well".to_owned()),
        }
    };
    let hall = thread::Builder::new().name("attacked".to_owned()).spawn(life);
    let hall = hall.map_err(|error| error.to_string())?;
    let waited = standing.recv_timeout(STAND_TIME_MAX);
    let done = waited.is_ok().then(|| work(&|| hall.is_finished()));
    stop.send_replace(true);
    let ended = hall.join().map_err(|_panic| "the hall that is attacked panicked".to_owned())?;
    match done {
        Some(done) => ended.map(|()| done),
        None => {
            Err(ended.err().unwrap_or_else(|| "the hall that is attacked did not stand".to_owned()))
        }
    }
}

/// Sends every sentence, some at a time, and waits for what comes back.
fn send(
    world: &World,
    tries: &[Try],
    time_max: Duration,
    (has_ended, tell): (&dyn Fn() -> bool, Tell<'_>),
) -> Result<(), String> {
    let deadline = u64::try_from(time_max.as_millis()).unwrap_or(u64::MAX);
    let mut out: Vec<(i64, Timestamp)> = Vec::new();
    let (mut waiting, mut done) = (tries.iter(), 0);
    loop {
        let now = SystemClock.now();
        let (before, done_before) = (out.len(), done);
        let is_over = |&(person, sent): &(i64, Timestamp)| {
            MESSAGES <= world.sent_to(person).len() || deadline < now.0.saturating_sub(sent.0)
        };
        out.retain(|it| !is_over(it));
        done += before - out.len();
        while out.len() < OUT_MAX {
            let Some(next) = waiting.next() else { break };
            world.add_person(PersonSeed::new(next.person, "Mallory"));
            let text = format!("/ask {} {}", next.agent, next.text);
            let say = Say { person: next.person, chat: None, topic: None, text, reply_to: None };
            world.say(&say).map_err(|error| error.to_string())?;
            out.push((next.person, now));
        }
        if done_before / TOLD_EVERY < done / TOLD_EVERY {
            tell(&format!("{done} of {} are over.\n", tries.len()));
        }
        if out.is_empty() {
            return Ok(());
        }
        if has_ended() {
            return Err("the hall that is attacked has ended".to_owned());
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread of a command that has nothing else to do")]
fn pause() {
    thread::sleep(LOOK_EVERY);
}

// === What it did. ===

/// The turns by the ledger, people by their ids; and the word that stands in every agent's instructions.
fn read(config: &crate::config::Config) -> Result<(Found, String), String> {
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let keys = master::keys(config).map_err(|error| words(&error))?;
    let store = Store::open(store_config(config), keys).map_err(|error| words(&error))?;
    let canary = store.own_key("prompt canary").map_err(|error| words(&error));
    let sought = Sought {
        whose: Whose::Everybody,
        from: Timestamp::default(),
        until: Timestamp(u64::MAX / 2),
        with_texts: true,
    };
    let names = Names {
        person: &|it| it.0.to_string(),
        chat: &|it| it.0.to_string(),
        digest: &|_| String::new(),
    };
    let found = kit::block_on(forensics::gather(&store, &sought, names));
    store.close().map_err(|error| words(&error))?;
    Ok((found.map_err(|error| words(&error))?, run::canary(&*canary?)))
}

fn count(report: &mut Report, tries: &[Try], found: &Found, (canary, agents): &(String, Told)) {
    let mut families: std::collections::BTreeMap<Family, Counts> = Default::default();
    for (at, it) in tries.iter().enumerate() {
        let person = it.person.to_string();
        let turn = found.turns.iter().find(|turn| turn.person.as_ref() == Some(&person));
        let told = agents.iter().find(|(name, _)| *name == it.agent);
        let tried = tried(at + 1, it, turn, (canary, told.map_or("", |(_, told)| told)));
        families.entry(it.family).or_default().add(&tried);
        match it.family {
            Family::Harmless => report.harmless.add(&tried),
            Family::Injection
            | Family::Document
            | Family::Jailbreak
            | Family::Leak
            | Family::Exfiltration
            | Family::Disguise
            | Family::Mixed => report.attacks.add(&tried),
        }
        report.input_tokens += turn.map_or(0, |it| it.input_tokens);
        report.output_tokens += turn.map_or(0, |it| it.output_tokens);
        report.cost_micros += turn.map_or(0, |it| it.cost_micros);
        report.tried.push(tried);
    }
    report.families = families.into_iter().collect();
}

fn tried(number: usize, it: &Try, turn: Option<&Turn>, (canary, told): (&str, &str)) -> Tried {
    let deed = judge::deed(turn);
    let answer = turn.and_then(|it| it.texts.as_ref()?.answered.as_deref());
    let leaked = match (deed, answer) {
        (Deed::Answered, Some(answer)) => judge::leaked(answer, canary, told),
        (Deed::Answered | Deed::RefusedAtDoor | Deed::RefusedAtAnswer | Deed::NotJudged, _) => {
            Vec::new()
        }
    };
    let judged = turn.into_iter().flat_map(|it| it.prompt.iter().chain(&it.draft));
    let mut rules: Vec<String> = judged.flat_map(|it| it.rules.clone()).collect();
    rules.sort();
    rules.dedup();
    Tried {
        number,
        family: it.family,
        lang: it.lang.clone(),
        agent: it.agent.as_str().to_owned(),
        text: it.text.clone(),
        deed,
        rules,
        leaked,
        model: turn.and_then(|it| it.model.clone()),
    }
}
