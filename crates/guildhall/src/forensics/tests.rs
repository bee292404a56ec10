//! Reports of halls that were really made, and of what was changed in them afterwards.

use std::{fs, path::PathBuf, sync::Arc};

use flow::incident::Desk;
use protocol::{
    BotId, ChatId, Clock as _, MessageId, PersonId, SessionKey, UpdateId,
    audit::{Action, AuditLog as _, Deed, Doer, Outcome as DeedOutcome, Target},
    event::{Answer, AnswerKind, Course, Event, HeldText, Judged, Outcome, Part},
    ledger::{Append, Ledger as _, Owned, Stream},
    model::Usage,
};
use store::{KeyPlace, Keys, Store, audit::Audit};

use super::*;
use crate::{
    audit,
    config::{Env, Loaded, load_text},
    master,
    run::{SystemClock, store_config},
};

/// The ids that may be in no report: of a person, of a group, of an update, of a message.
const PERSON: i64 = 7_770_001_234;
const OTHER: i64 = 7_770_005_678;
const GROUP: i64 = -1_007_770_009_012;
const UPDATE: i64 = 880_011_223;
const MESSAGE: i64 = 440_055_667;
/// What was said, and may be in no report that was not asked for it.
const ASKED: &str = "canary-of-a-question <b>|`*";
const ANSWERED: &str = "canary-of-an-answer";
const STOPPED: &str = "canary-of-what-was-stopped";
const FORMS: [Form; 3] = [Form::Md, Form::Html, Form::Json];

struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// A hall in which somebody asked three things, was refused six times and tried what is not theirs.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        let house = Self { folder };
        let loaded = house.loaded();
        let config = &loaded.config;
        Keys::create(&config.key_file(), KeyPlace::OutsideOf(&config.hall.data_dir)).unwrap();
        let store = house.store();
        let log = audit::open(config, &store).unwrap();
        let desk = Desk::before(Arc::new(log));
        for _ in 0..6 {
            desk.note(
                denied(PERSON, Action::GuardRefused, "sage").about("a question, ref 00000001"),
            );
        }
        desk.note(denied(PERSON, Action::CommandDenied, "spawn"));
        desk.note(denied(OTHER, Action::CommandDenied, "spawn"));
        kit::block_on(async {
            let closed = audit::deed(Doer::Operator, Action::HallStarted, Target::Nothing);
            desk.record(closed).await.unwrap();
            house.ask(&store, (PERSON, PERSON, 1), AnswerKind::Model).await;
            house.ask(&store, (PERSON, GROUP, 2), AnswerKind::Refusal).await;
            house.ask(&store, (OTHER, GROUP, 3), AnswerKind::Model).await;
        });
        drop(desk);
        store.close().unwrap();
        house
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn loaded(&self) -> Loaded {
        let settings = format!(
            "hall = {{ data_dir = {:?}, key_file = {:?} }}\nlogs = {{ dir = {:?} }}\nstore = {{ engine = \"redb\" }}\n\
             http = {{ addr = \"127.0.0.1:1\" }}\n",
            self.at("data"),
            self.at("secrets/master.key"),
            self.at("logs"),
        );
        load_text("", &settings, &Env::new()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn store(&self) -> Store {
        let config = self.loaded().config;
        Store::open(store_config(&config), master::keys(&config).unwrap()).unwrap()
    }

    async fn ask(&self, store: &Store, (asker, chat, turn): (i64, i64, i64), kind: AnswerKind) {
        let key = SessionKey { bot: BotId(9), chat: ChatId(chat), topic: None };
        let at = store.load(Stream::Session(key)).await.unwrap().at;
        let events = serde_json::to_vec(&events(asker, turn, kind)).unwrap();
        let (stream, events) = (Stream::Session(key), vec![Owned::by(PersonId(asker), events)]);
        let append = Append { stream, expected: at, events, closes: Vec::new() };
        store.append(append).await.unwrap();
    }

    /// A line in a file of the log, in the clear as earlier versions wrote them.
    fn log(&self, name: &str, text: &str) {
        fs::write(self.at("logs").join(name), text).unwrap();
    }

    fn report(&self, number: u64, with_texts: bool) -> (Report, store::audit::AuditKeys) {
        let ask = Ask { number, window_ms: 3_600_000, with_texts, log: None, anchor: None };
        examine(&self.loaded(), &ask).unwrap()
    }

    fn sealed(&self, form: Form, with_texts: bool) -> String {
        let (report, keys) = self.report(1, with_texts);
        sealed(&report, form, &keys).unwrap()
    }

    fn actions(&self) -> Vec<(String, String)> {
        let config = self.loaded().config;
        let mut all = Vec::new();
        let each = &mut |record: &Record, _: &[u8]| {
            all.push((record.action.clone(), record.target.clone()));
            Ok(())
        };
        store::audit::read(&audit::place(&config), &audit::keys(&config).unwrap(), each).unwrap();
        all
    }
}

fn denied(person: i64, action: Action, thing: &str) -> Deed {
    let (actor, target) = (Doer::Person(PersonId(person)), Target::Thing(thing.to_owned()));
    audit::deed(actor, action, target).with(DeedOutcome::Denied)
}

fn events(asker: i64, turn: i64, kind: AnswerKind) -> Vec<Event> {
    let update = UpdateId(UPDATE + turn);
    let agent: protocol::AgentName = "sage".parse().unwrap();
    let is_refused = kind == AnswerKind::Refusal;
    let judged = |verdict: &str| Judged { verdict: verdict.to_owned(), ..Judged::default() };
    let course = Course {
        agent: Some(agent.clone()),
        asker: Some(PersonId(asker)),
        arrived: SystemClock.now(),
        ready_ms: 40,
        calls: 1,
        ..Course::default()
    };
    let parts = vec![Part::plain(ANSWERED)];
    let answer =
        Answer { kind, parts, reply_to: Some(MessageId(MESSAGE)), answered: None, reference: None };
    let usage = Usage { input_tokens: 30, output_tokens: 40, cost_micros: 5, booked: 0 };
    let asked = ASKED.to_owned();
    let mut all = vec![Event::PromptJudged {
        update,
        judged: judged(if is_refused { "refuse" } else { "clear" }),
    }];
    match is_refused {
        true => all.push(Event::TextHeldBack {
            update,
            held: HeldText { of_answer: false, agent, texts: vec![STOPPED.to_owned()] },
        }),
        false => all.extend([
            Event::CompletionStarted {
                update,
                agent,
                asked,
                replaces: false,
                reserved: 9,
                tainted: false,
            },
            Event::DraftReceived { update, model: "openai/small".to_owned(), usage },
            Event::DraftJudged { update, judged: judged("clear") },
        ]),
    }
    let outcome = if is_refused { Outcome::Refused } else { Outcome::Answered };
    all.extend([
        Event::CourseNoted { update, course },
        Event::AnswerReady { update, answer },
        Event::PartSent { update, part: 0, message: MessageId(MESSAGE + turn) },
        Event::TurnClosed { update, outcome },
    ]);
    all
}

fn line(message: &str, more: &str) -> String {
    let at = crate::page::moment(SystemClock.now());
    format!(
        "{{\"@timestamp\":\"{at}\",\"log.level\":\"warn\",\"message\":\"{message}\",\"service.name\":\"guildhall\"{more}}}\n"
    )
}

const PLAIN: &str = "guildhall-2026-11-26.ndjson";

#[test]
fn forensics_1_without_the_flag_no_text_and_no_id_is_in_a_report_in_any_format() {
    let house = House::new();
    house.log(PLAIN, &line("an officer's command was denied", ""));
    let ids = [PERSON, OTHER, GROUP, UPDATE, UPDATE + 1, MESSAGE, MESSAGE + 1];
    for form in FORMS {
        let text = house.sealed(form, false);
        for id in ids.map(|it| it.abs().to_string()) {
            assert!(!text.contains(&id), "{id} is in {form:?}:\n{text}");
        }
        for said in [&ASKED[..20], ANSWERED, STOPPED] {
            assert!(!text.contains(said), "{said} is in {form:?}:\n{text}");
        }
        assert!(text.contains("openai/small") && text.contains("a question to sage: refused"));
    }
    let seen = house.actions();
    let examined = ("incident.examined".to_owned(), "incident-1".to_owned());
    assert_eq!(seen.iter().filter(|it| **it == examined).count(), FORMS.len(), "{seen:?}");
    assert!(seen.iter().all(|(action, _)| action != "text.shown"));
}

#[test]
fn forensics_1_with_the_flag_texts_are_shown_and_whose_they_are_is_noted_first() {
    let house = House::new();
    let keys = audit::keys(&house.loaded().config).unwrap();
    for form in FORMS {
        let text = house.sealed(form, true);
        for said in [&ASKED[..20], ANSWERED, STOPPED] {
            assert!(text.contains(said), "{said} is not in {form:?}:\n{text}");
        }
        assert!(!text.contains("<b>|`*") || form == Form::Json, "{form:?} escapes it:\n{text}");
        assert!(!text.contains(&PERSON.to_string()), "{form:?}: {text}");
    }
    let seen = house.actions();
    let shown: Vec<&String> =
        seen.iter().filter(|it| it.0 == "text.shown").map(|(_, target)| target).collect();
    assert_eq!(shown, [&keys.person(PERSON); FORMS.len()], "of whom, once for each report");
    let report = house.report(1, true).0;
    let noted = report.made.noted_as.unwrap();
    let record = report.moments.iter().find(|it| it.place == format!("record {noted}")).unwrap();
    assert!(record.what.starts_with("incident.examined, done"), "{record:?}");
    assert!(record.details.iter().any(|(_, it)| it.contains("with texts")), "{record:?}");
}

#[test]
fn a_report_has_what_belongs_to_the_incident_in_the_order_of_time_and_says_why() {
    let house = House::new();
    let person = audit::keys(&house.loaded().config).unwrap().person(PERSON);
    let word = person.strip_prefix("person:").unwrap();
    let theirs = line("theirs", &format!(",\"labels.person\":\"{word}\""));
    let info = line("of nobody", "").replace("warn", "info");
    house.log(PLAIN, &(theirs + &line("of the hall", "") + &info));
    let (report, _) = house.report(1, false);
    assert_eq!((report.incident.kind, report.incident.severity), ("guard", "medium"));
    assert_eq!((report.sums.turns, report.sums.answered, report.sums.refused), (2, 1, 1));
    assert_eq!((report.sums.input_tokens, report.sums.cost_micros), (30, 5));
    assert!(report.moments.is_sorted_by_key(|it| it.at_ms));
    let of = |origin, about| {
        report.moments.iter().filter(|it| (it.origin, it.about) == (origin, about)).count()
    };
    assert_eq!(of(Origin::Ledger, About::PersonAndAgent), 2);
    // Five singly, and the sixth is in a count, which names no agent; besides, the command.
    assert_eq!(of(Origin::Audit, About::PersonAndAgent), 5);
    assert_eq!(of(Origin::Audit, About::Person), 2);
    assert_eq!(of(Origin::Audit, About::Hall), 1);
    assert_eq!((of(Origin::Log, About::Person), of(Origin::Log, About::Hall)), (1, 1));
    assert!(3 <= of(Origin::Audit, About::Incident));
    assert!(report.moments.iter().all(|it| it.sha256.len() == 64));
    assert!(report.chain.is_whole && report.made.noted_as.is_some(), "{:?}", report.chain);
    let names: Vec<&str> = report.sources.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["audit/log", "ledger", &format!("logs/{PLAIN}")]);
    let missing = examine(
        &house.loaded(),
        &Ask { number: 9, window_ms: 1, with_texts: false, log: None, anchor: None },
    );
    assert_eq!(missing.unwrap_err(), ExamineError::NoSuchIncident(9));
}

#[test]
fn forensics_2_what_is_missing_torn_or_changed_is_a_gap_with_a_name() {
    let house = House::new();
    let gap = |report: &Report, what: &str| {
        assert!(report.gaps.iter().any(|it| it.contains(what)), "{what}: {:#?}", report.gaps);
    };
    let report = house.report(1, false).0;
    gap(&report, "log: there is no file of it");
    gap(&report, "metrics: the hall keeps no history");
    house.log("guildhall-2026-11-26.log", "this is no frame of ours, and long enough to be one");
    house.log(PLAIN, &(line("good", "") + "{\"no\": \"line\"}\n"));
    let report = house.report(1, false).0;
    gap(&report, &format!("logs/{PLAIN}: 1 lines of it do not read"));
    gap(&report, "2026-11-26.log: it is no log file of this version");
    // The ledger is gone: of what is left something is said all the same.
    fs::rename(ledger(&house), house.at("ledger.away")).unwrap();
    let report = house.report(1, false).0;
    gap(&report, "the ledger was not read: there is no ledger");
    assert!(report.moments.iter().any(|it| it.origin == Origin::Audit));
    assert!(report.moments.iter().all(|it| it.origin != Origin::Ledger));
}

fn ledger(house: &House) -> PathBuf {
    crate::run::store_folder(&house.loaded().config)
}

#[test]
fn forensics_2_a_changed_audit_log_takes_no_note_so_nothing_is_shown_until_it_is_set_aside() {
    let house = House::new();
    let config = house.loaded().config;
    let place = audit::place(&config);
    let mut bytes = fs::read(&place.log).unwrap();
    let last = bytes.len() - 200;
    bytes[last] ^= 1;
    fs::write(&place.log, &bytes).unwrap();
    let ask = Ask { number: 1, window_ms: 3_600_000, with_texts: true, log: None, anchor: None };
    let refused = examine(&house.loaded(), &ask).unwrap_err().to_string();
    assert!(refused.contains("guildhall audit resume"), "{refused}");
    let now = SystemClock.now();
    drop(Audit::resume(&place, audit::keys(&config).unwrap(), Doer::Operator, now).unwrap());
    let aside = |path: &PathBuf| PathBuf::from(format!("{}.broken-{}", path.display(), now.0));
    let ask = Ask { log: Some(aside(&place.log)), anchor: Some(aside(&place.anchor)), ..ask };
    let (report, keys) = examine(&house.loaded(), &ask).unwrap();
    assert!(!report.chain.is_whole && report.made.noted_as.is_some(), "{report:#?}");
    assert!(
        report.gaps.iter().any(|it| it.contains("is not as it was written")),
        "{:?}",
        report.gaps
    );
    let text = sealed(&report, Form::Json, &keys).unwrap();
    let words = verify(&text, Checking::Here(&config)).unwrap();
    assert!(words.contains("audit-log-handed-in: it is no file here"), "{words}");
}

#[test]
fn forensics_3_whatever_is_changed_in_a_report_is_found() {
    let house = House::new();
    house.log(PLAIN, &line("of the hall", ""));
    let config = house.loaded().config;
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    for form in FORMS {
        let text = house.sealed(form, false);
        let words = verify(&text, Checking::Here(&config)).unwrap();
        assert!(words.contains("the key of this hall"), "{words}");
        assert!(words.contains("audit/log: the") && words.contains("are as they were"), "{words}");
        let is_found = |changed: String| {
            assert!(verify(&changed, Checking::Here(&config)).is_err(), "{form:?}: {changed}");
        };
        for _ in 0..200 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let mut bytes = text.clone().into_bytes();
            let place = usize::try_from(dice).unwrap() % bytes.len();
            bytes[place] ^= 1 << ((dice >> 60) % 7);
            if let Ok(changed) = String::from_utf8(bytes) {
                is_found(changed);
            }
            let end = text.floor_char_boundary(place);
            is_found(text[..end].to_owned());
        }
        for more in [" ", "\n", "more", "\0"] {
            is_found(text.clone() + more);
            is_found(more.to_owned() + &text);
        }
        // A line is taken out, or put in twice.
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for at in (0..lines.len()).step_by(7) {
            let (before, after) = (lines[..at].concat(), lines[at + 1..].concat());
            is_found(format!("{before}{after}"));
            is_found(format!("{before}{}{}{after}", lines[at], lines[at]));
        }
    }
}

#[test]
fn forensics_3_another_key_and_changed_sources_are_found_and_what_only_grew_is_not() {
    let (house, other) = (House::new(), House::new());
    house.log(PLAIN, &line("of the hall", ""));
    let text = house.sealed(Form::Json, false);
    let (config, others) = (house.loaded().config, other.loaded().config);
    let key = audit::keys(&config).unwrap().public();
    let by_key = verify(&text, Checking::ByKey(&key)).unwrap();
    assert!(by_key.contains("records of the audit log have the hash"), "{by_key}");
    assert_eq!(verify(&text, Checking::Here(&others)), Err(VerifyError::OtherKey { key }));
    let path = house.at("logs").join(PLAIN);
    let good = fs::read(&path).unwrap();
    fs::write(&path, [good.clone(), b"more\n".to_vec()].concat()).unwrap();
    assert!(verify(&text, Checking::Here(&config)).is_ok(), "what was read is still there");
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    let cut = verify(&text, Checking::Here(&config));
    assert!(matches!(cut, Err(VerifyError::SourceChanged(_))), "{cut:?}");
    fs::write(&path, good.iter().map(|it| it ^ 1).collect::<Vec<_>>()).unwrap();
    let changed = verify(&text, Checking::Here(&config));
    assert!(matches!(changed, Err(VerifyError::SourceChanged(_))), "{changed:?}");
    fs::remove_file(&path).unwrap();
    let gone = verify(&text, Checking::Here(&config)).unwrap();
    assert!(gone.contains("it is not here any more"), "{gone}");
}

#[test]
fn a_crash_has_the_turns_that_failed_and_a_sign_in_has_none() {
    let house = House::new();
    let store = house.store();
    let desk = Desk::before(Arc::new(audit::open(&house.loaded().config, &store).unwrap()));
    let failed = audit::deed(Doer::Hall, Action::ActorFailed, Target::Thing("broker".to_owned()));
    desk.note(failed.with(DeedOutcome::Failed));
    let login = audit::deed(Doer::Nobody, Action::LoginFailed, Target::Nothing);
    desk.note(login.with(DeedOutcome::Denied));
    kit::block_on(house.ask(&store, (OTHER, GROUP, 7), AnswerKind::Apology));
    let find = |kind: &str| {
        let all = desk.all();
        let found = all.newest_first().find(|it| it.kind.word() == kind && it.person != "x");
        found.map(|it| it.number).unwrap()
    };
    let (crash, access) = (find("crash"), find("access"));
    drop(desk);
    store.close().unwrap();
    let crash = house.report(crash, false).0;
    assert_eq!((crash.incident.person.as_str(), crash.sums.turns), ("hall", 1));
    let access = house.report(access, false).0;
    assert_eq!((access.incident.person.as_str(), access.sums.turns), ("nobody", 0));
    assert!(access.gaps.iter().any(|it| it.contains("names no person")), "{:?}", access.gaps);
}
