//! The ledger as an operator looks at it: whether all of it is as it was written, the newest records, a turn by the
//! reference that somebody reads out. Asked of the hall that runs over its console; done here where none does.
//!
//! Nothing of the ledger is changed.
//!
//! BOOK-1: no text is shown before it stands in the audit log whose it is, and nothing else of people before it stands
//! there that it was read.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use flow::trace::{self, ReadOut, Trace};
use protocol::{
    ChatId, SessionKey, TopicId,
    audit::{Action, AuditLog, Deed, Doer, Target},
    ledger::Stream,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Entry, EntryKind, OpenError, Store, Walked, Wanted};
use watch::KeyedHasher;

use crate::{
    ask_console::{self, ErrandError},
    audit,
    build::BuildError,
    config::Loaded,
    master, residency,
    run::{store_config, store_folder},
};

/// Where the console takes these questions.
const PATH: &str = "/ledger";
/// How long the hall may take: as long as its console lets it.
const TIME_MAX: Duration = Duration::from_secs(60);
/// The most records that are shown.
pub const RECORDS_MAX: usize = 10_000;
/// Turns that are shown where several have a reference that begins so.
const TURNS_MAX: usize = 10;

/// What an operator wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// Whether everything is as it was written.
    Verify,
    /// The newest records.
    Show(Showing),
    /// How an answer came about.
    Trace {
        /// Its reference, or the beginning of it.
        reference: ReadOut,
    },
}

/// Which records, and how much of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Showing {
    /// Only of this chat.
    pub chat: Option<i64>,
    /// And only of this topic.
    pub topic: Option<i64>,
    /// How many.
    pub newest: usize,
    /// With what people wrote and were answered.
    pub texts: bool,
}

/// Why nothing is said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// The ledger cannot be opened, or the hall that holds it does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// The ledger is not as it was written.
    #[error("{0}")]
    Damaged(String),
}

/// What is asked, and where it is noted that it was.
struct Place {
    store: Store,
    audit: Option<Arc<dyn AuditLog>>,
    hasher: Arc<KeyedHasher>,
    by: Doer,
}

/// The answer of the hall that runs, as JSON.
///
/// # Errors
/// Why there is none, in words.
pub(crate) async fn answer(
    store: Store,
    audit: Arc<dyn AuditLog>,
    hasher: Arc<KeyedHasher>,
    question: &[u8],
) -> Result<String, String> {
    let question: Question =
        serde_json::from_slice(question).map_err(|error| format!("no question: {error}"))?;
    let place = Place { store, audit: Some(audit), hasher, by: Doer::Console };
    let answer = answered(&place, question).await.map_err(|error| error.to_string())?;
    serde_json::to_string(&answer).map_err(|error| error.to_string())
}

/// Asks the hall that holds the ledger, or looks here where nobody holds it.
///
/// # Errors
/// Why nothing is said.
pub fn ask(loaded: &Loaded, question: Question) -> Result<Value, LookError> {
    let unavailable = |why: String| LookError::Unavailable(why);
    let Some(store) = open(loaded)? else {
        let question =
            serde_json::to_string(&question).map_err(|it| unavailable(it.to_string()))?;
        let answer = ask_console::errand(&loaded.config, PATH, question, TIME_MAX);
        let answer = answer.map_err(|error| match error {
            ErrandError::NoHall(why) => unavailable(format!(
                "another process holds the ledger, and {why}; stop it, and ask again"
            )),
            ErrandError::Refused(why) => unavailable(why),
        })?;
        return serde_json::from_str(&answer).map_err(|it| unavailable(it.to_string()));
    };
    // A broken audit log takes no note, and does not keep anybody from seeing whether the ledger is whole.
    let log = match &question {
        Question::Verify => None,
        Question::Show(_) | Question::Trace { .. } => {
            Some(audit::open(&loaded.config, &store).map_err(|it| unavailable(it.to_string()))?)
        }
    };
    let key = store.own_key("pseudonyms").map_err(|it| unavailable(it.to_string()))?;
    let place = Place {
        store: store.clone(),
        audit: log.map(|it| Arc::new(it) as Arc<dyn AuditLog>),
        hasher: Arc::new(KeyedHasher::new(*key)),
        by: Doer::Operator,
    };
    let answer = kit::block_on(answered(&place, question));
    drop(place);
    store.close().map_err(|it| unavailable(BuildError::of(&it).to_string()))?;
    answer
}

/// Opens the ledger. `None` if a hall that runs holds it.
fn open(loaded: &Loaded) -> Result<Option<Store>, LookError> {
    let config = &loaded.config;
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let folder = store_folder(config);
    if !folder.exists() {
        let why = format!("there is no ledger in {} yet", folder.display());
        return Err(LookError::Unavailable(why));
    }
    residency::check(config).map_err(|it| LookError::Unavailable(words(&it)))?;
    let keys = master::keys(config).map_err(|it| LookError::Unavailable(words(&it)))?;
    match Store::open(store_config(config), keys) {
        Ok(store) => Ok(Some(store)),
        Err(OpenError::Locked) => Ok(None),
        Err(error @ (OpenError::Damaged { .. } | OpenError::LostEnd { .. })) => {
            Err(LookError::Damaged(words(&error)))
        }
        Err(
            error @ (OpenError::NewerFormat { .. }
            | OpenError::WrongKey
            | OpenError::Keyring(_)
            | OpenError::OtherEngine { .. }
            | OpenError::Unfinished
            | OpenError::Unusable(_)),
        ) => Err(LookError::Unavailable(words(&error))),
    }
}

async fn answered(place: &Place, question: Question) -> Result<Value, LookError> {
    match question {
        Question::Verify => {
            let store = place.store.clone();
            let walked = off_thread(move || store.walk()).await?;
            Ok(walked_json(&walked))
        }
        Question::Show(showing) => shown(place, showing).await,
        Question::Trace { reference } => {
            place.note(Action::LedgerRead, Target::Nothing, "a turn, by its reference").await?;
            let found = trace::find_by_reference(&place.store, reference, TURNS_MAX).await;
            let found = found.map_err(|it| unreadable(&it))?;
            let json = found.iter().map(|(key, trace)| trace_json(place, *key, trace));
            Ok(Value::Array(json.collect()))
        }
    }
}

/// Reading it all takes long: not on a thread that others wait for.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, protocol::ledger::LedgerError> + Send + 'static,
) -> Result<T, LookError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| unreadable(&error)),
        Err(_panicked) => {
            Err(LookError::Damaged("the ledger could not be read: the engine panicked".to_owned()))
        }
    }
}

fn unreadable(error: &protocol::ledger::LedgerError) -> LookError {
    use protocol::ledger::LedgerError;
    let words = BuildError::of(error).to_string();
    match error {
        LedgerError::Damaged { .. } => LookError::Damaged(words),
        LedgerError::Conflict { .. } | LedgerError::Unavailable(_) => LookError::Unavailable(words),
    }
}

impl Place {
    /// BOOK-1.
    async fn note(&self, action: Action, target: Target, about: &str) -> Result<(), LookError> {
        let deed: Deed = audit::deed(self.by, action, target).about(about);
        let Some(audit) = &self.audit else {
            return Err(LookError::Unavailable("nothing is shown without an audit log".to_owned()));
        };
        let recorded = audit.record(deed).await;
        recorded.map_err(|it| LookError::Unavailable(format!("nothing is shown, because {it}")))
    }
}

async fn shown(place: &Place, showing: Showing) -> Result<Value, LookError> {
    let target = showing.chat.map_or(Target::Nothing, Target::Person);
    place.note(Action::LedgerRead, target, "records of the ledger").await?;
    let wanted = Wanted {
        count: showing.newest.min(RECORDS_MAX),
        chat: showing.chat.map(ChatId),
        topic: showing.topic.map(TopicId),
    };
    let store = place.store.clone();
    let entries = off_thread(move || store.entries(&wanted)).await?;
    if showing.texts {
        let pieces = entries.iter().flat_map(|it| &it.pieces);
        let owners: BTreeSet<i64> = pieces.flat_map(|it| &it.owners).map(|it| it.0).collect();
        for owner in owners {
            place.note(Action::TextShown, Target::Person(owner), "ledger show").await?;
        }
    }
    let json = entries.iter().map(|it| entry_json(place, it, showing.texts));
    Ok(Value::Array(json.collect()))
}

fn entry_json(place: &Place, entry: &Entry, texts: bool) -> Value {
    let key = match &entry.stream {
        Some(Stream::Session(key)) => Some(*key),
        Some(
            Stream::Hall
            | Stream::Alerts
            | Stream::Memories(_)
            | Stream::Treasury
            | Stream::Timetable,
        )
        | None => None,
    };
    let (kind, updates) = match &entry.kind {
        EntryKind::Arrived(update) => ("arrived", vec![*update]),
        EntryKind::Erased(update) => ("erased", vec![*update]),
        EntryKind::Appended(closes) => ("appended", closes.clone()),
        EntryKind::Dropped(updates) => ("dropped", updates.iter().map(|it| it.0).collect()),
        EntryKind::Quarantined(update) => ("quarantined", vec![*update]),
        EntryKind::Rested => ("rested", Vec::new()),
    };
    let of_turn = |key: SessionKey| {
        updates.iter().map(|it| trace::reference(key, *it).to_string()).collect::<Vec<_>>()
    };
    let happened = entry.pieces.iter().flat_map(|it| happened(&it.bytes));
    let (words, mut outcomes): (Vec<String>, Vec<Option<String>>) = happened.unzip();
    if let EntryKind::Dropped(updates) = &entry.kind {
        let reason = |it: &protocol::ledger::DropReason| {
            serde_json::to_value(it).ok().and_then(|it| it.as_str().map(str::to_owned))
        };
        outcomes.extend(updates.iter().map(|(_, it)| reason(it)));
    }
    let events = if matches!(entry.kind, EntryKind::Appended(_)) { words } else { Vec::new() };
    let mut json = json!({
        "row": entry.row,
        "record": entry.record,
        "kind": kind,
        "stream": entry.stream.as_ref().map(stream_word),
        "chat": key.map(|it| place.hasher.chat(it.chat)),
        "at_ms": entry.at.map(|it| it.0),
        "bytes": entry.pieces.iter().map(|it| it.bytes.len()).sum::<usize>(),
        "updates": updates.len(),
        "references": key.map(of_turn).unwrap_or_default(),
        "events": events,
        "outcomes": outcomes.into_iter().flatten().collect::<Vec<_>>(),
    });
    if let (true, Some(json)) = (texts, json.as_object_mut()) {
        let text = |it: &protocol::ledger::Owned| match &entry.stream {
            Some(Stream::Hall) => without_token(&it.bytes),
            Some(
                Stream::Session(_)
                | Stream::Alerts
                | Stream::Memories(_)
                | Stream::Treasury
                | Stream::Timetable,
            )
            | None => String::from_utf8_lossy(&it.bytes).into_owned(),
        };
        json.insert("texts".to_owned(), entry.pieces.iter().map(text).collect());
    }
    json
}

/// What a piece of the hall's stream says, but for the token of an agent's own bot: nobody is shown that.
fn without_token(bytes: &[u8]) -> String {
    let Ok(mut json) = serde_json::from_slice::<Value>(bytes) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    if let Some(token) = json.as_object_mut().and_then(|it| it.get_mut("token")) {
        *token = Value::from("(sealed)");
        return json.to_string();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

fn stream_word(stream: &Stream) -> &'static str {
    match stream {
        Stream::Session(_) => "conversation",
        Stream::Hall => "hall",
        Stream::Alerts => "alerts",
        Stream::Memories(_) => "memories",
        Stream::Treasury => "treasury",
        Stream::Timetable => "timetable",
    }
}

/// The words for what happened in a piece, with outcomes: closed words of our own, never a text.
fn happened(bytes: &[u8]) -> Vec<(String, Option<String>)> {
    let events = match serde_json::from_slice(bytes) {
        Ok(Value::Array(events)) => events,
        Ok(one) => vec![one],
        Err(_none_of_ours) => Vec::new(),
    };
    let word = |it: &Value, name: &str| it.get(name).and_then(Value::as_str).map(str::to_owned);
    let named = events.iter().filter_map(|it| {
        let name = word(it, "event").or_else(|| word(it, "change"))?;
        let outcome = if name == "turn_closed" { word(it, "outcome") } else { None };
        Some((name, outcome))
    });
    named.collect()
}

fn trace_json(place: &Place, key: SessionKey, trace: &Trace) -> Value {
    let course = trace.course.as_ref();
    json!({
        "reference": trace.reference.map(|it| it.to_string()),
        "chat": place.hasher.chat(key.chat),
        "asker": course.and_then(|it| it.asker).map(|it| place.hasher.person(it)),
        "arrived_ms": course.map(|it| it.arrived.0),
        "ready_after_ms": course.map(|it| it.ready_ms),
        "model_calls": course.map(|it| it.calls),
        "agent": trace.agent,
        "model": trace.model,
        "prompt": trace.prompt,
        "draft": trace.draft,
        "usage": trace.usage,
        "kind": trace.kind,
        "parts": trace.parts,
        "parts_sent": trace.parts_sent,
        "attempts": trace.attempts,
        "perhaps_repeated": trace.perhaps_repeated,
        "outcome": trace.outcome,
        "words": trace::in_words(trace),
    })
}

fn walked_json(walked: &Walked) -> Value {
    let damage = |it: &store::Damage| json!({"row": it.row, "record": it.record, "what": it.what});
    json!({
        "sound": walked.damaged == 0,
        "rows": walked.rows,
        "records": walked.records,
        "arrived": walked.arrived,
        "erased": walked.erased,
        "appended": walked.appended,
        "dropped": walked.dropped,
        "quarantined": walked.quarantined,
        "rested": walked.rested,
        "streams": walked.streams,
        "closed": walked.closed,
        "waiting": walked.waiting,
        "snapshots": walked.snapshots,
        "damaged": walked.damaged,
        "damages": walked.damages.iter().map(damage).collect::<Vec<_>>(),
        "took_ms": crate::backups::millis(walked.took),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_piece_only_the_words_for_what_happened_are_shown() {
        let events = br#"[{"event":"completion_started","asked":"my secret"},
            {"event":"turn_closed","outcome":"answered"}]"#;
        let shown = happened(events);
        let closed = ("turn_closed".to_owned(), Some("answered".to_owned()));
        assert_eq!(shown, [("completion_started".to_owned(), None), closed]);
        assert_eq!(happened(br#"{"change":"paused","name":"sage"}"#).len(), 1);
        assert_eq!(happened(br#"{"message":{"text":"hi"}}"#), []);
        assert_eq!(happened(b"\xff"), []);
    }

    #[test]
    fn the_token_of_an_agents_own_bot_is_shown_to_nobody() {
        let given = br#"{"change":"bots","bots":"given","bot":7,"token":"7:secret","by":1,"at":1}"#;
        let shown = without_token(given);
        assert!(!shown.contains("secret") && shown.contains("\"bot\":7"), "{shown}");
        let other = br#"{"change":"allowed","id":5,"by":1,"at":1}"#;
        assert_eq!(without_token(other).as_bytes(), other);
    }
}
