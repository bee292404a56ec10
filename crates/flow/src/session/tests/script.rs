//! Scripts: what happens goes in, what is to be done comes out, in words.

use protocol::{
    TopicId,
    event::Outcome,
    memory::{FactOrigin, Space},
};

use crate::context::Recollection;

use super::*;

impl World {
    /// Records are durable at once.
    pub(super) fn settle(&mut self) {
        while self.recording.is_some() {
            self.written();
        }
    }

    pub(super) fn say(&mut self, update: i64, text: &str) {
        self.arrive(update, Some(Inbound::Said(said(GUEST, text))));
        self.pull(false);
        self.settle();
    }

    fn take(&mut self, update: i64) -> Effect {
        let mut asked = self.asked.iter();
        let place = asked.position(|it| update_of(it) == Some(UpdateId(update)));
        self.asked.remove(place.unwrap_or_else(|| panic!("nobody is asked about {update}")))
    }

    /// Whoever is asked about an update answers well; a model says `text`.
    pub(super) fn answer(&mut self, update: i64, text: &str) {
        let input = good_answer(&self.take(update), text).unwrap();
        self.tell(input);
    }

    pub(super) fn tell(&mut self, input: Input) {
        self.input(input);
        self.settle();
    }

    /// Everything about an update goes well to the end.
    pub(super) fn complete(&mut self, update: i64) {
        while self.asked.iter().any(|it| update_of(it) == Some(UpdateId(update))) {
            self.answer(update, &format!("answer {update}"));
        }
    }

    pub(super) fn dies(&mut self) {
        self.crash();
        self.settle();
    }
}

/// What is done in a private chat in which the notice was shown already.
fn run(script: impl FnOnce(&mut World)) -> Vec<String> {
    run_with(|_| (), script)
}

fn run_with(
    change: impl FnOnce(&mut SessionConfig),
    script: impl FnOnce(&mut World),
) -> Vec<String> {
    let mut config = config();
    change(&mut config);
    let mut world = World::new(KEY, config);
    world.events.push(Event::NoticeShown);
    world.folded.noticed = true;
    world.session = Session::new(KEY, Arc::clone(&world.config), world.folded.clone());
    script(&mut world);
    world.log
}

const FULL_TURN: [&str; 7] = [
    "screen 1: hi",
    "note prompt clear, started",
    "ask sage for 1: [] hi",
    "screen answer 1: answer 1",
    "record draft, draft clear, ready(Model)",
    "send 1.0: answer 1",
    "record sent(0), Answered, close 1",
];

#[test]
fn a_turn_goes_from_guard_to_model_to_guard_to_chat() {
    let done = run(|it| {
        it.say(1, "hi");
        it.complete(1);
    });
    assert_eq!(done, FULL_TURN);
}

#[test]
fn no_model_is_asked_before_the_privacy_notice_was_shown() {
    let mut world = World::new(KEY, config());
    world.say(1, "hi");
    let unknown = Input::NoticeShown(UpdateId(1), Err(NotDelivered::Unknown));
    world.take(1);
    world.tell(unknown);
    world.complete(1);
    let notice = "show the privacy notice for 1";
    assert_eq!(world.log[..3], [notice, notice, "record notice"]);
    assert_eq!(world.log[3..], FULL_TURN);
    let mut blocked = World::new(KEY, config());
    blocked.say(1, "hi");
    blocked.tell(Input::NoticeShown(UpdateId(1), Err(NotDelivered::Undeliverable)));
    assert_eq!(blocked.log, [notice, "record Undeliverable, close 1"]);
}

#[test]
fn a_refused_prompt_never_reaches_a_model() {
    let done = run(|it| {
        it.say(1, ATTACK);
        it.complete(1);
    });
    assert_eq!(
        done[1..],
        [
            "record prompt refuse, ready(Refusal)",
            "send 1.0: I would rather not answe",
            "tell of the refusal of 1",
            "record sent(0), Refused, close 1",
        ]
    );
}

#[test]
fn a_refused_answer_is_replaced_by_a_notice_and_leaves_no_history() {
    let done = run(|it| {
        it.say(1, "hi");
        it.answer(1, "");
        it.answer(1, "anything");
        it.take(1);
        let judged = protocol::event::Judged { verdict: "refuse".to_owned(), ..Default::default() };
        it.tell(Input::DraftJudged(UpdateId(1), Verdict::Refuse(judged)));
        it.complete(1);
        it.say(2, "next");
        it.answer(2, "");
    });
    assert_eq!(
        done[4..],
        [
            "record draft, draft refuse, ready(Refusal)",
            "send 1.0: The answer was held back",
            "record sent(0), Refused, close 1",
            "screen 2: next",
            "note prompt clear, started",
            "ask sage for 2: [] next",
        ]
    );
}

#[test]
fn a_question_without_an_answer_gets_an_apology() {
    for (why, text) in [
        (Unanswered::AllFailed, "send 1.0: Sorry, I could not get a"),
        (Unanswered::Busy, "send 1.0: Very many people are ask"),
    ] {
        let done = run(|it| {
            it.say(1, "hi");
            it.answer(1, "");
            it.take(1);
            it.tell(Input::Completed(UpdateId(1), Err(why)));
            it.complete(1);
        });
        assert_eq!(done[3..], ["record ready(Apology)", text, "record sent(0), Answered, close 1"]);
    }
}

#[test]
fn an_answer_that_typesets_to_nothing_is_an_apology_too() {
    let done = run(|it| {
        it.say(1, "hi");
        it.answer(1, "");
        it.answer(1, "|||");
        it.answer(1, "");
    });
    assert_eq!(done.last().unwrap(), "send 1.0: Sorry, I could not get a");
}

#[test]
fn a_cancel_withdraws_the_question_and_says_so_at_once() {
    let done = run(|it| {
        it.say(1, "hi");
        it.answer(1, "");
        it.say(2, "/cancel");
        it.complete(2);
        it.say(3, "/cancel");
    });
    assert_eq!(
        done[3..],
        [
            "withdraw 1",
            "record Cancelled, close 1",
            "record ready(Notice)",
            "send 2.0: Stopped. /retry asks the",
            "record sent(0), Answered, close 2",
            "record ready(Notice)",
            "send 3.0: Nothing is being written",
        ]
    );
}

#[test]
fn a_cancel_stops_a_question_that_arrived_in_the_same_batch() {
    let done = run(|it| {
        it.arrive(1, Some(Inbound::Said(said(GUEST, "hi"))));
        it.arrive(2, Some(Inbound::StopRequested { person: None }));
        it.pull(false);
        it.settle();
    });
    assert!(done.contains(&"record Cancelled, close 1".to_owned()), "{done:#?}");
    assert_eq!(done.last().unwrap(), "send 2.0: Stopped. /retry asks the");
}

#[test]
fn commands_are_answered_while_an_agent_is_busy_and_questions_wait() {
    let done = run(|it| {
        it.say(1, "hi");
        it.say(2, "/status");
        it.say(3, "second");
        it.complete(2);
        it.complete(1);
    });
    assert_eq!(
        done[..6],
        [
            "screen 1: hi",
            "status 2 in full: false",
            "record ready(Notice)",
            "send 2.0: All is well.",
            "record sent(0), Answered, close 2",
            "note prompt clear, started",
        ]
    );
    assert_eq!(done.last().unwrap(), "screen 3: second", "session_1: one at a time");
}

#[test]
fn a_retry_replaces_the_newest_exchange() {
    let done = run(|it| {
        it.say(1, "hi");
        it.complete(1);
        it.say(2, "more");
        it.complete(2);
        it.say(3, "/retry");
        it.complete(3);
        it.say(4, "next");
        it.answer(4, "");
    });
    assert!(done.contains(&"note prompt clear, started(replaces)".to_owned()), "{done:#?}");
    assert!(done.contains(&"ask sage for 3: [\"hi\"] more".to_owned()), "{done:#?}");
    assert_eq!(done.last().unwrap(), "ask sage for 4: [\"hi\", \"more\"] next");
    let nothing = run(|it| it.say(1, "/retry"));
    assert_eq!(nothing.last().unwrap(), "send 1.0: There is no earlier ques");
}

#[test]
fn a_fresh_conversation_forgets_and_a_switch_keeps_agents_apart() {
    let done = run(|it| {
        for (update, text) in [(1, "hi"), (2, "/agent poet"), (3, "a poem"), (4, "/new")] {
            it.say(update, text);
            it.complete(update);
        }
        it.say(5, "again");
        it.complete(5);
        it.say(6, "/ask sage and you");
        it.answer(6, "");
    });
    let asked: Vec<&str> =
        done.iter().filter(|it| it.starts_with("ask ")).map(String::as_str).collect();
    assert_eq!(
        asked,
        [
            "ask sage for 1: [] hi",
            "ask poet for 3: [] a poem",
            "ask poet for 5: [] again",
            "ask sage for 6: [\"hi\"] and you",
        ]
    );
    assert!(done.contains(&"record switched(poet), ready(Notice)".to_owned()));
    assert!(done.contains(&"record reset(poet), ready(Notice)".to_owned()));
}

#[test]
fn a_paused_or_unknown_agent_is_not_asked() {
    for (text, says) in [
        ("/ask tired hi", "send 1.0: tired is resting at the "),
        ("/agent tired", "send 1.0: tired is resting at the "),
        ("/ask nobody hi", "send 1.0: There is no agent called"),
    ] {
        assert_eq!(run(|it| it.say(1, text)), ["record ready(Notice)", says]);
    }
}

#[test]
fn in_groups_the_question_is_quoted_in_the_first_part_only() {
    let key = SessionKey { chat: ChatId(-5), topic: Some(TopicId(7)), ..KEY };
    let mut world = World::new(key, config());
    let group = Said { private: false, ..said(GUEST, "hi") };
    world.arrive(1, Some(Inbound::Said(group)));
    world.pull(false);
    (0..2).for_each(|_| world.answer(1, ""));
    world.answer(1, "one|two");
    world.complete(1);
    let sent: Vec<&String> = world.log.iter().filter(|it| it.starts_with("send")).collect();
    assert_eq!(sent, ["send 1.0 quoting 70: one", "send 1.1: two"]);
}

#[test]
fn past_backlog_max_questions_are_turned_away() {
    let done = run(|it| {
        it.say(1, "hi");
        for update in 2..=3 {
            it.say(update, "waits");
        }
        it.say(4, "too many");
    });
    assert_eq!(
        done,
        ["screen 1: hi", "record ready(Notice)", "send 4.0: One at a time, please: I",]
    );
}

#[test]
fn what_was_accepted_before_a_crash_is_not_turned_away_after_it() {
    let done = run(|it| {
        it.say(1, "hi");
        for update in 2..=3 {
            it.say(update, "waits");
        }
        it.dies();
        (1..=3).for_each(|update| it.complete(update));
    });
    assert!(!done.iter().any(|it| it.contains("One at a time")), "{done:#?}");
}

#[test]
fn after_a_crash_only_the_first_of_each_lane_has_an_attempt_more() {
    let done = run(|it| {
        it.say(1, "hi");
        it.say(2, "second");
        it.say(3, "/status");
        it.dies();
        it.complete(1);
    });
    let retried: Vec<&String> = done.iter().filter(|it| it.contains("retried")).collect();
    assert_eq!(retried, ["record retried(2)", "record retried(2)"], "{done:#?}");
    assert_eq!(done.last().unwrap(), "screen 2: second");
}

#[test]
fn session_5_after_attempts_max_an_update_is_set_aside_with_an_apology_and_an_alert() {
    let done = run(|it| {
        it.say(1, "hi");
        it.say(2, "next");
        (0..3).for_each(|_| it.dies());
        it.complete(1);
    });
    assert_eq!(
        done[7..],
        [
            "-- crash --",
            "record retried(4)",
            "alert",
            "record ready(Apology)",
            "send 1.0: Sorry, something about t",
            "record sent(0), Quarantined, close 1",
            "screen 2: next",
        ]
    );
}

#[test]
fn an_answer_fixed_before_a_crash_is_screened_again_and_goes_on_with_the_right_part() {
    let done = run(|it| {
        it.say(1, "hi");
        it.answer(1, "");
        it.answer(1, "one|two|three");
        it.answer(1, "");
        it.answer(1, "");
        it.dies();
        it.complete(1);
    });
    assert_eq!(
        done[5..],
        [
            "send 1.0: one",
            "record sent(0)",
            "send 1.1: two",
            "-- crash --",
            "record retried(2)",
            "screen again 1: two|three",
            "send 1.1: two",
            "record sent(1)",
            "send 1.2: three",
            "record sent(2), Answered, close 1",
        ]
    );
}

#[test]
fn an_update_that_cannot_be_read_is_set_aside_and_holds_up_nobody() {
    let done = run(|it| {
        it.arrive(1, None);
        it.say(2, "hi");
    });
    assert_eq!(done, ["alert", "record Quarantined, close 1", "screen 2: hi"]);
}

#[test]
fn session_2_an_answer_to_another_turn_or_stage_changes_nothing() {
    let late = || {
        let draft = Draft("late".to_owned());
        let prompt = Prompt { text: "late".to_owned(), ..Prompt::default() };
        [1, 2, 9].into_iter().flat_map(move |update| {
            let update = UpdateId(update);
            [
                Input::NoticeShown(update, Ok(MessageId(1))),
                Input::PromptJudged(update, judge_prompt(&prompt).0, Placeholders::new()),
                Input::DraftJudged(update, judge_draft(&draft)),
                Input::PreviewJudged(UpdateId(9), judge_preview(&draft)),
                Input::PartDelivered(update, 0, Ok(MessageId(1))),
                Input::Administered(update, Ok(())),
                Input::StatusComposed(update, "".into()),
                Input::Ticked(UpdateId(9), None),
                Input::TurnExpired(UpdateId(9)),
                Input::Completed(UpdateId(9), Ok(completion("late"))),
                Input::PartsJudged(update, guard::screen_parts(&SCREEN, vec![])),
            ]
        })
    };
    let done = run(|it| {
        it.say(1, "hi");
        it.answer(1, "");
        it.say(2, "second");
        late().for_each(|input| it.tell(input));
        it.complete(1);
    });
    assert_eq!(done[..7], FULL_TURN);
}

#[test]
fn a_turn_that_takes_too_long_ends_with_an_apology_and_a_withdrawal() {
    let done = run(|it| {
        it.say(1, "hi");
        it.answer(1, "");
        it.tell(Input::TurnExpired(UpdateId(1)));
        it.tell(Input::TurnExpired(UpdateId(1)));
        it.tell(Input::Completed(UpdateId(1), Ok(completion("late"))));
    });
    assert_eq!(
        done[3..],
        ["withdraw 1", "record ready(Apology)", "send 1.0: Sorry, this took too lon",]
    );
}

#[test]
fn what_is_written_is_shown_only_as_it_will_be() {
    let so_far = "The weather is fine and everybody walks. ".repeat(6);
    let done = run(|it| {
        it.say(1, "hi");
        it.answer(1, "");
        let written = |text: &str| Input::Ticked(UpdateId(1), Some(text.to_owned()));
        let judged = |text: &str| {
            let verdict = judge_preview(&Draft(text.to_owned()));
            Input::PreviewJudged(UpdateId(1), verdict)
        };
        it.tell(written("So far"));
        it.tell(judged("So far"));
        it.tell(written(&so_far));
        it.tell(judged(&so_far));
        it.tell(written(LEAK));
        it.tell(judged(LEAK));
        it.tell(written("more"));
        it.tell(Input::Ticked(UpdateId(1), None));
    });
    assert_eq!(done.len(), 3 + 6, "{done:#?}");
    assert_eq!(done[3], "screen preview 1: So far", "all of it is held back");
    assert_eq!(done[4], format!("screen preview 1: {so_far}"));
    assert!(done[5].starts_with("preview 1: The weather is fine"), "{done:#?}");
    assert_eq!(done[6..], [&format!("screen preview 1: {LEAK}"), "typing", "typing"]);
}

#[test]
fn an_admin_command_of_anybody_else_is_logged_and_answered_as_unknown() {
    let done = run(|it| it.say(1, "/spawn bard Sing."));
    assert_eq!(
        done,
        ["denied spawn", "record ready(Notice)", "send 1.0: I do not know that comma",]
    );
}

#[test]
fn a_person_who_blocked_the_bot_ends_the_turn_and_the_next_goes_on() {
    let mut outcome = None;
    let done = run(|it| {
        it.say(1, "hi");
        (0..3).for_each(|_| it.answer(1, "answer"));
        it.say(2, "next");
        it.tell(Input::PartDelivered(UpdateId(1), 0, Err(NotDelivered::Undeliverable)));
        outcome = it.closed.get(&UpdateId(1)).copied();
    });
    assert_eq!(outcome, Some(Outcome::Undeliverable));
    assert_eq!(done.last().unwrap(), "screen 2: next");
}

#[test]
fn a_question_that_was_turned_away_is_not_taken_for_the_one_in_hand() {
    let done = run(|it| {
        for (update, text) in [(1, "hi"), (2, "waits"), (3, "waits"), (4, "too many")] {
            it.say(update, text);
        }
        it.complete(1);
        it.say(5, "in hand");
        it.complete(2);
        it.complete(3);
        it.dies();
    });
    let after = done.iter().skip_while(|it| !it.contains("crash")).skip(1);
    let screened: Vec<&String> = after.filter(|it| it.starts_with("screen")).collect();
    let again =
        "screen again 4: One at a time, please: I am still busy with your earlier messages.";
    assert_eq!(screened, ["screen 5: in hand", again], "{done:#?}");
}

#[test]
fn a_cancel_that_did_its_work_before_a_crash_does_not_stop_the_next_question_after_it() {
    let done = run(|it| {
        it.say(1, "hi");
        it.say(2, "next");
        it.say(3, "/cancel");
        it.dies();
        it.complete(2);
    });
    assert!(!done.contains(&"withdraw 2".to_owned()), "{done:#?}");
    assert_eq!(done.last().unwrap(), "record sent(0), Answered, close 2");
}

#[test]
fn a_part_noted_as_accepted_before_a_crash_is_not_sent_again() {
    let done = run(|it| {
        it.say(1, "hi");
        ["", "one|two", ""].iter().for_each(|text| it.answer(1, text));
        let (update, message) = (UpdateId(1), MessageId(2));
        // The second is not the next one, and proves nothing.
        it.accepted = [0, 2].map(|part| Accepted { session: KEY, update, part, message }).into();
        it.dies();
        it.complete(1);
    });
    let after: Vec<&String> = done.iter().skip_while(|it| *it != "-- crash --").collect();
    assert_eq!(
        after[1..],
        [
            "record retried(2)",
            "screen again 1: two",
            "send 1.1: two",
            "record sent(1), Answered, close 1",
        ]
    );
}

#[test]
fn an_answer_all_of_which_was_accepted_before_a_crash_is_closed_without_a_word() {
    let done = run(|it| {
        it.say(1, "hi");
        ["", "one", ""].iter().for_each(|text| it.answer(1, text));
        let (update, message) = (UpdateId(1), MessageId(2));
        it.accepted = vec![Accepted { session: KEY, update, part: 0, message }];
        it.dies();
        it.complete(1);
    });
    let after = done.iter().skip_while(|it| *it != "-- crash --");
    assert!(!after.clone().any(|it| it.starts_with("send")), "{done:#?}");
    assert_eq!(done.last().unwrap(), "record Answered, close 1");
}

#[test]
fn personal_data_is_hidden_from_the_model_shown_to_the_person_and_not_remembered() {
    let iban = "DE89 3704 0044 0532 0130 00";
    let done = run(|it| {
        it.say(1, &format!("is {iban} mine?"));
        ["", "yes, [IBAN_1] is|and [IBAN_2] is not", ""].iter().for_each(|text| it.answer(1, text));
        it.complete(1);
        it.say(2, "sure?");
        it.complete(2);
    });
    assert!(done.contains(&"ask sage for 1: [] is [IBAN_1] mine?".to_owned()), "{done:#?}");
    assert!(done.contains(&"send 1.0: yes, DE89 3704 0044 0532".to_owned()), "{done:#?}");
    assert!(done.contains(&"send 1.1: and [IBAN_2] is not".to_owned()), "{done:#?}");
    assert!(done.contains(&"ask sage for 2: [\"is [IBAN] mine?\"] sure?".to_owned()), "{done:#?}");
}

// === Memory ===

/// As `complete`, and whatever is summarised is summarised.
fn digest(world: &mut World) {
    while let Some(place) = world.asked.iter().position(|it| update_of(it).is_none()) {
        let asked = world.asked.remove(place);
        let input = good_answer(&asked, "").unwrap();
        world.tell(input);
    }
}

#[test]
fn remember_2_a_summary_takes_the_place_of_the_oldest_exchanges_once_it_is_durable() {
    let done = run(|it| {
        for update in 1..=6 {
            it.say(update, &format!("q{update}"));
            it.complete(update);
        }
        // Asked before the summary is there: all of it is in the prompt.
        it.say(7, "q7");
        it.answer(7, "");
        digest(it);
        it.complete(7);
        it.say(8, "q8");
        it.answer(8, "");
    });
    assert!(done.contains(&"summarise 4 through 4".to_owned()), "{done:#?}");
    let all = "ask sage for 7: [\"q1\", \"q2\", \"q3\", \"q4\", \"q5\", \"q6\"] q7";
    assert!(done.contains(&all.to_owned()), "{done:#?}");
    let written = [
        "screen summary of sage through 4: notes through 4",
        "record summary(4)",
        "summary by model",
    ];
    let at = done.iter().position(|it| it.starts_with("screen summary")).unwrap();
    assert_eq!(done[at..at + 3], written);
    assert_eq!(done.last().unwrap(), "ask sage for 8: [\"q5\", \"q6\", \"q7\"] q8");
}

#[test]
fn remember_5_in_a_group_the_oldest_exchanges_fall_out_unsummarised_and_are_counted() {
    let mut world = World::new(SessionKey { chat: ChatId(-9), ..KEY }, config());
    world.folded.noticed = true;
    world.session = Session::new(world.key, Arc::clone(&world.config), world.folded.clone());
    for update in 1..=8 {
        world.say(update, &format!("q{update}"));
        world.complete(update);
    }
    let done = &world.log;
    assert!(!done.iter().any(|it| it.contains("summarise")), "{done:#?}");
    assert_eq!(done.iter().filter(|it| *it == "summary by lost").count(), 3);
    let newest = "ask sage for 8: [\"q3\", \"q4\", \"q5\", \"q6\", \"q7\"] q8";
    assert!(done.contains(&newest.to_owned()), "{done:#?}");
}

#[test]
fn exchanges_are_summarised_once_also_after_a_restart() {
    let done = run(|it| {
        for update in 1..=6 {
            it.say(update, &format!("q{update}"));
            it.complete(update);
        }
        it.dies();
        // Interrupted: it is begun again after the next answer, and only then.
        it.asked.clear();
        it.say(7, "q7");
        it.complete(7);
        digest(it);
        it.dies();
        it.say(8, "q8");
        it.complete(8);
    });
    let summaries: Vec<&String> = done.iter().filter(|it| it.starts_with("summarise")).collect();
    assert_eq!(summaries, ["summarise 4 through 4", "summarise 5 through 5"]);
    assert_eq!(done.iter().filter(|it| it.starts_with("record summary")).count(), 1);
}

#[test]
fn a_summary_that_no_model_writes_or_that_is_refused_is_made_of_the_exchanges_own_words() {
    for fails in [Some(Unanswered::AllFailed), None] {
        let done = run(|it| {
            for update in 1..=6 {
                it.say(update, &format!("q{update}"));
                it.complete(update);
            }
            let id = ("sage".parse().unwrap(), 4);
            let result = fails.map_or_else(|| Ok(completion("anything")), Err);
            it.asked.retain(|it| !matches!(it, Effect::Summarise(_)));
            it.tell(Input::Summarised(id.clone(), result));
            if fails.is_none() {
                let judged = protocol::event::Judged::default();
                it.asked.clear();
                it.tell(Input::SummaryJudged(id, Verdict::Refuse(judged)));
            }
            digest(it);
        });
        let text = "- q1 → answer 1\n- q2 → answer 2\n- q3 → answer 3\n- q4 → answer 4";
        let screened = format!("screen summary of sage through 4: {text}");
        assert!(done.contains(&screened), "{done:#?}");
        assert_eq!(done.last().unwrap(), "summary by extract");
    }
}

#[test]
fn a_summary_that_gives_way_three_times_is_made_without_a_model() {
    let done = run(|it| {
        for update in 1..=9 {
            it.say(update, &format!("q{update}"));
            it.complete(update);
            let Some(place) = it.asked.iter().position(|it| matches!(it, Effect::Summarise(_)))
            else {
                continue;
            };
            let Effect::Summarise(digestion) = it.asked.remove(place) else { unreachable!() };
            let id = (digestion.agent.name.clone(), digestion.through);
            it.tell(Input::Summarised(id, Err(Unanswered::Busy)));
        }
        digest(it);
    });
    assert_eq!(done.iter().filter(|it| it.starts_with("summarise")).count(), 3);
    assert_eq!(done.last().unwrap(), "summary by extract");
}

#[test]
fn a_summary_of_a_conversation_that_was_begun_anew_is_of_no_use() {
    let done = run(|it| {
        for update in 1..=6 {
            it.say(update, &format!("q{update}"));
            it.complete(update);
        }
        it.say(7, "/new");
        it.complete(7);
        digest(it);
        it.say(8, "q8");
        it.answer(8, "");
        let Some(Effect::Complete(_, question)) = it.asked.last() else { panic!("not asked") };
        assert_eq!((question.summary.as_deref(), question.history.len()), (None, 0));
    });
    assert_eq!(done.last().unwrap(), "ask sage for 8: [] q8");
}

#[test]
fn remember_1_a_fact_is_screened_stored_and_shown_to_its_agent_only() {
    let done = run(|it| {
        it.say(1, "Remember that I like tea.");
        it.complete(1);
        it.say(2, &format!("/remember {ATTACK}"));
        it.complete(2);
        it.say(3, "What do I like?");
        it.answer(3, "");
        let Some(Effect::Complete(_, question)) = it.asked.last() else { panic!("not asked") };
        let facts: Vec<&str> = question.facts.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(facts, ["I like tea."]);
        it.complete(3);
        it.say(4, "/ask poet And you?");
        it.answer(4, "");
        let Some(Effect::Complete(_, question)) = it.asked.last() else { panic!("not asked") };
        assert!(question.facts.is_empty(), "agents do not see each other's memories");
    });
    assert_eq!(
        done[..3],
        [
            "screen 1: I like tea.",
            "record prompt clear, remembered(0: I like tea.), ready(Notice)",
            "send 1.0: 📝 I will remember: “I li",
        ]
    );
    assert!(done.contains(&"record prompt refuse, ready(Refusal)".to_owned()), "{done:#?}");
}

#[test]
fn what_is_known_too_long_or_too_much_is_not_remembered() {
    let done = run(|it| {
        for (update, text) in [(1, "tea"), (2, "TEA"), (3, "cats"), (4, "dogs"), (5, "mice")] {
            it.say(update, &format!("/remember {text}"));
            it.complete(update);
        }
        it.say(6, &format!("/remember {}", "long ".repeat(20)));
    });
    let said: Vec<&str> = done
        .iter()
        .filter_map(|it| it.strip_prefix("send "))
        .map(|it| it.split_once(' ').unwrap().1)
        .collect();
    let (yes, known) = ("📝 I will remember: “", "I remember that already.");
    assert!(said[0].starts_with(yes) && said[2].starts_with(yes) && said[3].starts_with(yes));
    assert_eq!(said[1], known);
    assert_eq!(said[4], "I remember 3 things alre");
    assert_eq!(said[5], "That is too long to reme");
}

pub(super) fn press(world: &mut World, update: i64, person: PersonId, data: &str) {
    let person = Person { id: person, first_name: String::new(), language: None };
    let (query, data) = ("q".to_owned(), data.to_owned());
    world.arrive(
        update,
        Some(Inbound::Pressed(Pressed { person, query, data, private: true, message: None })),
    );
    world.pull(false);
    world.settle();
    world.complete(update);
}

#[test]
fn a_fact_is_forgotten_at_the_first_press_and_a_second_changes_nothing() {
    let done = run(|it| {
        it.say(1, "/remember I like tea");
        it.complete(1);
        it.say(2, "/memory");
        let Some(Effect::Deliver { what: Sayable::Notice(list), .. }) = it.asked.last() else {
            panic!("no list")
        };
        let button = list.part().buttons[0][0].data.clone();
        assert!(list.part().plain.contains("1. I like tea (sage)"), "{list:?}");
        it.complete(2);
        press(it, 3, ADMIN, &button);
        press(it, 4, GUEST, &button);
        press(it, 5, GUEST, &button);
        it.say(6, "What do I like?");
        it.answer(6, "");
        let Some(Effect::Complete(_, question)) = it.asked.last() else { panic!("not asked") };
        assert!(question.facts.is_empty(), "what is forgotten is in no prompt");
    });
    let forgotten = done.iter().filter(|it| it.contains("forgotten(0)")).count();
    assert_eq!(forgotten, 1);
    for said in [
        "send 3.0: Only the person who said",
        "send 4.0: 🗑 Forgotten: “I like tea",
        "send 5.0: That is forgotten alread",
    ] {
        assert!(done.contains(&said.to_owned()), "{done:#?}");
    }
}

#[test]
fn a_model_proposes_facts_only_where_it_may_and_they_are_labelled() {
    let answer = &format!("Hello!\n[[remember: likes tea]] [[remember: {ATTACK}]]");
    let asked = |proposes: bool, answer: &str| {
        let mut world = World::new(KEY, config());
        world.folded.noticed = true;
        world.session = Session::new(KEY, Arc::clone(&world.config), world.folded.clone());
        if proposes {
            world.view = proposing_view();
        }
        world.say(1, "hi");
        world.answer(1, "");
        world.answer(1, answer);
        world.complete(1);
        world
    };
    let off = asked(false, answer);
    assert!(off.folded.facts.is_empty());
    let refused = asked(true, answer);
    assert!(refused.folded.facts.is_empty(), "proposals are judged like what people write");
    assert!(refused.log.contains(&"send 1.0: Hello!".to_owned()), "{:#?}", refused.log);
    let on = asked(true, "Hello!\n[[remember: likes tea]]");
    let facts = on.folded.facts_in(Space::own(&"sage".parse().unwrap()));
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].origin, FactOrigin::Proposed("sage".parse().unwrap()));
    assert_eq!((facts[0].text.as_str(), facts[0].by), ("likes tea", GUEST));
    assert!(on.log.contains(&"send 1.0: Hello!".to_owned()), "{:#?}", on.log);
    assert!(on.log.contains(&"send 1.1: 📝 sage has noted somethi".to_owned()), "{:#?}", on.log);
    assert_eq!(&*on.folded.history(&"sage".parse().unwrap())[0].answered, "Hello!");
}

#[test]
fn the_past_is_searched_once_there_is_one_that_the_prompt_does_not_hold() {
    let done = run_with(
        |it| it.memory.recalls = true,
        |it| {
            for update in 1..=6 {
                it.say(update, &format!("q{update}"));
                it.complete(update);
            }
            digest(it);
            it.say(7, "q7");
            it.answer(7, "");
            let found = Recollection { asked: "q1".to_owned(), answered: "a".to_owned() };
            it.take(7);
            it.tell(Input::Recalled(UpdateId(7), vec![found.clone()]));
            let Some(Effect::Complete(_, question)) = it.asked.last() else { panic!("not asked") };
            assert_eq!(question.recalled, [found]);
            it.say(8, "/cancel");
            it.complete(8);
            it.say(9, "q9");
            it.answer(9, "");
            it.say(10, "/cancel");
        },
    );
    let searched: Vec<&String> = done.iter().filter(|it| it.starts_with("recall")).collect();
    assert_eq!(searched, ["recall for 7: q7", "recall for 9: q9"]);
    assert!(done.contains(&"learn 5: q6".to_owned()), "{done:#?}");
    assert!(done.contains(&"withdraw 9".to_owned()), "a search can be cancelled: {done:#?}");
}

#[test]
fn a_model_that_is_never_free_for_a_summary_is_not_waited_for_until_turns_are_lost() {
    let done = run(|it| {
        for update in 1..=12 {
            it.say(update, &format!("q{update}"));
            it.complete(update);
        }
        assert_eq!(it.folded.history(&"sage".parse().unwrap()).len(), 12, "nothing is lost");
        it.asked.retain(|it| !matches!(it, Effect::Summarise(_)));
        digest(it);
    });
    assert_eq!(done.last().unwrap(), "summary by extract");
    assert_eq!(done.iter().filter(|it| it.starts_with("summarise")).count(), 1);
}
