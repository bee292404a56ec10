//! Signs of trouble of before a start, read from the audit log: whose they are stands there as a keyed
//! hash. Pure.

use std::collections::BTreeMap;

use protocol::{
    AgentName, Timestamp,
    audit::{Action, Record},
};

use super::{Incident, Kind, Severity, number_of};

/// What the name of a person begins with in the audit log.
const PERSON: &str = "person:";

/// A sign of before the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastSign {
    /// What it is a sign of.
    pub(crate) kind: Kind,
    /// How bad its incident was with it.
    pub(crate) severity: Severity,
    /// Whose doing it is: `person:` with a keyed hash.
    pub(crate) person: Option<String>,
    /// With which agent, if with any.
    pub(crate) agent: Option<AgentName>,
    /// When.
    pub(crate) at: Timestamp,
    /// How often.
    pub(crate) times: u32,
}

/// The signs among these records, the oldest first.
pub(super) fn signs(mut records: Vec<Record>) -> Vec<PastSign> {
    // What a sign did to its incident is noted behind it, as of the same time.
    records.sort_by_key(|it| (it.at, number_of(it).is_none(), it.seq));
    let mut open = BTreeMap::new();
    let mut signs = Vec::new();
    for record in &records {
        let action = record.action.parse();
        match (action, number_of(record)) {
            (Ok(Action::IncidentOpened | Action::IncidentSeen), Some(number)) => {
                open.extend(Incident::read(record).map(|it| (number, it)));
            }
            (Ok(Action::IncidentClosed), Some(number)) => drop(open.remove(&number)),
            (Ok(action), None) => signs.extend(sign(record, action, &open)),
            (Ok(_) | Err(()), _) => {}
        }
    }
    signs
}

fn sign(record: &Record, action: Action, open: &BTreeMap<u64, Incident>) -> Option<PastSign> {
    let kind = Kind::of(action)?;
    let target = record.target.as_str();
    let about = match kind {
        Kind::Guard | Kind::Leak | Kind::Budget | Kind::Usage | Kind::Crash
            if !target.is_empty() && !target.starts_with(PERSON) =>
        {
            target
        }
        Kind::Guard | Kind::Leak | Kind::Budget | Kind::Usage | Kind::Crash | Kind::Access => "-",
    };
    let agent = match kind {
        Kind::Guard | Kind::Leak | Kind::Budget | Kind::Usage => target.parse().ok(),
        Kind::Access | Kind::Crash => None,
    };
    let fits = |it: &&Incident| {
        it.person == record.actor && (it.about == about || it.about == "-" || about == "-")
    };
    // As bad as the least, where its incident is not at hand any more.
    let severity = open.values().find(fits).map_or(Severity::Low, Incident::severity);
    let person = record.actor.starts_with(PERSON).then(|| record.actor.clone());
    let (at, times) = (record.at, record.times);
    Some(PastSign { kind, severity, person, agent, at, times })
}

#[cfg(test)]
mod tests {
    use protocol::{
        PersonId,
        audit::{AuditLog, Deed, Doer, Outcome, Target},
    };

    use super::*;
    use crate::{incident::Desk, testing::FakeAudit};

    #[tokio::test]
    async fn signs_of_before_a_start_are_as_they_were_told_then() {
        let audit = std::sync::Arc::new(FakeAudit::default());
        let desk = Desk::before(std::sync::Arc::clone(&audit) as _);
        let deed = |person: i64, action, at| {
            let target = Target::Thing("sage".to_owned());
            let deed = Deed::done(Timestamp(at), Doer::Person(PersonId(person)), action, target);
            deed.with(Outcome::Denied)
        };
        for (person, action, at) in [
            (7, Action::GuardRefused, 1),
            (8, Action::LeakStopped, 2),
            (8, Action::LeakStopped, 3),
            (8, Action::LeakStopped, 3),
            (7, Action::CommandDenied, 4),
        ] {
            desk.record(deed(person, action, at)).await.unwrap();
        }
        desk.note(Deed::done(Timestamp(5), Doer::Hall, Action::HallStopped, Target::Nothing));
        let told = desk.signs().await;
        let told: Vec<_> = told
            .into_iter()
            .map(|it| {
                let person = it.person.map(|it| audit.person(it.0));
                (it.kind, person, it.agent, it.at, it.times)
            })
            .collect();
        let past = desk.past_signs();
        let severities: Vec<Severity> = past.iter().map(|it| it.severity).collect();
        use Severity::{High, Low, Medium};
        // Two at the same moment: both are as bad as the second.
        assert_eq!(severities, [Low, Medium, High, High, Low]);
        let past = past.into_iter().map(|it| (it.kind, it.person, it.agent, it.at, it.times));
        assert_eq!(past.collect::<Vec<_>>(), told);
    }
}
