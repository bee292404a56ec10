//! What a person has brought to be read: the texts of their files, kept so that they can be searched.
//!
//! A person's papers in one conversation are a stream of the ledger of their own, which is found by bot, chat,
//! topic and person. There is no search over more than one. Pure: the session's shell loads and writes.
//!
//! Invariants: PAPERS-1 what is found for a person was brought by that person in that conversation.
//! PAPERS-2 a file is kept once, however often its message is taken up. PAPERS-3 a button that deletes works
//! for the person it was shown to, and for nobody else.

use std::collections::VecDeque;

use protocol::{
    PersonId, SessionKey, Timestamp, UpdateId,
    document::{Paper, PaperEvent, PaperId},
    ledger::{Loaded, Owned, Stream},
    memory::{Scope, Space},
    tool::{Effects, Invocation, Taint, Told, Tool, ToolError, ToolName, ToolOutput},
};
use serde_json::{Value, json};

use crate::passages;

/// The tool that searches them.
pub const SEARCH: &str = "search_files";
/// What one search gives back, in characters.
const FOUND_CHARS_MAX: usize = 6_000;
/// The longest question to it, in characters.
const QUERY_CHARS_MAX: usize = 1_000;
/// Papers that are remembered as deleted, so that their message taken up again does not bring them back.
const GONE_MAX: usize = 64;
/// Appends after which the papers are stored anew, so that loading stays short.
const FOLD_EVERY: u64 = 16;

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaperLimits {
    /// Papers of one person in one conversation; 0: none is kept.
    pub papers_max: usize,
    /// Bytes of text of one person in one conversation.
    pub bytes_max: usize,
    /// Characters of one paper.
    pub chars_max: usize,
}

/// A text that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPaper {
    /// Whose.
    pub by: PersonId,
    /// What the file is called.
    pub name: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// When it came.
    pub at: Timestamp,
    /// What it says.
    pub text: String,
    /// There is more in it.
    pub is_cut: bool,
}

/// What came of keeping a paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It is kept.
    Kept {
        /// What it is called.
        name: String,
        /// There was more in it.
        is_cut: bool,
    },
    /// The same text is kept already, or it was deleted.
    Known,
    /// There is no room for it.
    Full(PaperLimits),
}

/// Where a person's papers in a conversation are. PAPERS-1.
#[must_use]
pub fn stream(session: SessionKey, of: PersonId) -> Stream {
    Stream::Memories(Scope { session, space: Space::papers(of) })
}

/// A person's papers, folded from their stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cabinet {
    papers: Vec<Paper>,
    gone: VecDeque<(PaperId, UpdateId)>,
    next: u64,
}

/// What a stream of papers holds cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a paper cannot be read")]
pub struct UnreadablePaper(#[source] serde_json::Error);

impl Cabinet {
    /// What a stream holds.
    ///
    /// # Errors
    /// If that is not what we write.
    pub fn fold(loaded: &Loaded) -> Result<Self, UnreadablePaper> {
        let mut cabinet = Self::default();
        let state = loaded.snapshot.iter().flatten();
        for piece in state.chain(&loaded.events) {
            cabinet.apply(serde_json::from_slice(&piece.bytes).map_err(UnreadablePaper)?);
        }
        Ok(cabinet)
    }

    /// One thing that happened.
    pub fn apply(&mut self, event: PaperEvent) {
        match event {
            PaperEvent::Kept(paper) => {
                self.next = self.next.max(paper.id.0 + 1);
                self.papers.push(paper);
            }
            PaperEvent::Deleted { id, update } => {
                self.next = self.next.max(id.0 + 1);
                self.papers.retain(|it| it.id != id);
                self.gone.push_back((id, update));
                while GONE_MAX < self.gone.len() {
                    self.gone.pop_front();
                }
            }
        }
    }

    /// What it holds, as its stream would: what a snapshot is made of.
    pub fn state(&self, of: PersonId) -> Vec<Owned> {
        let gone = self.gone.iter().map(|(id, update)| {
            let (id, update) = (*id, *update);
            PaperEvent::Deleted { id, update }
        });
        let papers = self.papers.iter().cloned().map(PaperEvent::Kept);
        gone.chain(papers).filter_map(|it| owned(of, &it)).collect()
    }

    /// True if its stream has become long, seen from the newest snapshot.
    #[must_use]
    pub fn is_to_be_folded(appends: u64) -> bool {
        FOLD_EVERY <= appends
    }

    /// The papers, oldest first.
    #[must_use]
    pub fn papers(&self) -> &[Paper] {
        &self.papers
    }

    /// One by its number.
    #[must_use]
    pub fn paper(&self, id: PaperId) -> Option<&Paper> {
        self.papers.iter().find(|it| it.id == id)
    }

    /// What is to be written so that a paper is kept, and what came of it. PAPERS-2.
    #[must_use]
    pub fn keep(
        &self,
        update: UpdateId,
        new: &NewPaper,
        limits: PaperLimits,
    ) -> (Option<PaperEvent>, Keeping) {
        let kept = |it: &Paper| Keeping::Kept { name: it.name.clone(), is_cut: it.is_cut };
        let text = crate::context::beginning(&new.text, limits.chars_max);
        let is_this = |it: &&Paper| it.update == update && it.text == text;
        if let Some(paper) = self.papers.iter().find(is_this) {
            return (None, kept(paper));
        }
        let is_known = self.papers.iter().any(|it| it.text == text);
        if is_known || self.gone.iter().any(|(_, gone)| *gone == update) {
            return (None, Keeping::Known);
        }
        let bytes: usize = self.papers.iter().map(|it| it.text.len()).sum();
        if limits.papers_max <= self.papers.len() || limits.bytes_max < bytes + text.len() {
            return (None, Keeping::Full(limits));
        }
        let is_cut = new.is_cut || text != new.text;
        let (id, name, bytes, at) = (PaperId(self.next), new.name.clone(), new.bytes, new.at);
        let paper = Paper { id, update, name, bytes, at, text, is_cut };
        let outcome = kept(&paper);
        (Some(PaperEvent::Kept(paper)), outcome)
    }

    /// What is to be written so that a paper is kept no more; `None` if it is not there.
    #[must_use]
    pub fn delete(&self, id: PaperId) -> Option<PaperEvent> {
        self.paper(id).map(|it| PaperEvent::Deleted { id, update: it.update })
    }

    /// What a call of the tool gives back: the passages that have words of the question, by paper, and
    /// where there are none, what there is.
    #[must_use]
    pub fn search(&self, query: &str) -> ToolOutput {
        let texts: Vec<(&str, &str)> =
            self.papers.iter().map(|it| (it.name.as_str(), it.text.as_str())).collect();
        let found = passages::found(&texts, query, FOUND_CHARS_MAX);
        let mut text = String::new();
        let mut last = None;
        for (at, passage) in found {
            if let Some(paper) = self.papers.get(at) {
                if last.replace(at) != Some(at) {
                    text.push_str(&format!("From the file \"{}\":\n", paper.name));
                }
                text.push_str(passage.trim_end());
                text.push_str("\n\n");
            }
        }
        if text.is_empty() {
            text.push_str(match self.papers.is_empty() {
                true => "This person has brought no files to this conversation.",
                false => "No passage has these words. The person's files here:\n",
            });
            self.papers.iter().for_each(|it| text.push_str(&format!("- {}\n", it.name)));
        }
        let text = text.trim_end().to_owned();
        ToolOutput { text, taint: Taint::File, is_error: false }
    }
}

/// An event as its person's stream holds it.
#[must_use]
pub fn owned(of: PersonId, event: &PaperEvent) -> Option<Owned> {
    // Plain numbers and texts: this does not fail.
    serde_json::to_vec(event).ok().map(|it| Owned::by(of, it))
}

/// The tool, as agents are told of it.
#[must_use]
pub fn tool() -> Option<Tool> {
    let parameters = json!({
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "description": "Words that stand in what is looked for, in the language of the files."
            }
        },
        "required": ["query"],
        "additionalProperties": false
    });
    let description = "Searches the files that the person who asks has sent to this chat (PDF, office \
                       documents, text), and gives you the passages that fit. You see nobody else's files.";
    let (name, description) = (SEARCH.parse().ok()?, description.to_owned());
    let effects = Effects::ReadOnly;
    let told = Told::default();
    Some(Tool { name, description, parameters, effects, needs_approval: false, told })
}

/// True for the tool's name.
#[must_use]
pub fn is_search(name: &ToolName) -> bool {
    name.as_str() == SEARCH
}

/// Whose files a call searches, and for what.
///
/// # Errors
/// If nobody asks, or the arguments do not fit.
pub fn asked(call: &Invocation) -> Result<(PersonId, String), ToolError> {
    let query = call.arguments.get("query").and_then(Value::as_str).map(str::trim);
    let has_room = |it: &&str| (1..=QUERY_CHARS_MAX).contains(&it.chars().count());
    let Some(query) = query.filter(has_room) else {
        return Err(ToolError::Unfit { what: "query must be a text, and not too long".to_owned() });
    };
    // PAPERS-1: whose files they are is never an argument.
    let what = "nobody in particular asks, so there are no files to search";
    let person = call.person.ok_or(ToolError::Forbidden { what })?;
    Ok((person, query.to_owned()))
}

/// What the button that deletes a paper carries: the paper, and whom it was shown to.
pub(crate) fn button(paper: PaperId, to: PersonId) -> String {
    format!("pd:{}:{}", paper.0, to.0)
}

/// Reads such a button. Outer `None`: it is another one. Inner: it was shown to somebody else, or is
/// forged. PAPERS-3.
pub(crate) fn pressed(data: &str, by: PersonId) -> Option<Option<PaperId>> {
    let (paper, to) = data.strip_prefix("pd:")?.split_once(':')?;
    let (paper, to) = (paper.parse().ok()?, to.parse().ok()?);
    Some((PersonId(to) == by).then_some(PaperId(paper)))
}

#[cfg(test)]
mod tests {
    use protocol::{BotId, ChatId};

    use super::*;

    const LIMITS: PaperLimits = PaperLimits { papers_max: 3, bytes_max: 300, chars_max: 200 };
    const ADA: PersonId = PersonId(7);

    fn new(name: &str, text: &str) -> NewPaper {
        let (name, text) = (name.to_owned(), text.to_owned());
        NewPaper { by: ADA, name, bytes: 9, at: Timestamp(5), text, is_cut: false }
    }

    fn keep(cabinet: &mut Cabinet, update: i64, name: &str, text: &str) -> Keeping {
        let (event, outcome) = cabinet.keep(UpdateId(update), &new(name, text), LIMITS);
        event.into_iter().for_each(|it| cabinet.apply(it));
        outcome
    }

    fn loaded(state: Vec<Owned>) -> Loaded {
        Loaded { snapshot: Some(state), ..Loaded::default() }
    }

    #[test]
    fn papers_2_a_file_is_kept_once_and_a_deleted_one_does_not_come_back() {
        let mut cabinet = Cabinet::default();
        let kept = Keeping::Kept { name: "a.pdf".to_owned(), is_cut: false };
        assert_eq!(keep(&mut cabinet, 1, "a.pdf", "tea"), kept);
        assert_eq!(keep(&mut cabinet, 1, "a.pdf", "tea"), kept, "taken up again after a crash");
        assert_eq!(keep(&mut cabinet, 2, "b.pdf", "tea"), Keeping::Known, "the same text");
        let second = Keeping::Kept { name: "c.pdf".to_owned(), is_cut: false };
        for _ in 0..2 {
            assert_eq!(keep(&mut cabinet, 1, "c.pdf", "milk"), second, "of the same question");
        }
        assert_eq!(cabinet.papers().len(), 2);
        let gone = cabinet.delete(PaperId(1)).unwrap();
        cabinet.apply(gone);
        assert_eq!(cabinet.papers().len(), 1);
        let gone = cabinet.delete(PaperId(0)).unwrap();
        cabinet.apply(gone);
        assert_eq!(keep(&mut cabinet, 1, "a.pdf", "tea"), Keeping::Known);
        assert!(cabinet.papers().is_empty() && cabinet.delete(PaperId(0)).is_none());
        keep(&mut cabinet, 3, "a.pdf", "tea");
        assert_eq!(cabinet.papers()[0].id, PaperId(2), "a number is not given again");
        let again = Cabinet::fold(&loaded(cabinet.state(ADA))).unwrap();
        assert_eq!(again, cabinet, "a snapshot holds all of it");
    }

    #[test]
    fn what_has_no_room_is_not_kept_and_a_long_text_is_cut() {
        let mut cabinet = Cabinet::default();
        let long = "é".repeat(500);
        let kept = Keeping::Kept { name: "long".to_owned(), is_cut: true };
        assert_eq!(keep(&mut cabinet, 1, "long", &long), Keeping::Full(LIMITS), "400 bytes");
        assert_eq!(keep(&mut cabinet, 1, "long", &"e".repeat(500)), kept);
        assert_eq!(keep(&mut cabinet, 2, "x", &"x".repeat(101)), Keeping::Full(LIMITS));
        for (update, text) in [(3, "one"), (4, "two")] {
            assert!(matches!(keep(&mut cabinet, update, "s", text), Keeping::Kept { .. }));
        }
        assert_eq!(keep(&mut cabinet, 5, "s", "three"), Keeping::Full(LIMITS), "three papers");
        let none = PaperLimits { papers_max: 0, ..LIMITS };
        let (event, _) = Cabinet::default().keep(UpdateId(1), &new("a", "b"), none);
        assert_eq!(event, None);
    }

    #[test]
    fn a_search_names_the_files_that_it_finds_something_in() {
        let mut cabinet = Cabinet::default();
        let nothing = cabinet.search("tea").text;
        assert_eq!(nothing, "This person has brought no files to this conversation.");
        keep(&mut cabinet, 1, "house.pdf", "The lease ends in May.");
        keep(&mut cabinet, 2, "tea.txt", "The kettle is new.");
        let found = cabinet.search("When does the LEASE end?");
        assert_eq!(found.text, "From the file \"house.pdf\":\nThe lease ends in May.");
        assert_eq!(found.taint, Taint::File);
        assert!(cabinet.search("tea").text.contains("The kettle is new."), "a name counts, too");
        let none = cabinet.search("xylophone").text;
        assert!(none.contains("- house.pdf\n- tea.txt"), "{none}");
    }

    #[test]
    fn papers_3_a_button_works_for_the_person_it_was_shown_to() {
        let data = button(PaperId(7), PersonId(-2));
        assert_eq!(pressed(&data, PersonId(-2)), Some(Some(PaperId(7))));
        assert_eq!(pressed(&data, PersonId(3)), Some(None));
        for forged in ["", "pd:", "pd:7", "pd:x:2", "pd:7:y", "mf:7:2", "pd:-1:2"] {
            assert_eq!(pressed(forged, PersonId(2)), None, "{forged}");
        }
        assert!(
            button(PaperId(u64::MAX), PersonId(i64::MIN)).len() <= 64,
            "Telegram takes 64 bytes"
        );
    }

    #[test]
    fn papers_1_whose_files_are_searched_is_who_asks_and_never_an_argument() {
        let session = SessionKey { bot: BotId(1), chat: ChatId(-5), topic: None };
        let call = |arguments: Value, person: Option<PersonId>| Invocation {
            tool: SEARCH.parse().unwrap(),
            arguments,
            key: String::new(),
            agent: "sage".parse().unwrap(),
            person,
            session,
        };
        let asks = json!({"query": " lease ", "person": 8, "session": "-6"});
        assert_eq!(asked(&call(asks, Some(ADA))).unwrap(), (ADA, "lease".to_owned()));
        assert!(asked(&call(json!({"query": "x"}), None)).is_err());
        for unfit in [json!({}), json!({"query": ""}), json!({"query": 7})] {
            assert!(asked(&call(unfit, Some(ADA))).is_err());
        }
        assert_ne!(stream(session, ADA), stream(session, PersonId(8)));
        let other = SessionKey { chat: ChatId(7), ..session };
        assert_ne!(stream(session, ADA), stream(other, ADA));
        assert!(tool().is_some_and(|it| is_search(&it.name)));
    }
}
