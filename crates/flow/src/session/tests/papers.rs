//! What people bring is kept once, whatever crashes, and told under the answer.

use protocol::{
    document::PaperId,
    inbound::{Attachment, FileKind, FileRef},
};

use super::*;
use crate::{
    papers::{Cabinet, Keeping},
    senses::{NotSensed, ReadFile},
    session::PaperWish,
};

const LIMITS: PaperLimits = PaperLimits { papers_max: 20, bytes_max: 10_000, chars_max: 1_000 };

pub(super) fn describe(update: UpdateId, wish: &PaperWish) -> String {
    match wish {
        PaperWish::Keep(new) => format!("keep {} for {update}", new.name),
        PaperWish::List(of) => format!("list the papers of {of} for {update}"),
        PaperWish::Delete(of, id) => format!("delete {} of {of} for {update}", id.0),
        PaperWish::Search(of, _, query) => format!("search {query} of {of} for {update}"),
    }
}

/// As if there were room, and nothing was kept before.
pub(super) fn good_answer(update: UpdateId, wish: &PaperWish) -> Input {
    match wish {
        PaperWish::Keep(new) => {
            let kept = Keeping::Kept { name: new.name.clone(), is_cut: new.is_cut };
            Input::PaperKept(update, kept)
        }
        PaperWish::List(_) | PaperWish::Delete(..) | PaperWish::Search(..) => {
            Input::Looked(update, words::unknown_command())
        }
    }
}

fn world(key: SessionKey) -> World {
    world_gathering(key, Duration::ZERO)
}

fn world_gathering(key: SessionKey, gather_time: Duration) -> World {
    let mut config = config();
    config.home.gather_time = gather_time;
    config.papers = LIMITS;
    config.house.abilities.documents_bytes_max = Some(1 << 20);
    let mut world = World::new(key, config);
    world.events.push(Event::NoticeShown);
    world.folded.noticed = true;
    world.session = Session::new(key, Arc::clone(&world.config), world.folded.clone());
    world
}

fn file(name: &str) -> FileRef {
    FileRef {
        kind: FileKind::Document,
        file: "x".to_owned(),
        bytes: Some(900),
        media_type: None,
        seconds: None,
        name: Some(name.to_owned()),
        language: None,
        is_replied: false,
    }
}

fn send(world: &mut World, update: i64, file: FileRef, caption: &str) {
    let attachment = Some(Attachment::File(Box::new(file)));
    let message = MessageId(update);
    let said = Said { attachment, message, ..said(GUEST, caption) };
    world.arrive(update, Some(Inbound::Said(said)));
    world.pull(false);
}

fn read(update: i64, text: &str) -> Input {
    let read = ReadFile { text: text.to_owned(), bytes: 900, is_cut: false };
    Input::TakenIn(UpdateId(update), Ok(Sensed::Read(read)))
}

/// Takes what was asked first.
fn next(world: &mut World) -> Effect {
    world.settle();
    world.asked.remove(0)
}

#[test]
fn files_3_what_a_person_brings_is_kept_after_the_guard_and_before_the_model_and_that_is_said() {
    let mut world = world(KEY);
    send(&mut world, 1, file("lease.pdf"), "When does it end?");
    next(&mut world);
    world.input(read(1, "The lease ends in May."));
    world.complete(1);
    let log = world.log.join("\n");
    let place = |what: &str| log.find(what).unwrap_or_else(|| panic!("no {what}:\n{log}"));
    let steps = [
        "take in Document for 1",
        "screen 1: When does it end?",
        "keep lease.pdf for 1",
        "ask sage for 1: [] When does it end?",
        "send 1.0: answer 1",
        "send 1.1: 📎 I keep the text of “l",
        "Answered, close 1",
    ];
    assert!(steps.map(place).is_sorted(), "{log}");
    let newest = world.folded.histories.values().next().unwrap().back().unwrap();
    assert_eq!(&*newest.asked, "(With a file.) When does it end?");
    assert_eq!(&*newest.answered, "answer 1", "what is said of the file is no part of the answer");
}

#[test]
fn files_3_of_several_files_of_one_question_each_is_kept_under_its_own_name() {
    let mut world = world_gathering(KEY, Duration::from_secs(1));
    send(&mut world, 1, file("lease.pdf"), "");
    send(&mut world, 2, file("rules.docx"), "When does it end, and may I keep a cat?");
    world.settle();
    let mut names = Vec::new();
    while let Some(place) = world.asked.iter().position(|it| matches!(it, Effect::TakeIn(..))) {
        let Effect::TakeIn(update, file, _) = world.asked.remove(place) else { return };
        let name = file.name.unwrap();
        world.input(read(update.0, &format!("what {name} says")));
        world.settle();
        names.push((update, name));
    }
    let (question, _) = names.last().cloned().unwrap();
    world.complete(question.0);
    let log = world.log.join("\n");
    for name in ["lease.pdf", "rules.docx"] {
        let kept = format!("keep {name} for {question}");
        assert_eq!(log.matches(&kept).count(), 1, "{log}");
        assert!(names.contains(&(question, name.to_owned())), "{names:?}");
    }
    assert_eq!(log.matches("📎").count(), 2, "{log}");
    assert!(world.folded.open.is_empty(), "both messages are done");
}

#[test]
fn what_the_guard_refuses_and_what_others_brought_is_not_kept() {
    let mut refused = world(KEY);
    send(&mut refused, 1, file("a.pdf"), ATTACK);
    next(&mut refused);
    refused.input(read(1, "words"));
    refused.complete(1);
    let log = refused.log.join("\n");
    assert!(log.contains("ready(Refusal)") && !log.contains("keep "), "{log}");

    let mut replied = world(KEY);
    let said = Said {
        replied_file: Some(Box::new(FileRef { is_replied: true, ..file("theirs.pdf") })),
        ..said(GUEST, "What does it say?")
    };
    replied.arrive(1, Some(Inbound::Said(said)));
    replied.pull(false);
    next(&mut replied);
    replied.input(read(1, "words of somebody else"));
    replied.complete(1);
    let log = replied.log.join("\n");
    assert!(log.contains("send 1.0: answer 1") && !log.contains("keep "), "{log}");

    let mut nobodys = world(SessionKey { chat: ChatId(-5), ..KEY });
    let attachment = Some(Attachment::File(Box::new(file("channel.pdf"))));
    let said = Said { attachment, person: None, private: false, ..super::said(GUEST, "And this?") };
    nobodys.arrive(1, Some(Inbound::Said(said)));
    nobodys.pull(false);
    next(&mut nobodys);
    nobodys.input(read(1, "words"));
    nobodys.complete(1);
    let log = nobodys.log.join("\n");
    assert!(log.contains("answer 1") && !log.contains("keep "), "{log}");
}

#[test]
fn that_a_file_is_kept_is_told_also_where_no_model_answers() {
    let mut world = world(KEY);
    send(&mut world, 1, file("lease.pdf"), "When?");
    next(&mut world);
    world.input(read(1, "May."));
    (0..2).for_each(|_| world.answer(1, ""));
    next(&mut world);
    world.tell(Input::Completed(UpdateId(1), Err(Unanswered::AllFailed)));
    world.complete(1);
    let log = world.log.join("\n");
    assert!(log.contains("send 1.0: Sorry, I could not get"), "{log}");
    assert!(log.contains("send 1.1: 📎 I keep the text"), "{log}");
}

#[test]
fn a_document_that_cannot_be_read_is_answered_in_words_of_its_own() {
    for (why, words) in [
        (NotSensed::Locked, "That document is locked "),
        (NotSensed::TooMuch, "That document unfolds to"),
        (NotSensed::Wordless, "I found no words in that"),
    ] {
        let mut world = world(KEY);
        send(&mut world, 1, file("a.docx"), "");
        next(&mut world);
        world.tell(Input::TakenIn(UpdateId(1), Err(why)));
        world.complete(1);
        let log = world.log.join("\n");
        assert!(log.contains(&format!("send 1.0: {words}")), "{log}");
        assert!(!log.contains("ask sage") && !log.contains("keep "), "{log}");
    }
}

#[test]
fn papers_3_files_are_listed_and_deleted_by_their_person_alone() {
    let done = {
        let mut world = world(KEY);
        world.say(1, "/files");
        world.complete(1);
        script::press(&mut world, 2, GUEST, &crate::papers::button(PaperId(3), GUEST));
        script::press(&mut world, 3, ADMIN, &crate::papers::button(PaperId(3), GUEST));
        world.log
    };
    for line in ["list the papers of 2 for 1", "delete 3 of 2 for 2"] {
        assert!(done.contains(&line.to_owned()), "{done:#?}");
    }
    assert!(done.contains(&"send 3.0: Those are somebody else'".to_owned()), "{done:#?}");
    assert!(!done.iter().any(|it| it.starts_with("delete") && it.ends_with("for 3")), "{done:#?}");
}

/// Xorshift: the same seed, the same run.
fn roll(dice: &mut u64, sides: u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    *dice % sides
}

/// Somebody does what was asked. A paper is durable before the session hears of it, if it ever does.
fn act(world: &mut World, cabinet: &mut Cabinet, dice: &mut u64) {
    let count = u64::try_from(world.asked.len()).unwrap();
    if count == 0 {
        return;
    }
    let asked = world.asked.swap_remove(usize::try_from(roll(dice, count)).unwrap());
    let input = match &asked {
        Effect::TakeIn(update, ..) => read(update.0, &format!("what {update} says")),
        Effect::Papers(update, PaperWish::Keep(new)) => {
            let (event, outcome) = cabinet.keep(*update, new, LIMITS);
            event.into_iter().for_each(|it| cabinet.apply(it));
            if roll(dice, 4) == 0 {
                world.crash();
                return;
            }
            Input::PaperKept(*update, outcome)
        }
        other => good_answer_of(other),
    };
    world.input(input);
}

fn good_answer_of(asked: &Effect) -> Input {
    super::good_answer(asked, "an answer").unwrap()
}

#[test]
fn papers_2_whatever_crashes_each_file_is_kept_once_and_its_question_answered_in_1_000_seeds() {
    const FILES: i64 = 6;
    let mut crashes = 0;
    for seed in 1..=1_000_u64 {
        let mut config = config();
        config.papers = LIMITS;
        config.attempts_max = 1_000;
        config.backlog_max = 10;
        config.house.abilities.documents_bytes_max = Some(1 << 20);
        let mut world = World::new(KEY, config);
        let (mut cabinet, mut dice, mut sent) = (Cabinet::default(), seed * 7_919 + 1, 0);
        for _ in 0..4_000 {
            match roll(&mut dice, 12) {
                0 if sent < FILES => {
                    sent += 1;
                    send(&mut world, sent, file(&format!("{sent}.pdf")), "What is in it?");
                }
                1 if roll(&mut dice, 8) == 0 && sent < FILES => {
                    world.crash();
                }
                2..5 => world.written(),
                _ => act(&mut world, &mut cabinet, &mut dice),
            }
            if sent == FILES && world.waiting.is_empty() && world.recording.is_none() {
                break;
            }
        }
        assert!(world.waiting.is_empty(), "seed {seed}:\n{}", world.log.join("\n"));
        crashes += world.log.iter().filter(|it| it.contains("crash")).count();
        let mut kept: Vec<i64> = cabinet.papers().iter().map(|it| it.update.0).collect();
        kept.sort_unstable();
        assert_eq!(kept, (1..=FILES).collect::<Vec<_>>(), "seed {seed}: each once, none lost");
        for update in 1..=FILES {
            let outcome = world.closed[&UpdateId(update)];
            assert_eq!(outcome, protocol::event::Outcome::Answered, "seed {seed}: {update}");
        }
    }
    assert!(1_000 < crashes, "the weather was too good: {crashes}");
}
