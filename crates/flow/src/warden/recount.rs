//! Signs that were not enough yet when the process ended are counted anew, from the audit log. Pure.
//!
//! There a person is a keyed hash: such a sign waits under it until the person is seen again.

use std::collections::BTreeSet;

use protocol::{PersonId, Timestamp};

use super::step::{Counted, Counts, Subject, Who};
use crate::{
    incident::PastSign,
    playbook::{Per, Playbook},
    roster::View,
};

impl Counts {
    /// What the signs of before a start come to. Those that a run began with are not counted again.
    #[must_use]
    pub(crate) fn recounted(
        playbooks: &[Playbook],
        signs: &[PastSign],
        (hall, name): (&View, &dyn Fn(i64) -> String),
        now: Timestamp,
    ) -> Self {
        let mut counts = Self::default();
        // PLAYBOOK-3.
        let officers: BTreeSet<String> = hall.roles().map(|(it, ..)| name(it.0)).collect();
        let is_officers =
            |it: &&PastSign| it.person.as_ref().is_some_and(|it| officers.contains(it));
        for (place, playbook) in playbooks.iter().enumerate() {
            let when = &playbook.when;
            let is_counted = |it: &&PastSign| {
                let is_meant = when.kinds.contains(&it.kind) && when.least <= it.severity;
                is_meant && it.at <= now && now <= it.at.plus(when.within) && !is_officers(it)
            };
            for sign in signs.iter().filter(is_counted) {
                let who = sign.person.clone().map(Who::Named);
                let subject = match when.per {
                    Per::Person => who.clone().map(Subject::Person),
                    Per::Agent => sign.agent.clone().map(Subject::Agent),
                };
                let Some(subject) = subject else { continue };
                counts.unseen.extend(sign.person.clone());
                let counted = counts.all.entry((place, subject)).or_default();
                counted.push_back(Counted { at: sign.at, person: who, times: sign.times });
            }
            for run in hall.runs().each().filter(|it| it.beginning.playbook == playbook.name) {
                let begun = &run.beginning;
                let subject = match when.per {
                    Per::Person => {
                        begun.people.first().map(|it| Subject::Person(Who::Named(name(it.0))))
                    }
                    Per::Agent => begun.agent.clone().map(Subject::Agent),
                };
                if let Some(counted) = subject.and_then(|it| counts.all.get_mut(&(place, it))) {
                    counted.retain(|it| begun.at < it.at);
                }
            }
        }
        counts
    }

    /// A person is seen, and so it is known whose signs of before the start are theirs.
    pub(super) fn know(&mut self, person: PersonId, name: &str) {
        if !self.unseen.remove(name) {
            return;
        }
        let is_theirs = |it: &Who| matches!(it, Who::Named(it) if it == name);
        let keys: Vec<_> = self.all.keys().cloned().collect();
        for (place, subject) in keys {
            let mut known = subject.clone();
            if let Subject::Person(it) = &mut known
                && is_theirs(it)
            {
                *it = Who::Person(person);
            }
            let Some(mut counted) = self.all.remove(&(place, subject)) else { continue };
            let theirs = counted.iter_mut().filter_map(|it| it.person.as_mut());
            theirs.filter(|it| is_theirs(it)).for_each(|it| *it = Who::Person(person));
            self.all.insert((place, known), counted);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        incident::{Kind, Severity},
        playbook::{Beginning, Measure, Mode, RunChange, Trigger, tests::beginning},
        right::Role,
        roster::{Change, Founding, view_with},
        warden::step::{Core, Effect, Facts, Input},
    };

    const NOW: Timestamp = Timestamp(1_000_000);
    const OFFICER: i64 = 1;

    fn playbook(name: &str, kind: Kind, per: Per, (count, people): (u32, u32)) -> Playbook {
        let (kinds, within) = (vec![kind], Duration::from_secs(600));
        let when = Trigger { kinds, least: Severity::Medium, count, within, per, people };
        let steps = vec![Measure::Compare];
        let (name, description) = (name.to_owned(), String::new());
        Playbook { name, description, mode: Mode::Act, undo_by: Role::Operator, when, steps }
    }

    fn playbooks() -> Vec<Playbook> {
        vec![
            playbook("injection", Kind::Guard, Per::Person, (3, 1)),
            playbook("leaks", Kind::Leak, Per::Agent, (2, 2)),
        ]
    }

    fn name(id: i64) -> String {
        format!("person:{id}")
    }

    fn past(kind: Kind, person: i64, before: u64) -> PastSign {
        PastSign {
            kind,
            severity: Severity::Medium,
            person: Some(name(person)),
            agent: Some("sage".parse().unwrap()),
            at: Timestamp(NOW.0 - before),
            times: 1,
        }
    }

    /// The run that begins with one more sign, if one does: of which playbook, about whom, from how many
    /// signs.
    fn begun(
        (signs, changes): (&[PastSign], Vec<Change>),
        (kind, person): (Kind, i64),
    ) -> Option<(String, Vec<i64>, u32)> {
        let roles = [(PersonId(OFFICER), Role::Owner)].into();
        let hall = view_with(&Founding { roles, ..Founding::default() }, changes);
        let mut counts = Counts::recounted(&playbooks(), signs, (&hall, &name), NOW);
        let sign = crate::incident::Sign {
            kind,
            incident: 7,
            severity: Severity::Medium,
            person: Some(PersonId(person)),
            agent: Some("sage".parse().unwrap()),
            at: NOW,
            times: 1,
        };
        counts.know(PersonId(person), &name(person));
        let facts = Facts { runs: hall.runs(), is_open_to_all: false };
        let mut core = Core::new(playbooks().into());
        let effects = core.step(Input::Seen(sign), (facts, &mut counts), NOW);
        effects.into_iter().find_map(|it| match it {
            Effect::Order(RunChange::Begun { run }) => {
                let people = run.people.iter().map(|it| it.0).collect();
                Some((run.playbook, people, run.signs))
            }
            Effect::Order(_) | Effect::Look { .. } | Effect::Tell(_) => None,
        })
    }

    #[test]
    fn signs_of_before_a_start_count_for_whom_they_are_and_within_their_time() {
        let guard = |person, before| past(Kind::Guard, person, before);
        let ben = (Kind::Guard, 2);
        let two = [guard(2, 500_000), guard(2, 1_000)];
        let begins = Some(("injection".to_owned(), vec![2], 3));
        assert_eq!(begun((&two, vec![]), ben), begins);
        assert_eq!(begun((&two[1..], vec![]), ben), None, "one is too few");
        assert_eq!(begun((&two, vec![]), (Kind::Guard, 3)), None, "of somebody else");
        assert_eq!(begun((&[guard(2, 700_000), guard(2, 1_000)], vec![]), ben), None, "too old");
        let low = PastSign { severity: Severity::Low, ..guard(2, 2_000) };
        assert_eq!(begun((&[low, guard(2, 1_000)], vec![]), ben), None, "not bad enough");
        let ahead = PastSign { at: NOW.plus(Duration::from_secs(60)), ..guard(2, 0) };
        assert_eq!(begun((&[ahead, guard(2, 1_000)], vec![]), ben), None, "from a clock ahead");
    }

    #[test]
    fn of_an_agent_people_of_before_the_start_count_once_each_by_their_hash() {
        let leak = |person| past(Kind::Leak, person, 1_000);
        let begins = Some(("leaks".to_owned(), vec![3], 2));
        assert_eq!(begun((&[leak(2)], vec![]), (Kind::Leak, 3)), begins);
        assert_eq!(begun((&[leak(2), leak(2)], vec![]), (Kind::Leak, 2)), None, "the same person");
        let officers = [leak(OFFICER)];
        assert_eq!(begun((&officers, vec![]), (Kind::Leak, 3)), None, "PLAYBOOK-3");
    }

    #[test]
    fn what_a_run_began_with_is_not_counted_again() {
        let two = [past(Kind::Guard, 2, 5_000), past(Kind::Guard, 2, 1_000)];
        let run = |at| {
            let run = Beginning { at: Timestamp(NOW.0 - at), ..beginning(1) };
            let begun = Change::Played(RunChange::Begun { run });
            vec![begun, Change::Played(RunChange::Undone { run: 1 })]
        };
        assert_eq!(begun((&two, run(500)), (Kind::Guard, 2)), None);
        assert_eq!(begun((&two, run(3_000)), (Kind::Guard, 2)), None);
        assert!(begun((&two, run(6_000)), (Kind::Guard, 2)).is_some(), "what came after it is");
    }
}
