//! Puts a report together: the incident and its time from the audit log, then a note of this look, then all the rest.

use std::{collections::BTreeSet, fs};

use flow::{
    alerter::book::Line,
    forensics::{Sought, Turn, Whose},
    incident::{Incident, Incidents, Kind},
};
use protocol::{
    Clock as _, Timestamp,
    audit::{Action, Doer, INCIDENTS, Record},
    event::{AnswerKind, Judged, Outcome},
};
use sha2::{Digest as _, Sha256};
use store::audit::{AuditError, AuditKeys, AuditPlace, read};

use super::{
    About, Ask, Chain, Made, Moment, Origin, Report, Source, Subject, Sums,
    lines::{self, Wanted, hex},
};
use crate::{
    ask_console, audit,
    build::BuildError,
    config::Loaded,
    evidence::{self, Evidence, Examination},
    page::moment,
    residency,
    run::SystemClock,
};

/// What a report calls this hall's audit log.
pub(super) const AUDIT: &str = "audit/log";
/// And one that was handed in.
const AUDIT_GIVEN: &str = "audit-log-handed-in";
/// Records of the audit log in one report. More are counted and named.
const RECORDS_MAX: usize = 5_000;
/// Figures of a hall that runs: what they begin with.
const FIGURES: [&str; 9] = [
    "guildhall_uptime_seconds",
    "guildhall_guard_decisions",
    "guildhall_llm_requests",
    "guildhall_llm_tokens",
    "guildhall_llm_cost",
    "guildhall_updates_quarantined",
    "guildhall_actor_restarts",
    "guildhall_alerts",
    "guildhall_log_dropped_lines",
];
/// Figures in one report.
const FIGURES_MAX: usize = 100;

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExamineError {
    /// There is no such incident in the log.
    #[error("there is no incident {0} in the audit log")]
    NoSuchIncident(u64),
    /// It could not be noted that it is read, or not be read at all.
    #[error("{0}")]
    NotRead(String),
}

/// Makes a report, and gives the keys to seal it with. It stands in the audit log before anything is read of the
/// ledger, and nothing is shown before that.
///
/// # Errors
/// If there is no such incident, or it cannot be noted that it is read.
pub fn examine(loaded: &Loaded, ask: &Ask) -> Result<(Report, AuditKeys), ExamineError> {
    let not_read = |why: &dyn std::fmt::Display| ExamineError::NotRead(why.to_string());
    let config = &loaded.config;
    // Data that may not be opened here is not read in parts, either.
    residency::check(config).map_err(|error| not_read(&BuildError::of(&error)))?;
    let keys = audit::keys(config).map_err(|why| not_read(&why))?;
    let place = place(loaded, ask);
    let incident = find(&place, &keys, ask.number)?;
    let now = SystemClock.now();
    let (from, until) = window(&incident, ask.window_ms, now);
    let id = fresh_id().map_err(|error| not_read(&error))?;
    let asked = Examination {
        number: incident.number,
        reference: reference(&id, ask, from, until),
        sought: Sought { whose: whose(&incident), from, until, with_texts: ask.with_texts },
    };
    let (evidence, by) = evidence::examine(loaded, &asked).map_err(|why| not_read(&why))?;
    let log = Log::of(&place, &keys, (&incident, from, until, &id));
    let noted_as = match &ask.log {
        None => log.noted_as,
        Some(_) => Log::of(&audit::place(config), &keys, (&incident, from, until, &id)).noted_as,
    };
    let made = Made {
        at_ms: now.0,
        by: maker(),
        version: env!("CARGO_PKG_VERSION"),
        hall_runs: by == Doer::Console,
        noted_as,
    };
    let mut report = Report {
        id,
        made,
        incident: subject(&incident),
        from_ms: from.0,
        until_ms: until.0,
        with_texts: ask.with_texts,
        moments: log.moments,
        sums: Sums { currency: config.budgets.currency.clone(), ..Sums::default() },
        figures: Vec::new(),
        chain: log.chain,
        sources: Vec::new(),
        gaps: log.gaps,
    };
    match audit_source(&place, ask, log.bytes, &report.chain) {
        Ok(source) => report.sources.push(source),
        Err(why) => report.gaps.push(why),
    }
    take_evidence(&mut report, &incident, evidence);
    take_lines(&mut report, loaded, (&incident, log.began));
    take_figures(&mut report, loaded);
    report.moments.sort_by_key(|it| (it.at_ms, it.origin));
    Ok((report, keys))
}

fn place(loaded: &Loaded, ask: &Ask) -> AuditPlace {
    let own = audit::place(&loaded.config);
    AuditPlace {
        log: ask.log.clone().unwrap_or(own.log),
        anchor: ask.anchor.clone().unwrap_or(own.anchor),
    }
}

/// The incident as the log has it, also where that is broken behind it.
fn find(place: &AuditPlace, keys: &AuditKeys, number: u64) -> Result<Incident, ExamineError> {
    let name = format!("incident-{number}");
    let mut records = Vec::new();
    let each = &mut |record: &Record, _: &[u8]| {
        if record.target == name {
            records.push(record.clone());
        }
        Ok(())
    };
    let found = read(place, keys, each);
    let incident = Incidents::folded(&records).newest_first().next().cloned();
    match (incident, found) {
        (Some(incident), _) => Ok(incident),
        (None, Ok(_)) => Err(ExamineError::NoSuchIncident(number)),
        (None, Err(error)) => Err(ExamineError::NotRead(audit::in_words(&error).to_string())),
    }
}

fn window(incident: &Incident, window_ms: u64, now: Timestamp) -> (Timestamp, Timestamp) {
    let from = incident.since.0.saturating_sub(window_ms);
    let until = incident.last.0.saturating_add(window_ms).min(now.0.max(incident.last.0));
    (Timestamp(from), Timestamp(until))
}

/// What the audit log says of this look: at most so long as a reference may be.
fn reference(id: &str, ask: &Ask, from: Timestamp, until: Timestamp) -> String {
    let texts = if ask.with_texts { "with texts" } else { "without texts" };
    format!("report={id} {texts} from {} to {}", moment(from), moment(until))
}

/// Whose turns belong to it.
fn whose(incident: &Incident) -> Whose {
    match incident.person.strip_prefix("person:") {
        Some(word) => Whose::Person(word.to_owned()),
        None if incident.kind == Kind::Crash => Whose::Failing,
        None => Whose::Nobody,
    }
}

fn fresh_id() -> std::io::Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// The user of the machine.
fn maker() -> String {
    let user = rustix::process::getuid().as_raw();
    let name = rustix::system::uname();
    format!("user {user} of {}", name.nodename().to_string_lossy())
}

fn subject(incident: &Incident) -> Subject {
    Subject {
        number: incident.number,
        kind: incident.kind.word(),
        severity: incident.severity().word(),
        stage: incident.stage.word(),
        person: incident.person.clone(),
        agent: incident.about.clone(),
        count: incident.count,
        score: incident.score,
        since_ms: incident.since.0,
        last_ms: incident.last.0,
    }
}

// === The audit log. ===

/// What the audit log has for a report.
struct Log {
    moments: Vec<Moment>,
    chain: Chain,
    gaps: Vec<String>,
    noted_as: Option<u64>,
    /// How much of it was followed; `None` where that ends in a break.
    bytes: Option<u64>,
    /// The time of its first record.
    began: Timestamp,
}

impl Log {
    fn of(
        place: &AuditPlace,
        keys: &AuditKeys,
        (incident, from, until, id): (&Incident, Timestamp, Timestamp, &str),
    ) -> Self {
        let (mut moments, mut left_out, mut noted_as, mut counted) = (Vec::new(), 0_u64, None, 0);
        let (mut last, mark) = ((0, String::new()), format!("report={id} "));
        let mut began = None;
        let each = &mut |record: &Record, line: &[u8]| {
            began = began.or(Some(record.at));
            last = (record.seq, hex(&Sha256::digest(line)));
            if record.reference.starts_with(&mark) && noted_as.is_none() {
                noted_as = Some(record.seq);
            }
            let Some(about) = about(record, incident, from..=until) else { return Ok(()) };
            if RECORDS_MAX <= moments.len() {
                left_out += 1;
                return Ok(());
            }
            counted += u64::from(1 < record.times);
            moments.push(moment_of(record, about, last.1.clone()));
            Ok(())
        };
        let found = read(place, keys, each);
        let (chain, mut gaps, bytes) = chain(found, keys, last);
        if 0 < left_out {
            gaps.push(format!("audit log: {left_out} more records belong here and are left out"));
        }
        if 0 < counted {
            gaps.push(format!(
                "audit log: {counted} of its records count what came too fast to be written singly"
            ));
        }
        Self { moments, chain, gaps, noted_as, bytes, began: began.unwrap_or_default() }
    }
}

fn chain(
    found: Result<Option<store::audit::Checked>, AuditError>,
    keys: &AuditKeys,
    (records, head): (u64, String),
) -> (Chain, Vec<String>, Option<u64>) {
    let mut gaps = Vec::new();
    let (is_whole, verdict, bytes) = match found {
        Ok(Some(checked)) => {
            if 0 < checked.torn_bytes {
                gaps.push(format!(
                    "audit log: behind its end are {} bytes of a write that was never acknowledged",
                    checked.torn_bytes
                ));
            }
            if checked.torn_checkpoint {
                gaps.push(
                    "audit log: one of the two places of its checkpoint does not read".to_owned(),
                );
            }
            for it in &checked.resumed {
                gaps.push(format!(
                    "audit log: it was begun anew after a break, in record {}",
                    it.seq
                ));
            }
            let verdict = format!(
                "all {} records are as they were written; the checkpoint vouches for {}",
                checked.records, checked.anchored
            );
            (true, verdict, Some(checked.bytes))
        }
        Ok(None) => {
            gaps.push("audit log: there is none".to_owned());
            (false, "there is no audit log".to_owned(), None)
        }
        Err(error) => {
            let why = BuildError::of(&error);
            gaps.push(format!("audit log: {why}; of it only what stands before that is here"));
            (false, why.to_string(), None)
        }
    };
    (Chain { is_whole, verdict, records, head, key: keys.public() }, gaps, bytes)
}

/// Why a record belongs to a report, if it does.
fn about(
    record: &Record,
    incident: &Incident,
    time: std::ops::RangeInclusive<Timestamp>,
) -> Option<About> {
    let Incident { person, about: agent, .. } = incident;
    if record.target == incident.name() {
        return Some(About::Incident);
    }
    if !time.contains(&record.at) {
        return None;
    }
    // Other incidents of the same person name them in their reference.
    let is_incident = record.action.starts_with(INCIDENTS) && person.starts_with("person:");
    let of_them = format!("person={person}");
    let is_theirs = [&record.actor, &record.target].contains(&person)
        || (is_incident && record.reference.split(' ').any(|it| it == of_them));
    let is_agents = record.target == *agent;
    match (is_theirs, is_agents) {
        // What the hall did by itself is the hall's, whatever the incident is about.
        (true, _) if person == "hall" && !is_agents => {
            is_of_the_hall(record).then_some(About::Hall)
        }
        (true, true) => Some(About::PersonAndAgent),
        (true, false) => Some(About::Person),
        (false, true) => Some(About::Agent),
        (false, false) => is_of_the_hall(record).then_some(About::Hall),
    }
}

/// What changes the ground under everybody.
fn is_of_the_hall(record: &Record) -> bool {
    let Ok(action) = record.action.parse::<Action>() else { return false };
    [
        Action::HallStarted,
        Action::HallStopped,
        Action::ConfigChanged,
        Action::RuleChanged,
        Action::RulesRead,
        Action::RoleGiven,
        Action::RoleTaken,
        Action::KeyRotated,
        Action::BackupRestored,
        Action::StoreRebuilt,
        Action::ActorFailed,
        Action::AuditCut,
        Action::AuditResumed,
    ]
    .contains(&action)
}

fn moment_of(record: &Record, about: About, sha256: String) -> Moment {
    let times = if record.times == 1 { String::new() } else { format!(", {} times", record.times) };
    let mut details = vec![("by".to_owned(), record.actor.clone())];
    for (name, value) in [("what", &record.target), ("reference", &record.reference)] {
        if !value.is_empty() {
            details.push((name.to_owned(), value.clone()));
        }
    }
    Moment {
        at_ms: record.at.0,
        origin: Origin::Audit,
        place: format!("record {}", record.seq),
        about,
        what: format!("{}, {}{times}", record.action, record.outcome),
        details,
        texts: Vec::new(),
        record: Some(record.clone()),
        sha256,
    }
}

fn audit_source(
    place: &AuditPlace,
    ask: &Ask,
    bytes: Option<u64>,
    chain: &Chain,
) -> Result<Source, String> {
    let name = if ask.log.is_some() { AUDIT_GIVEN } else { AUDIT };
    let there = || fs::metadata(&place.log).map(|it| it.len());
    let hashed = bytes.map_or_else(there, Ok).and_then(|bytes| {
        lines::sha256_of_beginning(&place.log, bytes).map(|sha256| (bytes, sha256))
    });
    let (bytes, sha256) = hashed.map_err(|error| format!("audit log: {error}"))?;
    let state = format!("{} records; {}", chain.records, chain.verdict);
    Ok(Source { name: name.to_owned(), bytes, sha256, state })
}

// === The ledger. ===

fn take_evidence(report: &mut Report, incident: &Incident, evidence: Evidence) {
    report.gaps.extend(evidence.gaps);
    let Some(found) = evidence.found else { return };
    match incident.person.as_str() {
        "nobody" => report.gaps.push(
            "ledger: what was tried names no person, so no turns belong to it".to_owned(),
        ),
        "many" => report.gaps.push(
            "ledger: more incidents than can be kept apart are in this one, so no turns belong to it"
                .to_owned(),
        ),
        _ => {}
    }
    for (count, what) in [
        (found.unreadable, "records could not be read as events"),
        (found.unfinished, "turns of theirs had not come far enough to say when they began"),
    ] {
        if 0 < count {
            report.gaps.push(format!("ledger: {count} {what}"));
        }
    }
    if !found.complete {
        report.gaps.push(
            "ledger: there is more than one report takes in; ask for a shorter window".to_owned(),
        );
    }
    let mut digests = Sha256::new();
    for turn in &found.turns {
        digests.update(&turn.digest);
        add(&mut report.sums, turn);
        let about = match turn.agent.as_deref() == Some(incident.about.as_str()) {
            true if incident.person.starts_with("person:") => About::PersonAndAgent,
            true => About::Agent,
            false if incident.person.starts_with("person:") => About::Person,
            false => About::Hall,
        };
        report.moments.push(moment_of_turn(turn, about, &report.sums.currency));
    }
    report.sources.push(Source {
        name: "ledger".to_owned(),
        bytes: found.appends,
        sha256: hex(&digests.finalize()),
        state: format!(
            "{} records of conversations looked at, {} turns found; the hash is of the keyed digests of \
             their records, and the number is of records, not bytes",
            found.appends,
            found.turns.len()
        ),
    });
    take_alerts(report, &evidence.alerts);
}

fn add(sums: &mut Sums, turn: &Turn) {
    sums.turns += 1;
    sums.answered += u64::from(turn.kind == Some(AnswerKind::Model));
    sums.refused += u64::from(turn.outcome == Some(Outcome::Refused));
    sums.retried += u64::from(1 < turn.attempts);
    sums.calls += u64::from(turn.calls);
    sums.input_tokens += turn.input_tokens;
    sums.output_tokens += turn.output_tokens;
    sums.cost_micros += turn.cost_micros;
}

fn moment_of_turn(turn: &Turn, about: About, currency: &str) -> Moment {
    let mut details = Vec::new();
    let mut add = |name: &str, value: String| details.push((name.to_owned(), value));
    add("person", turn.person.clone().unwrap_or_else(|| "not named".to_owned()));
    add("chat", format!("{}{}", turn.chat, if turn.is_private { ", private" } else { "" }));
    for (name, judged) in
        [("guard, of the question", &turn.prompt), ("guard, of the answer", &turn.draft)]
    {
        if let Some(judged) = judged {
            add(name, verdict(judged));
        }
    }
    if let Some(model) = &turn.model {
        let cost = flow::treasurer::caps::money(turn.cost_micros, currency);
        let (input, output) = (turn.input_tokens, turn.output_tokens);
        add("model", format!("{model}, {input} tokens in, {output} out, {cost}"));
    }
    add("calls to models", turn.calls.to_string());
    add("attempts", turn.attempts.to_string());
    add("parts sent", format!("{} of {}", turn.parts_sent, turn.parts));
    if turn.perhaps_repeated {
        add("repeated", "a restart came while a part was on its way".to_owned());
    }
    if let Some(ms) = turn.ready_ms {
        add("answer fixed after", format!("{ms} ms"));
    }
    let agent = turn.agent.as_deref().unwrap_or("nobody");
    Moment {
        at_ms: turn.at.0,
        origin: Origin::Ledger,
        place: format!("ref {}", turn.reference),
        about,
        what: format!("a question to {agent}: {}", ending(turn)),
        details,
        texts: texts(turn),
        record: None,
        sha256: turn.digest.clone(),
    }
}

fn ending(turn: &Turn) -> &'static str {
    match (turn.outcome, turn.kind) {
        (None, _) => "not over",
        (Some(Outcome::Answered), Some(AnswerKind::Apology)) => "an apology",
        (Some(Outcome::Answered), _) => "answered",
        (Some(Outcome::Refused), _) => "refused",
        (Some(Outcome::Cancelled), _) => "stopped by the person",
        (Some(Outcome::Ignored), _) => "needed no answer",
        (Some(Outcome::Quarantined), _) => "set aside after it failed too often",
        (Some(Outcome::Undeliverable), _) => "could not be delivered",
    }
}

fn verdict(judged: &Judged) -> String {
    let mut text = format!("{}, score {:.3}", judged.verdict, f64::from(judged.score) / 1_000.0);
    for (name, all) in
        [("kinds", &judged.kinds), ("rules", &judged.rules), ("in shadow", &judged.shadow)]
    {
        if !all.is_empty() {
            text += &format!("; {name}: {}", all.join(", "));
        }
    }
    text
}

fn texts(turn: &Turn) -> Vec<(String, String)> {
    let Some(texts) = &turn.texts else { return Vec::new() };
    let asked = texts.asked.iter().map(|it| ("asked, as it passed the guard", it));
    let stopped = texts.stopped.iter().map(|it| ("stopped by the guard", it));
    let answered = texts.answered.iter().map(|it| ("answered", it));
    let all = asked.chain(stopped).chain(answered);
    all.map(|(name, text)| (name.to_owned(), text.clone())).collect()
}

fn take_alerts(report: &mut Report, alerts: &[Line]) {
    let is_then =
        |it: &&Line| it.since.0 <= report.until_ms && (!it.is_over || report.from_ms <= it.since.0);
    let moments: Vec<Moment> = alerts.iter().filter(is_then).map(moment_of_alert).collect();
    report.moments.extend(moments);
    report.gaps.push(
        "alerts: the ledger keeps how they stand now; what was over and put away is only in the files of the log"
            .to_owned(),
    );
}

fn moment_of_alert(line: &Line) -> Moment {
    let state = match (line.is_over, line.is_acknowledged) {
        (true, _) => "over",
        (false, true) => "somebody takes care of it",
        (false, false) => "open",
    };
    let detail = |name: &str, value: String| (name.to_owned(), value);
    let json = serde_json::to_vec(line).unwrap_or_default();
    Moment {
        at_ms: line.since.0,
        origin: Origin::Alerts,
        place: line.kind.clone(),
        about: About::Hall,
        what: line.headline.clone(),
        details: vec![
            detail("severity", line.severity.as_str().to_owned()),
            detail("times", line.count.to_string()),
            detail("state", state.to_owned()),
            detail("told", line.told.join(", ")),
        ],
        texts: Vec::new(),
        record: None,
        sha256: hex(&Sha256::digest(json)),
    }
}

// === The log, and a hall that runs. ===

fn take_lines(report: &mut Report, loaded: &Loaded, (incident, began): (&Incident, Timestamp)) {
    let turns = report.moments.iter().filter(|it| it.origin == Origin::Ledger);
    let references: BTreeSet<String> =
        turns.filter_map(|it| it.place.strip_prefix("ref ")).map(str::to_owned).collect();
    let wanted = Wanted {
        person: incident.person.strip_prefix("person:"),
        agent: &incident.about,
        references: &references,
        from: Timestamp(report.from_ms),
        until: Timestamp(report.until_ms),
        began,
    };
    let lines = lines::read_all(&loaded.config, &wanted);
    report.moments.extend(lines.moments);
    report.sources.extend(lines.sources);
    report.gaps.extend(lines.gaps);
}

fn take_figures(report: &mut Report, loaded: &Loaded) {
    report.gaps.push(
        "metrics: the hall keeps no history of its figures; what is durable of them is what the turns used of \
         models, and the alerts"
            .to_owned(),
    );
    if !report.made.hall_runs {
        return;
    }
    match ask_console::metrics(&loaded.config) {
        Err(why) => report.gaps.push(format!("metrics: the hall that runs was not asked: {why}")),
        Ok(text) => {
            let lines = text.lines().filter(|it| FIGURES.iter().any(|name| it.starts_with(name)));
            let pairs =
                lines.filter_map(|it| it.rsplit_once(' ')).filter(|(_, value)| *value != "0");
            let figures = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            report.figures = figures.take(FIGURES_MAX).collect();
            report.sources.push(Source {
                name: "metrics".to_owned(),
                bytes: text.len() as u64,
                sha256: hex(&Sha256::digest(&text)),
                state: "what the hall that runs counted since its start, when the report was made"
                    .to_owned(),
            });
        }
    }
}
