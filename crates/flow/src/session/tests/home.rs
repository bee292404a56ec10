//! Questions of several messages, edited questions, and how answers come: in place of others, or as a file.

use protocol::event::Outcome;

use super::*;

/// A private chat in which messages within a second are one question.
fn world() -> World {
    let mut config = config();
    let gather_time = Duration::from_secs(1);
    config.home = HomeConfig { gather_time, messages_max: 3, ..HomeConfig::default() };
    let mut world = World::new(KEY, config);
    world.events.push(Event::NoticeShown);
    world.folded.noticed = true;
    world.session = Session::new(KEY, Arc::clone(&world.config), world.folded.clone());
    world
}

impl World {
    /// Message `update` is written.
    fn write(&mut self, update: i64, text: &str) {
        self.write_as(update, Said { message: MessageId(update), ..said(GUEST, text) });
    }

    fn write_as(&mut self, update: i64, said: Said) {
        self.arrive(update, Some(Inbound::Said(said)));
        self.pull(false);
        self.settle();
    }

    fn edit(&mut self, update: i64, message: i64, text: &str) {
        let said = Said { message: MessageId(message), ..said(GUEST, text) };
        self.arrive(update, Some(Inbound::Edited(said)));
        self.pull(false);
        self.settle();
    }

    /// The next step of a turn goes well.
    fn answer_once(&mut self, update: i64) {
        self.answer(update, &format!("answer {update}"));
    }

    /// A part of the answer is shown while it is written.
    fn show(&mut self, update: i64, written: &str) {
        self.tell(Input::Ticked(UpdateId(update), Some(written.to_owned())));
        let is_it = |it: &Effect| matches!(it, Effect::ScreenPreview(..));
        let at = self.asked.iter().position(is_it).unwrap();
        let input = good_answer(&self.asked.remove(at), "").unwrap();
        self.tell(input);
    }

    /// What a model was asked, in order, and what was sent.
    fn asked_and_sent(&self) -> Vec<&str> {
        let is_it = |it: &&str| it.starts_with("ask ") || it.starts_with("send ");
        self.log.iter().map(String::as_str).filter(is_it).collect()
    }

    fn outcomes(&self) -> Vec<(i64, Outcome)> {
        let mut all: Vec<_> = self.closed.iter().map(|(it, outcome)| (it.0, *outcome)).collect();
        all.sort_unstable_by_key(|it| it.0);
        all
    }
}

#[test]
fn messages_in_a_row_are_one_question_and_all_end_with_it() {
    let mut world = world();
    world.write(1, "hi");
    world.answer_once(1);
    world.write(2, "are you there?");
    world.write(3, "it is me");
    world.complete(3);
    assert_eq!(
        world.asked_and_sent(),
        [
            "ask sage for 1: [] hi",
            "ask sage for 3: [] hi\nare you there?\nit is me",
            "send 3.0: answer 3",
        ]
    );
    let all = [(1, Outcome::Answered), (2, Outcome::Answered), (3, Outcome::Answered)];
    assert_eq!(world.outcomes(), all);
}

#[test]
fn what_comes_later_or_from_others_or_after_something_was_shown_is_a_question_of_its_own() {
    let mut late = world();
    late.write(1, "hi");
    let written = Timestamp(5_000);
    late.write_as(2, Said { written, message: MessageId(2), ..said(GUEST, "later") });
    late.write_as(3, Said { written, message: MessageId(3), ..said(ADMIN, "another") });
    (1..=3).for_each(|it| late.complete(it));
    assert_eq!(late.asked_and_sent().len(), 6, "{:#?}", late.log);
    let mut shown = world();
    shown.write(1, "hi");
    shown.answer_once(1);
    shown.show(1, &"A long beginning of an answer that can be seen already. ".repeat(8));
    shown.write(2, "more");
    (1..=2).for_each(|it| shown.complete(it));
    assert!(shown.log.contains(&"screen 2: more".to_owned()), "{:#?}", shown.log);
}

#[test]
fn an_album_waits_for_its_pieces_and_takes_those_without_words() {
    let mut world = world();
    let piece = |update: i64, text: &str| Said {
        message: MessageId(update),
        album: Some("a".to_owned()),
        attachment: Some(protocol::inbound::Attachment::Other),
        addressed: !text.is_empty(),
        ..said(GUEST, text)
    };
    world.write_as(1, piece(1, "What is this?"));
    world.write_as(2, piece(2, ""));
    world.write_as(3, piece(3, ""));
    assert_eq!(world.asked_and_sent(), [""; 0], "nobody is asked yet");
    world.input(Input::Gathered(UpdateId(1)));
    world.input(Input::Gathered(UpdateId(3)));
    world.complete(3);
    let done = ["ask sage for 3: [] What is this?", "send 3.0: answer 3"];
    assert_eq!(world.asked_and_sent(), done);
    assert_eq!(world.outcomes().len(), 3);
}

#[test]
fn what_was_forwarded_stays_a_quotation_beside_the_persons_own_words() {
    let mut world = world();
    world.write(1, "What do you say to this?");
    let forwarded_from = Some("Eve".to_owned());
    let eves = Said { forwarded_from, message: MessageId(2), ..said(GUEST, "Buy now!") };
    world.write_as(2, eves);
    world.answer_once(2);
    let asked = world.asked.iter().find_map(|it| match it {
        Effect::Complete(_, question) => Some(question.prompt.get().clone()),
        _ => None,
    });
    let asked = asked.unwrap();
    assert_eq!(asked.text, "What do you say to this?");
    assert_eq!((asked.quoted.as_deref(), asked.forwarded_from), (Some("Buy now!"), None));
}

#[test]
fn after_a_crash_they_come_together_again_and_are_answered_once() {
    let mut world = world();
    world.write(1, "hi");
    world.write(2, "there");
    world.dies();
    world.complete(1);
    assert_eq!(world.asked_and_sent(), ["ask sage for 1: [] hi\nthere", "send 1.0: answer 1"]);
    assert_eq!(world.outcomes().len(), 2);
}

#[test]
fn a_crash_after_the_answer_is_fixed_sends_it_and_asks_nobody_again() {
    let mut world = world();
    world.write(1, "hi");
    world.write(2, "there");
    (0..3).for_each(|_| world.answer_once(2));
    assert!(world.log.iter().any(|it| it.starts_with("send 2.0")), "{:#?}", world.log);
    world.dies();
    world.complete(2);
    let done = ["ask sage for 2: [] hi\nthere", "send 2.0: answer 2", "send 2.0: answer 2"];
    assert_eq!(world.asked_and_sent(), done);
    assert_eq!(world.outcomes(), [(1, Outcome::Answered), (2, Outcome::Answered)]);
}

#[test]
fn a_cancel_ends_every_message_of_the_question() {
    let mut world = world();
    world.write(1, "hi");
    world.write(2, "there");
    world.say(3, "/cancel");
    world.complete(3);
    let ends = [(1, Outcome::Cancelled), (2, Outcome::Cancelled), (3, Outcome::Answered)];
    assert_eq!(world.outcomes(), ends);
}

#[test]
fn a_question_that_is_edited_before_its_answer_is_answered_once_with_the_new_words() {
    let mut world = world();
    world.write(1, "What is a gild?");
    world.answer_once(1);
    world.edit(2, 1, "What is a guild?");
    world.complete(2);
    assert_eq!(
        world.asked_and_sent(),
        [
            "ask sage for 1: [] What is a gild?",
            "ask sage for 2: [] What is a guild?",
            "send 2.0: answer 2",
        ]
    );
    assert_eq!(world.outcomes(), [(1, Outcome::Answered), (2, Outcome::Answered)]);
    // Waiting behind another, and with nothing new in it.
    world.write(3, "first");
    let written = Timestamp(9_000);
    world.write_as(4, Said { written, message: MessageId(4), ..said(GUEST, "secnd") });
    world.edit(5, 4, "second");
    world.edit(6, 3, "first");
    (3..=6).for_each(|it| world.complete(it));
    let later = &world.asked_and_sent()[3..];
    assert_eq!(later[0], "ask sage for 3: [\"What is a guild?\"] first");
    assert_eq!(later[2], "ask sage for 4: [\"What is a guild?\", \"first\"] second");
    assert_eq!(later.len(), 4);
    assert_eq!(world.outcomes().len(), 6);
}

#[test]
fn the_last_question_edited_is_asked_again_and_its_answer_takes_the_earlier_ones_place() {
    let mut world = world();
    world.write(1, "What is a gild?");
    world.complete(1);
    world.edit(2, 1, "What is a guild?");
    world.complete(2);
    world.write(3, "And a hall?");
    world.answer_once(3);
    assert_eq!(
        world.asked_and_sent(),
        [
            "ask sage for 1: [] What is a gild?",
            "send 1.0: answer 1",
            "ask sage for 2: [] What is a guild?",
            "send 2.0 in place of 2: answer 2",
            "ask sage for 3: [\"What is a guild?\"] And a hall?",
        ]
    );
}

#[test]
fn an_edit_of_an_older_question_or_of_nothing_is_not_answered() {
    let mut world = world();
    world.write(1, "one");
    world.complete(1);
    let written = Timestamp(9_000);
    world.write_as(2, Said { written, message: MessageId(2), ..said(GUEST, "two") });
    world.complete(2);
    world.edit(3, 1, "one, edited");
    world.edit(4, 2, "two");
    world.edit(5, 77, "never seen");
    world.edit(6, 2, "/cancel");
    (3..=6).for_each(|it| world.complete(it));
    let ignored: Vec<_> = (3..=6).map(|it| (it, Outcome::Ignored)).collect();
    assert_eq!(world.outcomes()[2..], ignored);
    assert_eq!(world.asked_and_sent().len(), 4);
}

#[test]
fn an_edited_piece_is_asked_again_with_the_others_as_long_as_they_are_known() {
    let mut world = world();
    world.write(1, "hi");
    world.write(2, "ther");
    world.complete(2);
    world.edit(3, 2, "there");
    world.complete(3);
    assert_eq!(world.asked_and_sent()[2], "ask sage for 3: [] hi\nthere");
    world.dies();
    world.edit(4, 1, "hello");
    world.complete(4);
    assert!(world.log.iter().any(|it| it.starts_with("send 4.0: ✏️ I see")), "{:#?}", world.log);
}

#[test]
fn an_answer_in_several_messages_is_followed_by_one_that_says_whose_place_it_takes() {
    let mut world = world();
    world.write(1, "hi");
    world.answer_once(1);
    world.answer(1, "one|two");
    world.complete(1);
    world.edit(2, 1, "hello");
    world.complete(2);
    let sent = &world.asked_and_sent()[4..];
    assert_eq!(sent, ["send 2.0: ✏️ You edited your quest", "send 2.1: answer 2"]);
    let again = world.session.state().history(&"sage".parse().unwrap());
    assert_eq!((again.len(), &*again[0].answered), (1, "answer 2"));
}

#[test]
fn an_answer_of_many_messages_comes_as_its_beginning_and_a_file_also_after_a_crash() {
    let mut world = world();
    world.write(1, "Tell me all.");
    world.answer_once(1);
    world.answer(1, "one|two|three|four");
    (0..2).for_each(|_| world.answer_once(1));
    let sent = world.asked_and_sent()[1..].join("; ");
    assert_eq!(sent, "send 1.0: one; send 1.1: one|two|three|four");
    world.dies();
    let file = world.asked.iter().find_map(|it| match it {
        Effect::ScreenParts(_, parts) => Some(parts[0].plain.clone()),
        _ => None,
    });
    assert_eq!(file.as_deref(), Some("one|two|three|four"));
    world.answer_once(1);
    let names = world.asked.iter().filter_map(|it| match it {
        Effect::Deliver { what: Sayable::File { name, .. }, .. } => Some(name.clone()),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["tell-me-all.md"]);
    world.complete(1);
    assert_eq!(world.outcomes(), [(1, Outcome::Answered)]);
}

/// A group in which answers are shown while they are written.
fn group() -> World {
    let key = SessionKey { chat: ChatId(-5), ..KEY };
    let mut config = config();
    config.home = HomeConfig { streams_in_groups: true, marks_seen: true, ..HomeConfig::default() };
    let mut world = World::new(key, config);
    world.events.push(Event::NoticeShown);
    world.folded.noticed = true;
    world.session = Session::new(key, Arc::clone(&world.config), world.folded.clone());
    world.write_as(1, Said { private: false, ..said(GUEST, "hi") });
    world.answer_once(1);
    world
}

fn written(sentences: usize) -> String {
    "The weather is fine and everybody walks. ".repeat(sentences)
}

impl World {
    /// The outbox has accepted the message in which the answer is shown, or not.
    fn begun(&mut self, result: Result<MessageId, NotDelivered>) {
        self.asked.retain(|it| !matches!(it, Effect::Show(Show::Beginning { .. })));
        self.tell(Input::StreamBegun(UpdateId(1), result));
    }

    fn at(&mut self, second: u64) {
        self.session.tell_time(Timestamp(second * 1_000));
    }

    fn shown(&self) -> Vec<String> {
        let is_it = |it: &&String| {
            let shows = ["begin to show", "show in", "record shows", "record shown", "send"];
            shows.iter().any(|start| it.starts_with(start))
        };
        let cut = |it: &String| it.chars().take(34).collect();
        self.log.iter().filter(is_it).map(cut).collect()
    }
}

#[test]
fn in_a_group_an_answer_is_shown_in_one_message_which_it_then_takes_the_place_of() {
    let mut world = group();
    world.show(1, &written(3));
    assert_eq!(world.shown(), [""; 0], "too little to be shown");
    world.show(1, &written(8));
    world.show(1, &written(20));
    world.at(1);
    world.begun(Ok(MessageId(30)));
    world.show(1, &written(30));
    world.at(2);
    world.show(1, &written(40));
    world.show(1, &written(60));
    world.complete(1);
    assert_eq!(
        world.shown(),
        [
            "record shows",
            "begin to show 1: The weather is fi",
            "record shown in 30",
            "show in 30: The weather is fine an",
            "send 1.0 quoting 70 in place of 30",
        ]
    );
}

#[test]
fn an_answer_waits_for_the_message_in_whose_place_it_belongs() {
    for (result, sent) in [
        (Ok(MessageId(30)), "send 1.0 quoting 70 in place of 30"),
        (Err(NotDelivered::Undeliverable), "send 1.0 quoting 70: answer 1"),
    ] {
        let mut world = group();
        world.show(1, &written(20));
        let begins =
            world.asked.iter().position(|it| matches!(it, Effect::Show(Show::Beginning { .. })));
        world.asked.remove(begins.unwrap());
        (0..2).for_each(|_| world.answer_once(1));
        assert!(!world.shown().iter().any(|it| it.starts_with("send")), "{:#?}", world.log);
        world.begun(result);
        assert_eq!(world.shown().last().unwrap(), sent);
        world.complete(1);
        assert_eq!(world.outcomes(), [(1, Outcome::Answered)]);
    }
}

#[test]
fn after_a_crash_the_answer_comes_in_the_place_of_what_was_shown() {
    for is_known in [true, false] {
        let mut world = group();
        world.show(1, &written(20));
        if is_known {
            world.begun(Ok(MessageId(30)));
        } else {
            // Noted the moment it was accepted, and no more.
            let (session, update, part) = (world.key, UpdateId(1), super::super::state::DRAFT_PART);
            world.accepted.push(Accepted { session, update, part, message: MessageId(30) });
        }
        world.dies();
        world.complete(1);
        assert_eq!(world.shown().last().unwrap(), "send 1.0 quoting 70 in place of 30");
    }
}

#[test]
fn what_the_guard_hides_is_not_shown_and_its_answer_takes_the_place_all_the_same() {
    let mut world = group();
    world.show(1, &written(20));
    world.begun(Ok(MessageId(30)));
    world.at(5);
    world.show(1, &format!("{}{LEAK}", written(40)));
    world.at(9);
    world.tell(Input::Ticked(UpdateId(1), Some(written(60))));
    assert_eq!(world.log.last().unwrap(), "typing", "nothing more is shown");
    world.answer(1, LEAK);
    world.complete(1);
    assert!(!world.log.iter().any(|it| it.starts_with("show in")), "{:#?}", world.log);
    let sent = world.shown().pop().unwrap();
    assert!(sent.starts_with("send 1.0 quoting 70 in place of 30"), "{sent}");
}

#[test]
fn in_a_group_a_sign_says_that_a_question_was_seen_until_it_is_answered_or_cancelled() {
    let marks = |it: &World| -> Vec<String> {
        let is_it = |it: &&String| it.starts_with("mark") || it.starts_with("unmark");
        it.log.iter().filter(is_it).cloned().collect()
    };
    let both = ["mark 70 as seen", "unmark 70"];
    let tick = || Input::Ticked(UpdateId(1), None);
    let mut answered = group();
    answered.tell(tick());
    answered.at(3);
    (0..2).for_each(|_| answered.tell(tick()));
    answered.complete(1);
    assert_eq!(marks(&answered), both);
    let mut cancelled = group();
    cancelled.at(3);
    cancelled.tell(tick());
    cancelled.write_as(2, Said { private: false, ..said(GUEST, "/cancel") });
    cancelled.complete(2);
    assert_eq!(marks(&cancelled), both);
    let mut crashed = group();
    crashed.at(3);
    crashed.tell(tick());
    crashed.dies();
    crashed.complete(1);
    assert_eq!(marks(&crashed), both, "what was said before the crash is taken back after it");
    let mut quick = group();
    quick.complete(1);
    assert_eq!(marks(&quick), [""; 0]);
}
