//! Documents: the port to whatever finds the text in a stranger's file, and what is kept of them.
//!
//! What is kept is stored as JSON: fields may be added with `#[serde(default)]`, never renamed or reused.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, UpdateId};

/// What a document is, by its first bytes and what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Portable Document Format.
    Pdf,
    /// A text of Office Open XML.
    Docx,
    /// A table of it.
    Xlsx,
    /// Slides of it.
    Pptx,
    /// A text of OpenDocument.
    Odt,
    /// A table of it.
    Ods,
    /// Slides of it.
    Odp,
}

impl DocumentKind {
    /// Its usual ending, without the dot.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Pptx => "pptx",
            Self::Odt => "odt",
            Self::Ods => "ods",
            Self::Odp => "odp",
        }
    }
}

/// What a document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentText {
    /// What it is.
    pub kind: DocumentKind,
    /// Its words, without form. Text of a stranger.
    pub text: String,
    /// There is more in it than is read.
    #[serde(default)]
    pub is_cut: bool,
}

/// Why a document was not read. No variant carries a text of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadDocumentError {
    /// It is of a form that we do not know.
    #[error("it is no document of a form that is known")]
    Unknown,
    /// It opens with a password only.
    #[error("the document is locked with a password")]
    Locked,
    /// It is damaged.
    #[error("the document is damaged")]
    Damaged,
    /// It needs more memory or time than it may, or holds far more than its size says.
    #[error("the document holds too much")]
    TooMuch,
    /// It holds no words: pictures of pages, for example.
    #[error("there are no words in the document")]
    Wordless,
    /// It cannot be read here and now; that is not its fault.
    #[error("documents cannot be read here")]
    Unavailable,
}

/// Finds the text in documents.
#[async_trait]
pub trait DocumentReader: Send + Sync + 'static {
    /// Reads one, apart from everything else. Bounded in time, memory and size by the adapter.
    async fn read(&self, document: Bytes) -> Result<DocumentText, ReadDocumentError>;
}

/// A paper's number among those of its person in one conversation. Given again at most after the
/// person was forgotten.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct PaperId(pub u64);

/// The text of a file that a person brought, kept so that it can be searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// Its number.
    pub id: PaperId,
    /// The update that it came with: it is kept once.
    pub update: UpdateId,
    /// What its sender's app calls it.
    pub name: String,
    /// The size of the file, in bytes. The file itself is not kept.
    pub bytes: u64,
    /// When it came.
    pub at: Timestamp,
    /// What it says. No guard has seen it: passages are judged when they are used.
    pub text: String,
    /// There was more in the file than is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// One thing that happened to a person's papers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "papers", rename_all = "snake_case")]
pub enum PaperEvent {
    /// One is kept.
    Kept(Paper),
    /// One is kept no more.
    Deleted {
        /// Which.
        id: PaperId,
        /// The update that it had come with: that does not bring it back.
        update: UpdateId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_by_the_first_version_is_read() {
        let kept =
            r#"{"papers":"kept","id":3,"update":9,"name":"a.pdf","bytes":12,"at":5,"text":"tea"}"#;
        let event: PaperEvent = serde_json::from_str(kept).unwrap();
        let PaperEvent::Kept(paper) = &event else { panic!("{event:?}") };
        assert_eq!((paper.id, paper.text.as_str(), paper.is_cut), (PaperId(3), "tea", false));
        assert_eq!(serde_json::to_string(&event).unwrap(), kept);
        let deleted = r#"{"papers":"deleted","id":3,"update":9}"#;
        let event: PaperEvent = serde_json::from_str(deleted).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), deleted);
    }
}
