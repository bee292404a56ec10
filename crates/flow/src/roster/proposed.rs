//! Rules that playbooks proposed: they hold words of people, so they stand in the hall's stream apart,
//! each sealed with the keys of those whose words they are, and go with the first who is forgotten.
//!
//! Taking the step and its rule are one append: both are there or neither. From the moment when an
//! officer takes such a rule on it is the hall's own, and stands in the stream as such.
//!
//! Invariants: PLAYBOOK-6 no rule that nobody has taken on outlasts whoever's words are in it, neither
//! in memory nor in the ledger nor in a copy of it.

use std::sync::Arc;

use protocol::{PersonId, ledger::Owned};
use screening::{Mode, OwnRule};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tracing::info;

use super::{AdministerError, Change, Entry, Roster, RuleChange, View};
use crate::{playbook::RunChange, rulebook::InForce};

/// How far forgetting a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Their key is there yet, and goes next.
    Begins,
    /// Their key is gone, or could not be destroyed.
    IsOver,
}

/// A rule that a run proposed, as its own piece of the hall's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proposal {
    run: u64,
    rule: OwnRule,
}

impl View {
    /// Takes a piece of the hall's stream in: what has owners is a rule that was proposed.
    pub(super) fn take_in(&mut self, piece: &Owned) -> Result<(), serde_json::Error> {
        if piece.owners.is_empty() {
            self.apply(serde_json::from_slice::<Entry>(&piece.bytes)?.change);
        } else {
            let proposal: Proposal = serde_json::from_slice(&piece.bytes)?;
            self.own_rules.propose(proposal.rule, piece.owners.clone());
        }
        Ok(())
    }

    /// A change as it is stored: what an officer takes on is written whole, as the hall's own.
    pub(super) fn as_stored(&self, change: Change) -> Change {
        let Change::Ruled(RuleChange::ModeSet { name, mode }) = &change else { return change };
        let rule = self.own_rules.proposal(name).filter(|_| *mode != Mode::Test);
        match rule.cloned() {
            Some(rule) => {
                Change::Ruled(RuleChange::Adopted { rule: OwnRule { mode: *mode, ..rule } })
            }
            None => change,
        }
    }

    /// The pieces of one entry: the hall's, and a rule with those whose words it holds.
    pub(super) fn pieces(&self, entry: &Entry) -> Result<Vec<Owned>, serde_json::Error> {
        let mut entry = entry.clone();
        let proposal = match &mut entry.change {
            Change::Played(change) => take_rule(change).map(|it| (change.run(), it)),
            Change::Spawned { .. }
            | Change::Edited { .. }
            | Change::ModelSet { .. }
            | Change::Paused { .. }
            | Change::Resumed { .. }
            | Change::Retired { .. }
            | Change::Allowed { .. }
            | Change::Denied { .. }
            | Change::Blocked { .. }
            | Change::Unblocked { .. }
            | Change::Migrated { .. }
            | Change::RoleGiven { .. }
            | Change::RoleTaken { .. }
            | Change::Ruled(_)
            | Change::Invited(_)
            | Change::Bots(_)
            | Change::Alarmed(_)
            | Change::Aside(_)
            | Change::QuotaSet { .. } => None,
        };
        let mut pieces = vec![Owned::halls(serde_json::to_vec(&entry)?)];
        if let Some((run, rule)) = proposal {
            let owners = self.people_of(run);
            let bytes = serde_json::to_vec(&Proposal { run, rule })?.into();
            pieces.push(Owned { owners, bytes });
        }
        Ok(pieces)
    }

    pub(super) fn people_of(&self, run: u64) -> Vec<PersonId> {
        self.runs.get(run).map(|it| it.beginning.people.clone()).unwrap_or_default()
    }

    /// Refuses a rule that was made before somebody was forgotten whose words it holds. PLAYBOOK-6.
    pub(super) fn check_owners(&self, change: &RunChange) -> Result<(), AdministerError> {
        let RunChange::Taken { run, found, .. } = change else { return Ok(()) };
        if found.rule.is_none() {
            return Ok(());
        }
        let people = self.people_of(*run);
        let is_barred = |it: &PersonId| self.barred.get(it).is_some_and(|through| run <= through);
        // A piece without owners would be the hall's.
        if people.is_empty() || people.iter().any(is_barred) {
            return Err(AdministerError::NothingHeldBack);
        }
        Ok(())
    }

    /// Lets go of what was proposed with words of a person. Until their key is gone nothing new is
    /// taken; after that nothing of runs that began before, which may have read them. True if a rule
    /// has gone.
    pub(super) fn forget(&mut self, person: PersonId, erasure: Erasure) -> bool {
        let through = match erasure {
            Erasure::Begins => u64::MAX,
            Erasure::IsOver => self.runs.next_number().saturating_sub(1),
        };
        self.barred.insert(person, through);
        let runs = &self.runs;
        self.barred.retain(|person, through| {
            let mut open = runs.open().filter(|it| it.number() <= *through);
            *through == u64::MAX || open.any(|it| it.beginning.people.contains(person))
        });
        self.own_rules.forget(person)
    }
}

/// The rule of a step, taken out of it.
pub(super) fn take_rule(change: &mut RunChange) -> Option<OwnRule> {
    match change {
        RunChange::Taken { found, .. } => found.rule.take(),
        RunChange::Begun { .. }
        | RunChange::Decided { .. }
        | RunChange::Lapsed { .. }
        | RunChange::LeftOut { .. }
        | RunChange::Ended { .. }
        | RunChange::Undone { .. }
        | RunChange::Kept { .. }
        | RunChange::Told { .. } => None,
    }
}

impl Roster {
    /// PLAYBOOK-6: called between two changes, so that none is on its way to the ledger.
    pub(super) fn forget(&self, person: PersonId, erasure: Erasure, heard: oneshot::Sender<()>) {
        let mut view = View::clone(&self.shared.load());
        if view.forget(person, erasure) {
            let rules = self.rules.load();
            let (own, mut left_out) = (view.own_rules.all(), rules.left_out.clone());
            left_out.retain(|name, _| own.iter().any(|it| it.name == *name));
            view.own_rules.leave_out(left_out.clone());
            // The screen stays: what is in test is not in it.
            let screen = Arc::clone(&rules.screen);
            self.rules.store(Arc::new(InForce { screen, own, left_out }));
            info!(
                event.action = "proposed_rule_forgotten",
                "a rule that was proposed went with the person whose words it held"
            );
        }
        self.shared.store(Arc::new(view));
        // lost-ok: whoever asked has gone, and asks again.
        heard.send(()).ok();
    }
}

#[cfg(test)]
mod tests {
    use protocol::Timestamp;
    use screening::Action;

    use super::*;
    use crate::{
        playbook::{Beginning, Found, Measure, tests::beginning},
        roster::{Founding, own_rules_in, view_of, view_with},
    };

    const BEN: PersonId = PersonId(2);

    fn rule(run: u64) -> OwnRule {
        OwnRule {
            name: format!("playbook_{run}"),
            action: Action::Refuse,
            pattern: format!("words of run {run}"),
            mode: Mode::Test,
        }
    }

    fn begun(run: u64, people: &[i64]) -> Change {
        let people = people.iter().copied().map(PersonId).collect();
        let steps = vec![Measure::ProposeRule];
        // Each of another playbook, so that they may be about the same.
        let playbook = format!("playbook {run}");
        let run = Beginning { playbook, people, steps, ..beginning(run) };
        Change::Played(RunChange::Begun { run })
    }

    fn taken(run: u64) -> Change {
        let found = Found { rule: Some(rule(run)), ..Found::default() };
        Change::Played(RunChange::Taken { run, step: 0, until: None, found })
    }

    fn set(run: u64, mode: Mode) -> Change {
        Change::Ruled(RuleChange::ModeSet { name: rule(run).name, mode })
    }

    /// Makes changes as the roster does, and gives the pieces that it writes.
    fn made(view: &mut View, changes: impl IntoIterator<Item = Change>) -> Vec<Owned> {
        let mut pieces = Vec::new();
        for change in changes {
            assert_eq!(view.check(&change), Ok(()), "{change:?}");
            let change = view.as_stored(change);
            let entry = Entry { change, by: None, at: Timestamp(5) };
            pieces.extend(view.pieces(&entry).unwrap());
            view.apply(entry.change);
        }
        pieces
    }

    fn names(view: &View) -> Vec<String> {
        view.own_rules.all().into_iter().map(|it| it.name).collect()
    }

    fn without(pieces: &[Owned], person: PersonId) -> Vec<Owned> {
        pieces.iter().filter(|it| !it.owners.contains(&person)).cloned().collect()
    }

    #[test]
    fn playbook_6_the_words_stand_in_a_piece_of_their_peoples_and_nowhere_else() {
        let mut view = view_with(&Founding::default(), Vec::new());
        let pieces = made(&mut view, [begun(1, &[2, 3]), taken(1)]);
        let has_words = |it: &&Owned| String::from_utf8_lossy(&it.bytes).contains("words of run");
        let with_words: Vec<&Owned> = pieces.iter().filter(has_words).collect();
        assert_eq!(pieces.len(), 3);
        assert!(with_words.len() == 1 && with_words[0].owners == [BEN, PersonId(3)]);
        assert!(!format!("{:?}", view.runs()).contains("words of run"));

        let folded = view_of(&Founding::default(), &pieces).unwrap();
        assert_eq!(folded.own_rules, view.own_rules);
        assert_eq!(format!("{:?}", folded.runs()), format!("{:?}", view.runs()));
        let left = view_of(&Founding::default(), &without(&pieces, BEN)).unwrap();
        assert_eq!(left.own_rules.all(), [], "what is sealed with a key that is gone");
        assert_eq!(left.runs().get(1).unwrap().steps, view.runs().get(1).unwrap().steps);
    }

    #[test]
    fn playbook_6_a_rule_goes_with_its_person_from_memory_and_others_stay() {
        let mut view = view_with(&Founding::default(), Vec::new());
        made(&mut view, [begun(1, &[2]), taken(1), begun(2, &[3]), taken(2)]);
        assert!(view.forget(BEN, Erasure::Begins));
        assert_eq!(names(&view), ["playbook_2"]);
        assert!(!view.forget(BEN, Erasure::IsOver));
        let undone = Change::Played(RunChange::Undone { run: 1 });
        made(&mut view, [undone]);
        assert_eq!(names(&view), ["playbook_2"]);
        let gone = Err(AdministerError::NoSuchRule("playbook_1".to_owned()));
        assert_eq!(view.check(&set(1, Mode::Shadow)), gone);
    }

    #[test]
    fn a_rule_that_an_officer_has_taken_on_is_the_halls_own() {
        let mut view = view_with(&Founding::default(), Vec::new());
        let changes = [begun(1, &[2]), taken(1), set(1, Mode::Shadow), set(1, Mode::Test)];
        let pieces = made(&mut view, changes);
        assert!(!view.forget(BEN, Erasure::Begins));
        assert_eq!(view.own_rules.all(), [rule(1)]);
        let stream = without(&pieces, BEN);
        assert_eq!(own_rules_in(&stream).unwrap().all(), [rule(1)]);
        made(&mut view, [Change::Played(RunChange::Undone { run: 1 })]);
        assert_eq!(names(&view), ["playbook_1"], "nor does a playbook's undo reach it");
    }

    #[test]
    fn a_step_back_to_test_takes_nothing_on() {
        let mut view = view_with(&Founding::default(), Vec::new());
        made(&mut view, [begun(1, &[2]), taken(1), set(1, Mode::Test)]);
        assert!(view.forget(BEN, Erasure::Begins));
    }

    #[test]
    fn playbook_6_what_was_looked_at_before_is_not_proposed_after_and_what_comes_later_is() {
        let mut view = view_with(&Founding::default(), Vec::new());
        made(&mut view, [begun(1, &[2]), begun(2, &[3])]);
        view.forget(BEN, Erasure::Begins);
        made(&mut view, [begun(3, &[2])]);
        let gone = Err(AdministerError::NothingHeldBack);
        assert_eq!((view.check(&taken(1)), view.check(&taken(3))), (gone.clone(), gone.clone()));
        view.forget(BEN, Erasure::IsOver);
        assert_eq!((view.check(&taken(1)), view.check(&taken(3))), (gone.clone(), gone));
        made(&mut view, [taken(2), begun(4, &[2]), taken(4)]);
        assert_eq!(names(&view), ["playbook_2", "playbook_4"]);
        // Once those runs are over, nobody needs to know of it any more.
        let left_out = |run| {
            let why = crate::playbook::Spared::Refused;
            Change::Played(RunChange::LeftOut { run, step: 0, why })
        };
        made(&mut view, [left_out(1), left_out(3)]);
        view.forget(PersonId(9), Erasure::IsOver);
        assert_eq!(view.barred, [].into());
    }

    #[test]
    fn a_stored_rule_reads_back_as_it_was() {
        let proposal = Proposal { run: 1, rule: rule(1) };
        let text = serde_json::to_string(&proposal).unwrap();
        let words =
            r#"{"name":"playbook_1","action":"refuse","pattern":"words of run 1","mode":"test"}"#;
        assert_eq!(text, format!(r#"{{"run":1,"rule":{words}}}"#));
        assert_eq!(serde_json::from_str::<Proposal>(&text).unwrap(), proposal);
        let adopted = Change::Ruled(RuleChange::Adopted { rule: rule(1) });
        let text = serde_json::to_string(&adopted).unwrap();
        let expected = format!(r#"{{"change":"ruled","rule_change":"adopted","rule":{words}}}"#);
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), adopted);
    }
}
