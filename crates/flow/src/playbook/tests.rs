//! What is stored of runs, and what is not taken in.

use std::time::Duration;

use protocol::{PersonId, Timestamp};

use super::*;

pub(crate) fn beginning(run: u64) -> Beginning {
    Beginning {
        run,
        playbook: "injection".to_owned(),
        incident: 7,
        mode: Mode::Act,
        undo_by: Role::Operator,
        people: vec![PersonId(2)],
        agent: Some("sage".parse().unwrap()),
        of_agent: false,
        signs: 3,
        at: Timestamp(5),
        steps: vec![
            Measure::Block { lasts: Duration::from_secs(60) },
            Measure::Gather { within: Duration::from_secs(60) },
        ],
    }
}

fn taken(run: u64, step: u32) -> RunChange {
    RunChange::Taken { run, step, until: Some(Timestamp(60_005)), found: Found::default() }
}

#[test]
fn a_stored_run_reads_back_as_it_was() {
    let change = crate::roster::Change::Played(RunChange::Begun { run: beginning(1) });
    let text = serde_json::to_string(&change).unwrap();
    assert_eq!(
        text,
        r#"{"change":"played","run_change":"begun","run":{"run":1,"playbook":"injection","incident":7,"mode":"act","undo_by":"operator","people":[2],"agent":"sage","of_agent":false,"signs":3,"at":5,"steps":[{"do":"block","lasts":{"secs":60,"nanos":0}},{"do":"gather","within":{"secs":60,"nanos":0}}]}}"#
    );
    assert_eq!(serde_json::from_str::<crate::roster::Change>(&text).unwrap(), change);
    let change = crate::roster::Change::Played(taken(1, 0));
    let text = serde_json::to_string(&change).unwrap();
    assert_eq!(
        text,
        r#"{"change":"played","run_change":"taken","run":1,"step":0,"until":60005,"found":{"count":0}}"#
    );
    assert_eq!(serde_json::from_str::<crate::roster::Change>(&text).unwrap(), change);
}

#[test]
fn playbook_1_what_comes_twice_or_out_of_order_changes_nothing() {
    let (mut runs, nobody) = (Runs::default(), |_| false);
    let blocked = |runs: &Runs| runs.blocked(PersonId(2), Timestamp(10)).is_some();
    runs.apply(taken(1, 0), nobody);
    assert_eq!(runs.each().count(), 0, "there is no such run");
    runs.apply(RunChange::Begun { run: beginning(2) }, nobody);
    assert_eq!(runs.each().count(), 0, "the next one is the first");
    runs.apply(RunChange::Begun { run: beginning(1) }, nobody);
    runs.apply(taken(1, 1), nobody);
    assert!(runs.is_settled(&taken(1, 1)) && !blocked(&runs), "the first step comes first");
    runs.apply(taken(1, 0), nobody);
    assert!(blocked(&runs) && runs.is_settled(&taken(1, 0)));
    let ended = RunChange::Ended { run: 1, step: 0 };
    runs.apply(ended.clone(), nobody);
    assert!(!blocked(&runs) && runs.is_settled(&ended));
    runs.apply(taken(1, 0), nobody);
    assert!(!blocked(&runs), "what is over does not come back");
}

#[test]
fn a_block_that_nobody_ends_is_none_any_more_a_day_later() {
    let (mut runs, nobody) = (Runs::default(), |_| false);
    runs.apply(RunChange::Begun { run: beginning(1) }, nobody);
    runs.apply(taken(1, 0), nobody);
    let at = |ms: u64| runs.blocked(PersonId(2), Timestamp(60_005 + ms)).is_some();
    assert!(at(0) && at(86_399_999) && !at(86_400_000));
}

#[test]
fn runs_that_are_over_are_kept_at_hand_up_to_a_limit() {
    let (mut runs, nobody) = (Runs::default(), |_| false);
    for run in 1..=300 {
        runs.apply(RunChange::Begun { run: beginning(run) }, nobody);
        runs.apply(taken(run, 0), nobody);
        runs.apply(RunChange::Undone { run }, nobody);
    }
    assert_eq!((runs.each().count(), runs.next_number()), (200, 301));
}

#[test]
fn what_becomes_of_steps_is_counted_once_each() {
    let (mut runs, nobody) = (Runs::default(), |_| false);
    let mut after = |change: RunChange| {
        let before = runs.clone();
        runs.apply(change, nobody);
        let steps = runs.steps_since(&before).into_iter();
        steps.map(|it| format!("{} {} {}", it.playbook, it.step, it.outcome)).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(after(RunChange::Begun { run: beginning(1) }), none);
    assert_eq!(after(taken(1, 0)), ["injection block taken"]);
    assert_eq!(after(taken(1, 0)), none, "what comes twice");
    let left_out = RunChange::LeftOut { run: 1, step: 1, why: Spared::Nothing };
    assert_eq!(after(left_out), ["injection gather left_out"]);
    assert_eq!(after(RunChange::Told { run: 1 }), none);
    assert_eq!(after(RunChange::Ended { run: 1, step: 0 }), ["injection block ended"]);
    after(RunChange::Begun { run: beginning(2) });
    after(taken(2, 0));
    assert_eq!(after(RunChange::Undone { run: 2 }), ["injection block undone"]);
}
