//! Files that came with a message: what can be fetched, and what the sender's app says of it.
//!
//! Read by themselves from their own bytes, as the texts are (see `beside`): a server that describes
//! one of them in another way costs that file and not the update.

use protocol::inbound::{FileKind, FileRef};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Text;

/// The longest name of a file that is taken. Telegram's have about 70 characters.
const FILE_ID_BYTES_MAX: usize = 256;
/// What the Bot API lets bots fetch.
const FETCHED_BYTES_MAX: u64 = 20 << 20;
/// The longest name and media type that are kept.
const TEXT_CHARS_MAX: usize = 200;
/// Sizes of one picture that are looked at; Telegram sends about four.
const SIZES_MAX: usize = 16;

#[derive(Deserialize)]
struct Described {
    file_id: String,
    file_size: Option<u64>,
    mime_type: Option<Text>,
    file_name: Option<Text>,
    duration: Option<u64>,
    #[serde(default)]
    width: u64,
    #[serde(default)]
    height: u64,
}

impl Described {
    fn area(&self) -> u64 {
        self.width.saturating_mul(self.height)
    }

    fn can_be_fetched(&self) -> bool {
        self.file_size.is_none_or(|it| it <= FETCHED_BYTES_MAX)
    }
}

/// A voice message, a piece of music, a document. `None` if it is not described as one.
pub(super) fn file(kind: FileKind, raw: &RawValue) -> Option<FileRef> {
    // lost-ok: it is something that we cannot read.
    let it: Described = serde_json::from_str(raw.get()).ok()?;
    of(kind, it)
}

/// A picture, in the largest size that can be fetched.
pub(super) fn picture(raw: &RawValue) -> Option<FileRef> {
    // lost-ok: as above.
    let sizes: Vec<Described> = serde_json::from_str(raw.get()).ok()?;
    let fitting = sizes.into_iter().take(SIZES_MAX).filter(Described::can_be_fetched);
    of(FileKind::Photo, fitting.max_by_key(Described::area)?)
}

fn of(kind: FileKind, it: Described) -> Option<FileRef> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=FILE_ID_BYTES_MAX).contains(&it.file_id.len()) || !it.file_id.chars().all(is_name) {
        return None;
    }
    let cut = |it: Text| it.0.chars().take(TEXT_CHARS_MAX).collect();
    Some(FileRef {
        kind,
        file: it.file_id,
        bytes: it.file_size,
        media_type: it.mime_type.map(cut),
        seconds: it.duration,
        name: it.file_name.map(cut),
        language: None,
        is_replied: false,
    })
}
