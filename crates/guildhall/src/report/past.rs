//! What the audit log of the last days says about a control.
//!
//! Evidence names numbers of records, which `guildhall audit list` shows, counts and times.

use flow::incident::{Incident, Severity, Stage};
use protocol::audit::Action;

use super::{
    Answer, Check,
    facts::{Facts, Log, Past, Tally},
    moment,
};

pub(super) const AUDIT: Check = Check { name: "audit", ask: audit };
pub(super) const REVIEWS: Check = Check { name: "reviews", ask: reviews };
pub(super) const INCIDENTS: Check = Check { name: "incidents", ask: incidents };
pub(super) const DENIALS: Check = Check { name: "denials", ask: denials };
pub(super) const REFUSALS: Check = Check { name: "refusals", ask: refusals };
pub(super) const EXPORTS: Check = Check { name: "exports", ask: exports };
pub(super) const ERASURES: Check = Check { name: "erasures", ask: erasures };
pub(super) const ROTATION: Check = Check { name: "rotation", ask: rotation };
pub(super) const ATTACKED: Check = Check { name: "attacked", ask: attacked };
pub(super) const RESTORES: Check = Check { name: "restores", ask: restores };
pub(super) const ALERTS_TRIED: Check = Check { name: "alerts_tried", ask: alerts_tried };
pub(super) const CHANGES: Check = Check { name: "changes", ask: changes };
pub(super) const ACCESS_CHANGES: Check = Check { name: "access_changes", ask: access_changes };
pub(super) const OVERSIGHT: Check = Check { name: "oversight", ask: oversight };

/// How long an incident that is not low may wait for somebody, in milliseconds: 72 hours.
const WAIT_MAX: u64 = 72 * 3_600_000;
/// How old a master key may become, in milliseconds: a year.
const KEY_AGE_MAX: u64 = 365 * 86_400_000;

/// Asks the log, or says why it cannot be asked.
fn ask(facts: &Facts<'_>, with: impl FnOnce(&Past) -> Answer) -> Answer {
    match &facts.log {
        Log::Whole(past) => with(past),
        Log::Broken(_) => {
            let why = "the audit log is not as it was written: nothing is read from it";
            Answer::not_known(why, "run `guildhall audit verify`")
        }
        Log::NotThere(why) => Answer::not_known(
            format!("the audit log: {why}"),
            "start the hall once, then `guildhall doctor`",
        ),
    }
}

/// Adds what was done of each kind to an answer.
fn counted(past: &Past, answer: Answer, actions: &[Action]) -> Answer {
    actions.iter().fold(answer, |answer, action| match past.within.get(action) {
        None => answer.with(action.word(), "0"),
        Some(tally) => answer.with(action.word(), shown(tally)),
    })
}

fn shown(tally: &Tally) -> String {
    let Tally { times, failed, first, last, last_at } = tally;
    let failed = if *failed == 0 { String::new() } else { format!(", {failed} failed") };
    let records = if first == last {
        format!("record {first}")
    } else {
        format!("records {first} to {last}")
    };
    format!("{times}{failed}, {records}, last at {}", moment(*last_at))
}

fn times(past: &Past, actions: &[Action]) -> u64 {
    actions.iter().filter_map(|it| past.within.get(it)).map(|it| it.times).sum()
}

fn failures(past: &Past, actions: &[Action]) -> u64 {
    actions.iter().filter_map(|it| past.within.get(it)).map(|it| it.failed).sum()
}

fn audit(facts: &Facts<'_>) -> Answer {
    match &facts.log {
        Log::Broken(why) => Answer::not_met(why, "run `guildhall audit verify`, and look into it"),
        Log::NotThere(_) | Log::Whole(_) => ask(facts, |past| {
            let checked = &past.checked;
            let answer = match checked.resumed.len() {
                0 => Answer::met(
                    "what officers, operators and the console do is noted, and the notes are \
                     as they were written",
                ),
                count => Answer::partly(
                    format!("the log was broken {count} times, and the operator went on after it"),
                    "keep the files log.broken-… and say what happened",
                ),
            };
            answer
                .with("records", checked.records)
                .with("vouched for by the checkpoint", checked.anchored)
                .with("hash of the last record", &checked.head)
                .with("signed with", &checked.key)
        }),
    }
}

fn reviews(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [
            Action::AuditRead,
            Action::IncidentAcknowledged,
            Action::IncidentExamined,
            Action::IncidentClosed,
            Action::AlertsRead,
        ];
        let answer = match times(past, &kinds) {
            0 => Answer::partly(
                "nobody looked at the log, the incidents or the alerts in this time",
                "look at /audit or `guildhall audit list`, and at /incidents, regularly",
            ),
            count => Answer::met(format!("log, incidents and alerts were looked at {count} times")),
        };
        counted(past, answer, &kinds)
    })
}

fn incidents(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let open: Vec<&Incident> =
            past.incidents.newest_first().filter(|it| it.stage != Stage::Closed).collect();
        let waits = |it: &&&Incident| {
            let is_late = WAIT_MAX < facts.now.0.saturating_sub(it.since.0);
            it.stage == Stage::Open && it.severity() != Severity::Low && is_late
        };
        let (late, fix) =
            (open.iter().filter(waits).count(), "see `guildhall incidents list`, then close them");
        let answer = match (late, open.len()) {
            (0, 0) => Answer::met("no incident is open"),
            (0, count) => Answer::partly(format!("{count} incidents are not closed"), fix),
            (late, _) => Answer::not_met(
                format!("{late} incidents have waited for somebody for 72 hours"),
                fix,
            ),
        };
        let answer = open.iter().take(20).fold(answer, |answer, it| {
            let (kind, severity, stage) = (it.kind.word(), it.severity().word(), it.stage.word());
            let since = moment(it.since);
            answer.with(
                it.name(),
                format!("{kind}, {severity}, {stage}, {} times since {since}", it.count),
            )
        });
        let kinds = [
            Action::IncidentOpened,
            Action::IncidentAcknowledged,
            Action::IncidentExamined,
            Action::IncidentClosed,
        ];
        counted(past, answer, &kinds).with("not closed", open.len())
    })
}

fn denials(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds =
            [Action::CommandDenied, Action::PressDenied, Action::LoginFailed, Action::LoginDone];
        let denied = times(past, &kinds[..3]);
        let why =
            format!("every try at what is not allowed is refused and noted: {denied} in this time");
        counted(past, Answer::met(why), &kinds)
    })
}

fn refusals(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [Action::GuardRefused, Action::LeakStopped, Action::AlarmMarked];
        let refused = times(past, &kinds[..2]);
        let why = format!("what the guard refuses is noted and told: {refused} in this time");
        counted(past, Answer::met(why), &kinds)
    })
}

/// What people have a right to: it was done whenever it was asked for.
fn wishes(facts: &Facts<'_>, action: Action, what: &str) -> Answer {
    ask(facts, |past| {
        let (asked, failed) = (times(past, &[action]), failures(past, &[action]));
        let answer = match failed {
            0 => Answer::met(format!(
                "people {what} by themselves; {asked} did in this time, none in vain"
            )),
            _ => Answer::partly(
                format!(
                    "people {what} by themselves; of {asked} tries {failed} failed in this time"
                ),
                "see `guildhall audit list`, and do it by `guildhall person`",
            ),
        };
        counted(past, answer, &[action])
    })
}

fn exports(facts: &Facts<'_>) -> Answer {
    wishes(facts, Action::PersonExported, "get everything that is held of them with /export")
}

fn erasures(facts: &Facts<'_>) -> Answer {
    wishes(facts, Action::PersonForgotten, "have everything of theirs made unreadable with /forget")
}

fn rotation(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let made = past.ever.get(&Action::KeyRotated).copied().unwrap_or(past.began);
        let age = facts.now.0.saturating_sub(made.0);
        let days = age / 86_400_000;
        let answer = if age <= KEY_AGE_MAX {
            Answer::met(format!("the master key is at most {days} days old by the log"))
        } else {
            let why = format!("the master key was not changed for {days} days");
            Answer::not_met(why, "run `guildhall key rotate`")
        };
        counted(past, answer, &[Action::KeyRotated]).with("key or log since", moment(made))
    })
}

fn restores(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [Action::BackupDrilled, Action::BackupRestored, Action::BackupCreated];
        let tried = [Action::BackupDrilled, Action::BackupRestored];
        // The record of a try that failed stands behind the one that it was begun.
        let (begun, failed) = (times(past, &tried), failures(past, &tried));
        let answer = match begun.saturating_sub(failed) {
            0 if 0 < failed => Answer::not_met(
                "no backup could be put back in this time",
                "see `guildhall audit list`, then run `guildhall backup drill`",
            ),
            0 => Answer::partly(
                "no backup was put back in this time, not even in a drill",
                "run `guildhall backup drill`",
            ),
            count => Answer::met(format!(
                "a backup was put back {count} times in this time, drills counted"
            )),
        };
        counted(past, answer, &kinds)
    })
}

fn attacked(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [Action::RedteamRun];
        let (good, bad) = (times(past, &kinds), failures(past, &kinds));
        let fix = "run `guildhall redteam`, and see docs/redteam.md";
        let answer = match (good, bad) {
            (0, 0) => Answer::partly("no hall like this one was attacked in this time", fix),
            (0, bad) => Answer::not_met(
                format!(
                    "in each of {bad} attacks in this time something leaked, or too little was refused"
                ),
                fix,
            ),
            (good, 0) => Answer::met(format!(
                "a hall like this one was attacked {good} times in this time; nothing leaked, and enough was refused"
            )),
            (good, bad) => Answer::partly(
                format!("of {} attacks in this time {bad} did not end well", good + bad),
                fix,
            ),
        };
        counted(past, answer, &kinds)
    })
}

fn alerts_tried(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [Action::AlertsTried, Action::AlertAcknowledged, Action::AlertSilenced];
        let answer = match times(past, &kinds[..1]) {
            0 => Answer::partly(
                "nobody tried in this time whether alerts arrive",
                "run `guildhall alerts test` while the hall runs",
            ),
            count => Answer::met(format!("the places of alerts were tried {count} times")),
        };
        counted(past, answer, &kinds)
    })
}

fn changes(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [
            Action::ConfigChanged,
            Action::RuleChanged,
            Action::RulesRead,
            Action::RulesTried,
            Action::AgentSpawned,
            Action::AgentEdited,
            Action::AgentModelSet,
            Action::QuotaSet,
            Action::ScheduleSet,
            Action::ScheduleRemoved,
            Action::HallStarted,
        ];
        let why = "every change of the configuration, of agents, rules and quotas is noted before it acts";
        counted(past, Answer::met(why), &kinds)
    })
}

fn access_changes(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [
            Action::RoleGiven,
            Action::RoleTaken,
            Action::AccessAllowed,
            Action::InviteMade,
            Action::InviteUsed,
            Action::InviteWithdrawn,
            Action::AccessDenied,
            Action::AccessBlocked,
            Action::AccessUnblocked,
        ];
        let why = "who may talk and who has a role changes only by a noted command";
        counted(past, Answer::met(why), &kinds)
    })
}

fn oversight(facts: &Facts<'_>) -> Answer {
    ask(facts, |past| {
        let kinds = [
            Action::AgentPaused,
            Action::AgentResumed,
            Action::AgentRetired,
            Action::TextShown,
            Action::AlarmMarked,
        ];
        let why =
            "officers can pause and retire agents and correct the guard, and each time is noted";
        counted(past, Answer::met(why), &kinds)
    })
}
