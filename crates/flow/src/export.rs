//! Everything that is held of a person, as one file for programs and one to read.
//!
//! The first is JSON; its schema is `docs/export.schema.json`. The second is Markdown. What the
//! ledger gives is copied, nothing is left out: an event that cannot be read is handed over as it
//! is. Only this file makes a [`PersonalCopy`], so an outbox cannot be given any other file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use bytes::Bytes;
use protocol::{
    Language, PersonId, SessionKey, Timestamp, UpdateId,
    document::PaperEvent,
    event::Event,
    ledger::{Bookmark, Held, HeldPage, LedgerError},
    memory::FactOrigin,
    messenger::Document,
};
use serde_json::{Value, json};

use crate::{
    context,
    playbook::Measure,
    right::{Governing, Granted},
    roster::View,
    words::{self, Text, text},
};

/// The name and version of the JSON's form.
const FORM: &str = "guildhall export 1";
/// A bot may send files of 50 MB; two of them are made of this much.
const BYTES_MAX: usize = 20 << 20;

/// A file for the person whom it is about, and for nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalCopy(Arc<Document>);

impl PersonalCopy {
    /// A report for the officer who asked for it: no id of a person and no text is in one.
    pub(crate) fn of_report(
        _: Granted<Governing>,
        standard: &str,
        text: String,
        language: Language,
    ) -> Self {
        let caption = text!("report-caption", standard = standard).in_language(language);
        let (name, bytes) = (format!("guildhall-{standard}.md"), Bytes::from(text));
        Self(Arc::new(Document { name, bytes, caption }))
    }

    pub(crate) fn document(&self) -> &Document {
        &self.0
    }
}

/// Why a person did not get what is held of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// It does not fit into files that a bot may send.
    #[error("there is more than a bot may send")]
    TooLarge,
    /// The bot may not write there any more.
    #[error("the files cannot be delivered")]
    Undeliverable,
    /// The ledger cannot be read.
    #[error("the ledger cannot be read")]
    Unreadable,
}

/// What is held of a person, gathered page by page.
#[derive(Debug, Default)]
pub struct Export {
    held: Vec<Held>,
    bytes: usize,
    bytes_max: Option<usize>,
}

impl Export {
    /// For files that a bot sends.
    #[must_use]
    pub fn to_send() -> Self {
        Self { bytes_max: Some(BYTES_MAX), ..Self::default() }
    }

    /// For the operator's disk: as large as it gets.
    #[must_use]
    pub fn of_any_size() -> Self {
        Self::default()
    }

    /// Takes a page in, and says where to read on.
    ///
    /// # Errors
    /// If it is more than may be.
    pub fn take(&mut self, page: HeldPage) -> Result<Option<Bookmark>, ExportError> {
        let size = |it: &Held| match it {
            Held::Update { raw: it, .. }
            | Held::Events { events: it, .. }
            | Held::State { state: it, .. }
            | Held::Memory { memory: it, .. }
            | Held::Spending { sums: it }
            | Held::Reminder { reminder: it }
            | Held::Proposal { rule: it } => it.len(),
        };
        self.bytes += page.held.iter().map(size).sum::<usize>();
        self.held.extend(page.held.into_iter().map(without_stopped_answers));
        match self.bytes_max {
            Some(max) if max < self.bytes => Err(ExportError::TooLarge),
            Some(_) | None => Ok(page.next),
        }
    }

    /// True if nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The file for programs.
    #[must_use]
    pub fn json(&self, person: PersonId, view: &View, now: Timestamp) -> Value {
        let (allowed, blocked) = view.listed(person);
        let (mut updates, mut events) = (Vec::new(), Vec::new());
        let (mut states, mut memories, mut spending) = (Vec::new(), Vec::new(), Vec::new());
        let (mut proposals, mut reminders) = (Vec::new(), Vec::new());
        let mut documents: Vec<Value> = Vec::new();
        for held in &self.held {
            match held {
                Held::Update { session, update, at, raw } => {
                    let (update, at, content) = (update.0, time(*at), value(raw));
                    updates.push(json!({ "session": place(session), "id": update, "arrived": at, "content": content }));
                }
                Held::Events { session, events: list } => {
                    let list = value(list);
                    let each = list.as_array().cloned().unwrap_or_else(|| vec![list]);
                    let place = place(session);
                    events.extend(each.iter().map(|it| json!({ "session": place, "event": it })));
                }
                Held::State { session, state } => {
                    states.push(json!({ "session": place(session), "state": value(state) }));
                }
                Held::Memory { session, memory } if is_of_papers(memory) => {
                    let told = json!({ "session": place(session), "document": value(memory) });
                    // What is at hand says once more what was appended.
                    if !documents.contains(&told) {
                        documents.push(told);
                    }
                }
                Held::Memory { session, memory } => {
                    memories.push(json!({ "session": place(session), "memory": value(memory) }));
                }
                Held::Spending { sums } => spending.push(value(sums)),
                Held::Proposal { rule } => proposals.push(value(rule)),
                Held::Reminder { reminder } => reminders.push(value(reminder)),
            }
        }
        json!({
            "form": FORM,
            "person": person.0,
            "made": time(now),
            "access": {
                "admin": view.is_admin(person),
                "listed": allowed,
                "blocked": blocked.is_some(),
                "blocked_until": blocked.flatten().map(time),
                "playbooks": acts(person, view),
            },
            "updates": updates,
            "events": events,
            "states": states,
            "memories": memories,
            "documents": documents,
            "spending": spending,
            "proposals": proposals,
            "reminders": reminders,
        })
    }

    /// The file to read: conversations as question and answer, then what else there is.
    #[must_use]
    pub fn markdown(&self, person: PersonId, view: &View, now: Timestamp) -> String {
        let mut text = format!("# Everything kept about {person}\n\nMade {}.\n\n", time(now));
        let (listed, blocked) = view.listed(person);
        let yes = |it: bool| if it { "yes" } else { "no" };
        line(
            &mut text,
            &format!(
                "Admin: {}. On the list of those who may talk: {}. Blocked: {}.\n",
                yes(view.is_admin(person)),
                yes(listed),
                yes(blocked.is_some())
            ),
        );
        for run in view.runs().each().filter(|it| it.beginning.people.contains(&person)) {
            let steps: Vec<&str> = run.beginning.steps.iter().map(Measure::word).collect();
            let (name, at) = (&run.beginning.playbook, time(run.beginning.at));
            let is_over = if run.is_over() { "over" } else { "not over" };
            let steps = steps.join(", ");
            line(&mut text, &format!("Playbook {name}, {at}: {steps}; {is_over}.\n"));
        }
        if let Some(sums) = self.held.iter().rev().find_map(spending) {
            line(&mut text, "\n## Used of models\n");
            line(&mut text, &format!("```json\n{:#}\n```\n", value(sums)));
        }
        for rule in self.held.iter().filter_map(proposal) {
            line(&mut text, "\n## A rule that was proposed with words of yours\n");
            line(&mut text, &format!("```json\n{:#}\n```\n", value(rule)));
        }
        for reminder in self.held.iter().filter_map(reminder) {
            line(&mut text, "\n## A reminder of yours, or your time zone\n");
            line(&mut text, &format!("```json\n{:#}\n```\n", value(reminder)));
        }
        for (session, held) in self.by_session() {
            line(&mut text, &format!("\n## {}\n", title(&session)));
            let mut papers = BTreeSet::new();
            for held in held {
                // As above: once.
                if let Held::Memory { memory, .. } = held
                    && is_of_papers(memory)
                    && !papers.insert(memory)
                {
                    continue;
                }
                tell(&mut text, held);
            }
        }
        text
    }

    fn by_session(&self) -> BTreeMap<SessionKey, Vec<&Held>> {
        let mut sessions: BTreeMap<SessionKey, Vec<&Held>> = BTreeMap::new();
        for held in &self.held {
            match held {
                Held::Update { session, .. }
                | Held::Events { session, .. }
                | Held::State { session, .. }
                | Held::Memory { session, .. } => {
                    sessions.entry(*session).or_default().push(held);
                }
                Held::Spending { .. } | Held::Proposal { .. } | Held::Reminder { .. } => (),
            }
        }
        sessions
    }

    /// Both files, ready to be sent. What they hold is in English, what is said of them is not.
    pub(crate) fn files(
        &self,
        person: PersonId,
        view: &View,
        now: Timestamp,
        language: Language,
    ) -> [PersonalCopy; 2] {
        let json = format!("{:#}\n", self.json(person, view, now));
        let markdown = self.markdown(person, view, now);
        let file = |name: &str, bytes: String, caption: Text| {
            let (name, caption) = (name.to_owned(), caption.in_language(language));
            PersonalCopy(Arc::new(Document { name, bytes: Bytes::from(bytes), caption }))
        };
        [
            file("guildhall-export.json", json, text!("export-for-programs")),
            file("guildhall-export.md", markdown, text!("export-to-read")),
        ]
    }
}

/// Gathers everything, with a way to read a page.
///
/// # Errors
/// If there is too much, or the ledger cannot be read.
pub async fn gather<F: Future<Output = Result<HeldPage, LedgerError>>>(
    mut export: Export,
    mut read: impl FnMut(Option<Bookmark>) -> F,
) -> Result<Export, ExportError> {
    let mut from = None;
    loop {
        let page = read(from).await.map_err(|error| {
            tracing::warn!(error.message = %error, "what is held of a person cannot be read");
            ExportError::Unreadable
        })?;
        from = export.take(page)?;
        if from.is_none() {
            return Ok(export);
        }
    }
}

/// In place of an answer that the guard stopped.
const STOPPED: &str = "(stopped by the guard)";

/// What a model wrote and the guard stopped is not shown here either: it may be the operator's
/// secret, or somebody else's. That it was stopped stays.
fn without_stopped_answers(held: Held) -> Held {
    let Held::Events { session, events } = held else { return held };
    let Ok(Value::Array(mut list)) = serde_json::from_slice(&events) else {
        return Held::Events { session, events };
    };
    let mut stopped = false;
    for event in &mut list {
        if event.pointer("/held/of_answer") == Some(&Value::Bool(true))
            && let Some(texts) = event.pointer_mut("/held/texts")
        {
            *texts = json!([STOPPED]);
            stopped = true;
        }
    }
    let events = if stopped { Bytes::from(Value::Array(list).to_string()) } else { events };
    Held::Events { session, events }
}

fn spending(held: &Held) -> Option<&Bytes> {
    match held {
        Held::Spending { sums } => Some(sums),
        Held::Update { .. }
        | Held::Events { .. }
        | Held::State { .. }
        | Held::Memory { .. }
        | Held::Reminder { .. }
        | Held::Proposal { .. } => None,
    }
}

fn proposal(held: &Held) -> Option<&Bytes> {
    match held {
        Held::Proposal { rule } => Some(rule),
        Held::Update { .. }
        | Held::Events { .. }
        | Held::State { .. }
        | Held::Memory { .. }
        | Held::Reminder { .. }
        | Held::Spending { .. } => None,
    }
}

fn reminder(held: &Held) -> Option<&Bytes> {
    match held {
        Held::Reminder { reminder } => Some(reminder),
        Held::Update { .. }
        | Held::Events { .. }
        | Held::State { .. }
        | Held::Memory { .. }
        | Held::Proposal { .. }
        | Held::Spending { .. } => None,
    }
}

fn place(session: &SessionKey) -> Value {
    json!({ "bot": session.bot.0, "chat": session.chat.0, "topic": session.topic.map(|it| it.0) })
}

fn title(session: &SessionKey) -> String {
    let topic = session.topic.map(|it| format!(", topic {it}")).unwrap_or_default();
    match session.is_private() {
        true => format!("Private chat with bot {}{topic}", session.bot),
        false => format!("Group {} with bot {}{topic}", session.chat, session.bot),
    }
}

fn value(bytes: &Bytes) -> Value {
    let as_text = || Value::String(String::from_utf8_lossy(bytes).into_owned());
    serde_json::from_slice(bytes).unwrap_or_else(|_not_json| as_text())
}

fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(i64::MAX));
    at.unwrap_or(jiff::Timestamp::MAX).to_string()
}

fn line(text: &mut String, words: &str) {
    text.push_str(words);
    text.push('\n');
}

fn quoted(text: &mut String, words: &str) {
    words.lines().for_each(|it| line(text, &format!("> {it}")));
    text.push('\n');
}

fn tell(text: &mut String, held: &Held) {
    match held {
        Held::Update { update: UpdateId(update), at, raw, .. } => {
            let raw = value(raw);
            let said = ["/message/text", "/message/caption", "/callback_query/data"];
            let said = said.iter().find_map(|it| raw.pointer(it)).and_then(Value::as_str);
            line(text, &format!("**You**, {} (update {update}):\n", time(*at)));
            match said {
                Some(said) => quoted(text, said),
                None => line(text, &format!("```json\n{raw}\n```\n")),
            }
        }
        Held::Events { events, .. } => match serde_json::from_slice::<Vec<Event>>(events) {
            Ok(events) => events.iter().for_each(|it| tell_event(text, it)),
            Err(_) => line(text, &format!("```json\n{}\n```\n", value(events))),
        },
        Held::State { state, .. } => {
            line(text, "What the conversation has at hand for its next answer:\n");
            line(text, &format!("```json\n{:#}\n```\n", value(state)));
        }
        Held::Memory { memory, .. } if is_of_papers(memory) => tell_paper(text, memory),
        Held::Memory { memory, .. } => {
            line(text, "Can be found again when a question is close to it:\n");
            let memory = value(memory);
            let said = ["asked", "answered"].iter().filter_map(|it| memory.get(*it)?.as_str());
            said.for_each(|it| quoted(text, it));
        }
        // Once, before the conversations.
        Held::Spending { .. } | Held::Proposal { .. } | Held::Reminder { .. } => (),
    }
}

/// True for what happened to a person's papers; the rest of what is held as memories are vectors.
fn is_of_papers(memory: &Bytes) -> bool {
    serde_json::from_slice::<PaperEvent>(memory).is_ok()
}

fn tell_paper(text: &mut String, memory: &Bytes) {
    match serde_json::from_slice::<PaperEvent>(memory) {
        Ok(PaperEvent::Kept(paper)) => {
            let part = if paper.is_cut { ", the beginning" } else { "" };
            let (number, name, at) = (paper.id.0, context::one_line(&paper.name), time(paper.at));
            line(text, &format!("**Kept of your file** {number}, {name}{part}, {at}:\n"));
            quoted(text, &paper.text);
        }
        Ok(PaperEvent::Deleted { id, .. }) => {
            line(
                text,
                &format!("**Deleted**: your file {}. Nothing is found in it any more.\n", id.0),
            );
        }
        Err(_) => line(text, &format!("```json\n{}\n```\n", value(memory))),
    }
}

fn tell_event(text: &mut String, event: &Event) {
    let update = event.update().map(|it| format!(" (update {it})")).unwrap_or_default();
    match event {
        Event::CompletionStarted { agent, asked, .. } => {
            line(text, &format!("Asked of **{agent}**{update}:\n"));
            quoted(text, asked);
        }
        Event::RecordingHeard { transcript, .. } => {
            line(text, &format!("**Heard in your recording**{update}:\n"));
            quoted(text, &transcript.text);
        }
        Event::AnswerReady { answer, .. } => {
            line(text, &format!("**Answer**{update}:\n"));
            answer.parts.iter().for_each(|it| quoted(text, &it.plain));
        }
        Event::TextHeldBack { held, .. } => {
            let what = if held.of_answer { "an answer" } else { "a question" };
            line(text, &format!("**Stopped by the guard**, {what}{update}:\n"));
            held.texts.iter().for_each(|it| quoted(text, it));
        }
        Event::FactRemembered { fact } => {
            let from = match &fact.origin {
                FactOrigin::Told => "you told it".to_owned(),
                FactOrigin::Proposed(agent) => format!("noted by {agent}"),
            };
            let (number, at) = (fact.id.0, time(fact.at));
            line(text, &format!("**Remembered** (fact {number}, {from}, {at}):\n"));
            quoted(text, &fact.text);
        }
        Event::QuestionHeld { agent, text: asked, .. } => {
            let waits = "waits until you agree to the notice";
            line(text, &format!("To be asked of **{agent}**{update}, {waits}:\n"));
            quoted(text, asked);
        }
        Event::Tools { update, step } => {
            line(text, &format!("**Tools**, message {update}:\n"));
            quoted(text, &words::tools::told(step));
        }
        Event::FactForgotten { fact } => {
            line(text, &format!("**Not remembered any more**: fact {}.\n", fact.0));
        }
        Event::SummaryWritten { agent, text: summary, .. } => {
            line(text, &format!("**Summary** of the talk with {agent} before this:\n"));
            quoted(text, summary);
        }
        Event::TurnRetried { .. }
        | Event::PromptJudged { .. }
        | Event::DraftReceived { .. }
        | Event::DraftJudged { .. }
        | Event::CourseNoted { .. }
        | Event::PartSent { .. }
        | Event::TurnClosed { .. }
        | Event::AgentSwitched { .. }
        | Event::HistoryReset { .. }
        | Event::NoticeAccepted { .. }
        | Event::LanguageChosen { .. }
        | Event::QuestionTaken { .. }
        | Event::AnswerShaped { .. }
        | Event::DraftShown { .. }
        | Event::BotsTalked { .. }
        | Event::NoticeShown => {
            let json = serde_json::to_string(event).unwrap_or_default();
            writeln!(text, "- `{json}`\n").expect("a string takes everything");
        }
    }
}

/// What playbooks did about a person.
fn acts(person: PersonId, view: &View) -> Vec<Value> {
    let theirs = view.runs().each().filter(|it| it.beginning.people.contains(&person));
    let act = |run: &std::sync::Arc<crate::playbook::Run>| {
        let steps: Vec<&str> = run.beginning.steps.iter().map(Measure::word).collect();
        json!({
            "playbook": run.beginning.playbook,
            "began": time(run.beginning.at),
            "steps": steps,
            "over": run.is_over(),
        })
    };
    theirs.map(act).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Founding;
    use protocol::{BotId, ChatId};

    const SESSION: SessionKey = SessionKey { bot: BotId(1), chat: ChatId(7), topic: None };

    const MEMORY: &[u8] = br#"{"agent":"sage","epoch":0,"number":1,"asked":"an old question","answered":"an old answer","scale":1.0,"vector":"AA"}"#;

    const PAPER: &[u8] = br#"{"papers":"kept","id":2,"update":5,"name":"lease.pdf","bytes":900,"at":1000,"text":"The lease\nends in May."}"#;

    fn page() -> HeldPage {
        let session = SESSION;
        let raw = Bytes::from_static(
            br#"{"update_id":5,"message":{"text":"Why is the sky blue?"},"from":{"id":7}}"#,
        );
        let events = Bytes::from_static(
            br#"[{"event":"completion_started","update":5,"agent":"sage","asked":"Why is the sky blue?","reserved":9},
                {"event":"answer_ready","update":5,"answer":{"kind":"model","parts":[{"plain":"Because\nit scatters."}]}},
                {"event":"fact_remembered","fact":{"id":3,"space":"sage","text":"likes the sky","origin":"told","by":7,"at":1000}},
                {"event":"summary_written","agent":"sage","through":1,"text":"They spoke of ships."},
                {"event":"notice_shown"}]"#,
        );
        let group = SessionKey { chat: ChatId(-3), ..session };
        HeldPage {
            held: vec![
                Held::Update { session, update: UpdateId(5), at: Timestamp(1_000), raw },
                Held::Events { session, events },
                Held::State { session: group, state: Bytes::from_static(br#"{"noticed":true}"#) },
                Held::Events { session: group, events: Bytes::from_static(b"not json") },
                Held::Memory { session, memory: Bytes::from_static(MEMORY) },
                Held::Memory { session, memory: Bytes::from_static(PAPER) },
                Held::Memory {
                    session,
                    memory: Bytes::from_static(br#"{"papers":"deleted","id":1,"update":4}"#),
                },
                // What is at hand says it once more.
                Held::Memory { session, memory: Bytes::from_static(PAPER) },
                Held::Spending { sums: Bytes::from_static(br#"[{"person":7,"day":{"input":1}}]"#) },
                Held::Spending { sums: Bytes::from_static(br#"[{"person":7,"day":{"input":9}}]"#) },
                Held::Proposal { rule: Bytes::from_static(br#"{"run":1,"rule":"their words"}"#) },
                Held::Reminder { reminder: Bytes::from_static(br#"{"change":"zone"}"#) },
            ],
            next: None,
        }
    }

    fn view() -> View {
        let founding = Founding { allowed: [7].into(), ..Founding::default() };
        let run = crate::playbook::tests::beginning(1);
        let run = crate::playbook::Beginning { people: vec![PersonId(7)], ..run };
        let begun = crate::playbook::RunChange::Begun { run };
        crate::roster::view_with(&founding, vec![crate::roster::Change::Played(begun)])
    }

    fn export() -> Export {
        let mut export = Export::to_send();
        assert_eq!(export.take(page()), Ok(None));
        export
    }

    #[test]
    fn the_json_holds_everything_and_keeps_to_its_schema() {
        let json = export().json(PersonId(7), &view(), Timestamp(2_000));
        let schema = include_str!("../../../docs/export.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let count = |key: &str| json[key].as_array().unwrap().len();
        assert_eq!((count("updates"), count("events"), count("states")), (1, 6, 1));
        assert_eq!(json["memories"][0]["memory"]["asked"], "an old question");
        assert_eq!((count("memories"), count("documents")), (1, 2), "each paper once");
        assert_eq!(json["documents"][0]["document"]["name"], "lease.pdf");
        assert_eq!(json["events"][2]["event"]["fact"]["text"], "likes the sky");
        assert_eq!(json["events"][3]["event"]["text"], "They spoke of ships.");
        assert_eq!(json["updates"][0]["content"]["message"]["text"], "Why is the sky blue?");
        assert_eq!(json["events"][5]["event"], "not json", "what cannot be read is there as it is");
        assert_eq!(json["access"]["listed"], true);
        assert_eq!(json["access"]["playbooks"][0]["steps"], json!(["block", "gather"]));
        assert_eq!(json["spending"][1][0]["day"]["input"], 9);
        assert_eq!(json["proposals"][0]["rule"], "their words");
        assert_eq!(json["reminders"][0]["change"], "zone");
        for broken in [
            "/person",
            "/updates/0/session/chat",
            "/events/0/event",
            "/states/0/state",
            "/memories/0/memory",
            "/documents/0/document/text",
        ] {
            let mut other = json.clone();
            let (parent, key) = broken.rsplit_once('/').unwrap();
            other.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
            assert!(!validator.is_valid(&other), "{broken} is asked for");
        }
    }

    #[test]
    fn the_markdown_reads_as_question_and_answer() {
        let text = export().markdown(PersonId(7), &view(), Timestamp(2_000));
        for part in [
            "# Everything kept about 7",
            "On the list of those who may talk: yes",
            "Playbook injection, 1970-01-01T00:00:00.005Z: block, gather; not over.",
            "## Private chat with bot 1",
            "**You**, 1970-01-01T00:00:01Z (update 5):\n\n> Why is the sky blue?",
            "Asked of **sage** (update 5):",
            "> Because\n> it scatters.",
            "- `{\"event\":\"notice_shown\"}`",
            "**Remembered** (fact 3, you told it, 1970-01-01T00:00:01Z):\n\n> likes the sky",
            "**Kept of your file** 2, lease.pdf, 1970-01-01T00:00:01Z:\n\n> The lease\n> ends in May.",
            "**Deleted**: your file 1.",
            "**Summary** of the talk with sage before this:\n\n> They spoke of ships.",
            "> an old question\n\n> an old answer",
            "## Group -3 with bot 1",
            "not json",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn an_answer_that_was_stopped_is_not_shown_by_an_export_and_a_question_is() {
        let events = Bytes::from_static(
            br#"[{"event":"text_held_back","update":6,"held":{"of_answer":true,"agent":"sage","texts":["AKIA-the-key"]}},
                {"event":"text_held_back","update":7,"held":{"agent":"sage","texts":["what I asked"]}}]"#,
        );
        let mut export = Export::to_send();
        let held = vec![Held::Events { session: SESSION, events }];
        assert_eq!(export.take(HeldPage { held, next: None }), Ok(None));
        let json = export.json(PersonId(7), &view(), Timestamp(1)).to_string();
        let markdown = export.markdown(PersonId(7), &view(), Timestamp(1));
        for file in [json, markdown] {
            assert!(!file.contains("AKIA") && file.contains(STOPPED), "{file}");
            assert!(file.contains("what I asked"), "{file}");
        }
    }

    #[test]
    fn more_than_a_bot_may_send_is_refused_and_an_operator_gets_it() {
        let large = || HeldPage {
            held: vec![Held::State {
                session: SESSION,
                state: Bytes::from(vec![b'1'; BYTES_MAX + 1]),
            }],
            next: None,
        };
        assert_eq!(Export::to_send().take(large()), Err(ExportError::TooLarge));
        assert_eq!(Export::of_any_size().take(large()), Ok(None));
    }
}
