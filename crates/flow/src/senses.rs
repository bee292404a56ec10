//! Takes in what people send besides words: fetches a file and has it turned into what a model can use.
//!
//! Receives  calls of sessions, one for each file.
//! Sends     the file to whoever hears it, once that is paid for; the outcome back to who asked.
//! Owns      nothing: no file outlives its call. At most `at_a_time_max` are in memory.
//! On crash  a file is fetched again with the next attempt at its message.
//!
//! Invariants: SENSES-1 no file is larger in memory than its kind allows, whatever its sender says of it.

mod length;
mod till;

use std::{fmt, panic::resume_unwind, sync::Arc, time::Duration};

use protocol::{
    document::{DocumentReader, DocumentText, ReadDocumentError},
    event::Part,
    hearing::{Rates, Recording, Speaker, Toll, Transcriber, Transcript},
    inbound::{FileKind, FileRef},
    messenger::{DownloadError, Messenger, MessengerError},
    model::Image,
    picture::Develop,
};
use tokio::{runtime::Handle, sync::Semaphore, task::JoinSet, time::Instant};
use tracing::{info, warn};

pub use self::till::Till;
use crate::{guard::Cleared, treasurer::OverCap};

/// What the hall can make of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Recordings are turned into text.
    pub hears: Option<Hearing>,
    /// Text files of up to so many bytes are read.
    pub reads_bytes_max: Option<u64>,
    /// Documents of up to so many bytes are read.
    pub documents_bytes_max: Option<u64>,
    /// Pictures of up to so many bytes are shown to models.
    pub sees_bytes_max: Option<u64>,
    /// Answers to what was recorded are also spoken, if they have no more characters.
    pub speaks_chars_max: Option<usize>,
}

/// Which recordings are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// The largest.
    pub bytes_max: u64,
    /// The longest.
    pub seconds_max: u64,
    /// Whoever listens is told the language of the sender's app.
    pub hints: bool,
}

/// What was made of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sensed {
    /// What is said in a recording, and what it cost to hear that.
    Heard(Transcript, Toll),
    /// A picture, made anew.
    Seen(Image),
    /// What a text file or a document says.
    Read(ReadFile),
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFile {
    /// Its words. Text of a stranger.
    pub text: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// There is more in it than was read.
    pub is_cut: bool,
}

/// Why nothing was made of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSensed {
    /// It is larger than was said.
    TooLarge(u64),
    /// It is no file of its kind, or its reader refuses it.
    Unreadable,
    /// It opens with a password only.
    Locked,
    /// It unfolds to more than is read, or takes too long.
    TooMuch,
    /// It is a document without words.
    Wordless,
    /// It could not be fetched, or nobody was there to make something of it.
    Unavailable,
    /// A budget is used up: nobody was asked to listen.
    OverCap(OverCap),
}

/// An answer that was spoken. Made only of what the guard let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken(bytes::Bytes);

impl Spoken {
    /// The recording.
    #[must_use]
    pub fn sound(&self) -> &bytes::Bytes {
        &self.0
    }
}

/// See the file head. Cheap to clone.
#[derive(Clone)]
pub struct Senses {
    abilities: Abilities,
    transcriber: Option<Arc<dyn Transcriber>>,
    speaker: Option<Arc<dyn Speaker>>,
    develop: Option<Develop>,
    reader: Option<Arc<dyn DocumentReader>>,
    rates: Rates,
    egress: Handle,
    places: Arc<Semaphore>,
}

/// Files that are in memory at the same time.
const AT_A_TIME_MAX: usize = 8;
/// Attempts at one step, and the pause before the second; it grows.
const ATTEMPTS_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
/// The longest time that the chat service may ask us to wait.
const WAIT_MAX: Duration = Duration::from_secs(10);

impl fmt::Debug for Senses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Senses").field("abilities", &self.abilities).finish_non_exhaustive()
    }
}

impl Senses {
    /// Nobody listens yet. Work is done on `egress`, a runtime beside the actors'.
    #[must_use]
    pub fn new(egress: Handle) -> Self {
        let places = Arc::new(Semaphore::new(AT_A_TIME_MAX));
        let (transcriber, speaker, develop, reader) = (None, None, None, None);
        let (abilities, rates) = (Abilities::default(), Rates::default());
        Self { abilities, transcriber, speaker, develop, reader, rates, egress, places }
    }

    /// What listening and speaking cost.
    #[must_use]
    pub fn costing(mut self, rates: Rates) -> Self {
        self.rates = rates;
        self
    }

    /// Somebody hears recordings.
    #[must_use]
    pub fn hearing(mut self, transcriber: Arc<dyn Transcriber>, limits: Hearing) -> Self {
        self.abilities.hears = Some(limits);
        self.transcriber = Some(transcriber);
        self
    }

    /// Text files of up to so many bytes are read.
    #[must_use]
    pub fn reading(mut self, bytes_max: u64) -> Self {
        self.abilities.reads_bytes_max = Some(bytes_max);
        self
    }

    /// Documents of up to so many bytes are read, apart from everything else.
    #[must_use]
    pub fn reading_documents(mut self, reader: Arc<dyn DocumentReader>, bytes_max: u64) -> Self {
        self.abilities.documents_bytes_max = Some(bytes_max);
        self.reader = Some(reader);
        self
    }

    /// Some model sees pictures of up to so many bytes, once they are made anew.
    #[must_use]
    pub fn seeing(mut self, develop: Develop, bytes_max: u64) -> Self {
        self.abilities.sees_bytes_max = Some(bytes_max);
        self.develop = Some(develop);
        self
    }

    /// Somebody speaks answers of up to so many characters.
    #[must_use]
    pub fn speaking(mut self, speaker: Arc<dyn Speaker>, chars_max: usize) -> Self {
        self.abilities.speaks_chars_max = Some(chars_max);
        self.speaker = Some(speaker);
        self
    }

    /// Speaks an answer that the guard let through. Nothing where that fails, or where a budget is used
    /// up: its text was sent.
    pub async fn speak(self, parts: Vec<Cleared<Part>>, till: Till) -> Option<Spoken> {
        let speaker = self.speaker?;
        let texts: Vec<&str> = parts.iter().map(|it| it.get().plain.as_str()).collect();
        let text = texts.join("\n");
        let toll = self.rates.of_text(u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
        // lost-ok: it is counted there, and the next question says so.
        let ticket = till.ticket(toll).await.ok()?;
        let begun = Instant::now();
        let mut beside = JoinSet::new();
        beside.spawn_on(async move { speaker.speak(&text).await }, &self.egress);
        match beside.join_next().await {
            Some(Ok(Ok(sound))) => {
                till.used(ticket, toll, begun.elapsed());
                Some(Spoken(sound))
            }
            Some(Ok(Err(error))) => {
                till.failed(ticket, (toll, error.may_cost()), error.label(), begun.elapsed());
                let words = "an answer was not spoken";
                warn!(error.message = %error, event.action = "speech_failed", "{words}");
                None
            }
            Some(Err(ended)) if ended.is_panic() => resume_unwind(ended.into_panic()),
            // The process ends.
            Some(Err(_)) | None => None,
        }
    }

    /// What it can make of files.
    #[must_use]
    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Takes one file in. Dropped, it ends what it began.
    ///
    /// # Errors
    /// See [`NotSensed`].
    pub async fn take_in(
        self,
        messenger: Arc<dyn Messenger>,
        file: Box<FileRef>,
        till: Till,
    ) -> Result<Sensed, NotSensed> {
        let egress = self.egress.clone();
        let kind = kind(&file);
        let mut beside = JoinSet::new();
        beside.spawn_on(async move { self.take(&*messenger, &file, &till).await }, &egress);
        let sensed = match beside.join_next().await {
            Some(Ok(sensed)) => sensed,
            Some(Err(ended)) if ended.is_panic() => resume_unwind(ended.into_panic()),
            // The process ends.
            Some(Err(_)) | None => Err(NotSensed::Unavailable),
        };
        match &sensed {
            Ok(_) => {
                info!(labels.kind = kind, event.action = "file_taken_in", "a file was taken in")
            }
            Err(why) => warn!(
                labels.kind = kind,
                labels.why = ?why,
                event.action = "file_not_taken_in",
                "nothing was made of a file"
            ),
        }
        sensed
    }

    async fn take(
        &self,
        messenger: &dyn Messenger,
        file: &FileRef,
        till: &Till,
    ) -> Result<Sensed, NotSensed> {
        // It is never closed.
        let _place = self.places.acquire().await;
        match file.kind {
            FileKind::Voice | FileKind::Audio => {
                let limits = self.abilities.hears.ok_or(NotSensed::Unreadable)?;
                let bytes = fetched(messenger, file, limits.bytes_max).await?;
                let ending = sound(&bytes).ok_or(NotSensed::Unreadable)?;
                let language = file.language.as_deref().filter(|_| limits.hints).and_then(spoken);
                // Its file and its sender say how long it is, or it may be the longest there is.
                let said = file.seconds.map(|it| u32::try_from(it).unwrap_or(u32::MAX));
                let most = u32::try_from(limits.seconds_max).unwrap_or(u32::MAX);
                let seconds = length::of(&bytes).max(said).unwrap_or(most);
                self.hear(&Recording { bytes, ending, language }, seconds, till).await
            }
            FileKind::Document if is_text(file) => {
                let bytes_max = self.abilities.reads_bytes_max.ok_or(NotSensed::Unreadable)?;
                let file = fetched(messenger, file, bytes_max).await?;
                let (text, bytes) = (text_of(&file)?, file.len() as u64);
                Ok(Sensed::Read(ReadFile { text, bytes, is_cut: false }))
            }
            FileKind::Document if is_document(file) => {
                let bytes_max = self.abilities.documents_bytes_max.ok_or(NotSensed::Unreadable)?;
                self.read(fetched(messenger, file, bytes_max).await?).await
            }
            FileKind::Photo | FileKind::Document => {
                let bytes_max = self.abilities.sees_bytes_max.ok_or(NotSensed::Unreadable)?;
                self.look_at(fetched(messenger, file, bytes_max).await?).await
            }
        }
    }

    async fn look_at(&self, bytes: bytes::Bytes) -> Result<Sensed, NotSensed> {
        let develop = self.develop.ok_or(NotSensed::Unavailable)?;
        // It takes its time, and must not hold up others.
        match self.egress.spawn_blocking(move || develop(&bytes)).await {
            Ok(Ok(image)) => Ok(Sensed::Seen(image)),
            Ok(Err(error)) => {
                let words = "no picture was made of a file";
                warn!(error.message = %error, event.action = "picture_refused", "{words}");
                Err(NotSensed::Unreadable)
            }
            Err(ended) if ended.is_panic() => resume_unwind(ended.into_panic()),
            // The process ends.
            Err(_) => Err(NotSensed::Unavailable),
        }
    }

    async fn read(&self, document: bytes::Bytes) -> Result<Sensed, NotSensed> {
        let reader = self.reader.as_ref().ok_or(NotSensed::Unavailable)?;
        let bytes = document.len() as u64;
        match reader.read(document).await {
            Ok(DocumentText { text, is_cut, kind }) => {
                let kind = kind.word();
                info!(labels.kind = kind, event.action = "document_read", "a document was read");
                Ok(Sensed::Read(ReadFile { text, bytes, is_cut }))
            }
            Err(error) => {
                let words = "a document was not read";
                warn!(error.message = %error, event.action = "document_refused", "{words}");
                Err(match error {
                    ReadDocumentError::Unknown | ReadDocumentError::Damaged => {
                        NotSensed::Unreadable
                    }
                    ReadDocumentError::Locked => NotSensed::Locked,
                    ReadDocumentError::TooMuch => NotSensed::TooMuch,
                    ReadDocumentError::Wordless => NotSensed::Wordless,
                    ReadDocumentError::Unavailable => NotSensed::Unavailable,
                })
            }
        }
    }

    async fn hear(
        &self,
        recording: &Recording,
        seconds: u32,
        till: &Till,
    ) -> Result<Sensed, NotSensed> {
        let transcriber = self.transcriber.as_ref().ok_or(NotSensed::Unavailable)?;
        let most = self.rates.of_recording(seconds);
        for attempt in 1..=ATTEMPTS_MAX {
            let ticket = till.ticket(most).await.map_err(NotSensed::OverCap)?;
            let begun = Instant::now();
            let error = match transcriber.transcribe(recording).await {
                Ok(transcript) => {
                    let seconds = transcript.seconds.unwrap_or(seconds);
                    let toll = self.rates.of_recording(seconds);
                    let toll = till.used(ticket, toll, begun.elapsed());
                    return Ok(Sensed::Heard(transcript, toll));
                }
                Err(error) => error,
            };
            till.failed(ticket, (most, error.may_cost()), error.label(), begun.elapsed());
            warn!(
                error.message = %error,
                event.action = "transcription_failed",
                "a recording was not turned into text"
            );
            if !error.is_passing() {
                return Err(NotSensed::Unreadable);
            }
            tokio::time::sleep(PAUSE * attempt).await;
        }
        Err(NotSensed::Unavailable)
    }
}

/// A file of plain text, by what its sender's app says; whether it is one, its bytes tell.
pub(crate) fn is_text(file: &FileRef) -> bool {
    let is_kind = |it: &str| it.starts_with("text/") || it == "application/json";
    let has_ending = |name: &str| {
        let ending = name.rsplit_once('.').map_or("", |(_, it)| it).to_ascii_lowercase();
        matches!(ending.as_str(), "txt" | "md" | "markdown" | "csv" | "tsv" | "json" | "log")
    };
    file.kind == FileKind::Document
        && (file.media_type.as_deref().is_some_and(is_kind)
            || file.name.as_deref().is_some_and(has_ending))
}

/// A document, by what its sender's app says; what it is, its bytes tell.
pub(crate) fn is_document(file: &FileRef) -> bool {
    let is_kind = |it: &str| {
        it == "application/pdf"
            || it.starts_with("application/vnd.openxmlformats-officedocument.")
            || it.starts_with("application/vnd.oasis.opendocument.")
    };
    let has_ending = |name: &str| {
        let ending = name.rsplit_once('.').map_or("", |(_, it)| it).to_ascii_lowercase();
        matches!(ending.as_str(), "pdf" | "docx" | "xlsx" | "pptx" | "odt" | "ods" | "odp")
    };
    file.kind == FileKind::Document
        && (file.media_type.as_deref().is_some_and(is_kind)
            || file.name.as_deref().is_some_and(has_ending))
}

/// The text of a file: UTF-8, without what no text holds.
fn text_of(bytes: &[u8]) -> Result<String, NotSensed> {
    let text = std::str::from_utf8(bytes).map_err(|_no_text| NotSensed::Unreadable)?;
    let text = text.trim_start_matches('\u{FEFF}');
    if text.contains('\0') || text.trim().is_empty() {
        return Err(NotSensed::Unreadable);
    }
    Ok(text.replace("\r\n", "\n"))
}

fn kind(file: &FileRef) -> &'static str {
    match file.kind {
        FileKind::Voice => "voice",
        FileKind::Audio => "audio",
        FileKind::Photo => "photo",
        FileKind::Document => "document",
    }
}

/// SENSES-1.
async fn fetched(
    messenger: &dyn Messenger,
    file: &FileRef,
    bytes_max: u64,
) -> Result<bytes::Bytes, NotSensed> {
    let most = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    for attempt in 1..=ATTEMPTS_MAX {
        let error = match messenger.download(&file.file, most).await {
            Ok(bytes) => return Ok(bytes),
            Err(DownloadError::TooLarge) => return Err(NotSensed::TooLarge(bytes_max)),
            Err(DownloadError::Failed(error)) => error,
        };
        warn!(error.message = %error, event.action = "download_failed", "a file was not fetched");
        match error {
            MessengerError::Flooded { retry_after } if retry_after <= WAIT_MAX => {
                tokio::time::sleep(retry_after).await;
            }
            MessengerError::Unreachable(_) | MessengerError::Broken { .. } => {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            MessengerError::Flooded { .. }
            | MessengerError::Forbidden
            | MessengerError::Migrated { .. }
            | MessengerError::Rejected { .. }
            | MessengerError::Conflict
            | MessengerError::Unauthorized => return Err(NotSensed::Unavailable),
        }
    }
    Err(NotSensed::Unavailable)
}

/// The ending that belongs to a recording, by its first bytes.
fn sound(bytes: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    let holds = |at: usize, what: &[u8]| bytes.get(at..).is_some_and(|it| it.starts_with(what));
    let is_mpeg = matches!(bytes, [0xFF, second, ..] if 0xE0 <= *second);
    match () {
        () if begins(b"OggS") => Some("ogg"),
        () if begins(b"ID3") => Some("mp3"),
        () if begins(b"fLaC") => Some("flac"),
        () if begins(b"RIFF") && holds(8, b"WAVE") => Some("wav"),
        () if holds(4, b"ftyp") => Some("m4a"),
        () if begins(&[0x1A, 0x45, 0xDF, 0xA3]) => Some("webm"),
        () if is_mpeg => Some("mp3"),
        () => None,
    }
}

/// The two letters of a language tag, where it begins with two.
fn spoken(tag: &str) -> Option<String> {
    let first = tag.split(['-', '_']).next()?.to_ascii_lowercase();
    let is_code = first.len() == 2 && first.chars().all(|c| c.is_ascii_lowercase());
    is_code.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_known_by_its_first_bytes() {
        let cases: [(&[u8], Option<&str>); 9] = [
            (b"OggS\0\x02", Some("ogg")),
            (b"ID3\x04", Some("mp3")),
            (b"\xFF\xFB\x90", Some("mp3")),
            (b"RIFF\0\0\0\0WAVEfmt ", Some("wav")),
            (b"RIFF\0\0\0\0WEBP", None),
            (b"\0\0\0\x20ftypM4A ", Some("m4a")),
            (b"\xFF\xD8\xFF\xE0", None),
            (b"%PDF-1.7", None),
            (b"", None),
        ];
        for (bytes, ending) in cases {
            assert_eq!(sound(bytes), ending, "{bytes:?}");
        }
    }

    #[test]
    fn a_text_file_is_text_whatever_it_is_called() {
        assert_eq!(text_of(b"\xEF\xBB\xBFone\r\ntwo"), Ok("one\ntwo".to_owned()));
        for not_text in [&b"\xFF\xFE"[..], b"a\0b", b" \n", b""] {
            assert_eq!(text_of(not_text), Err(NotSensed::Unreadable), "{not_text:?}");
        }
    }

    #[test]
    fn a_language_is_told_by_its_two_letters_or_not_at_all() {
        let told: Vec<_> = ["de", "pt-BR", "zh_hans", "haw", "", "x1"].map(spoken).into();
        let expected = [Some("de"), Some("pt"), Some("zh"), None, None, None];
        assert_eq!(told, expected.map(|it| it.map(str::to_owned)));
    }
}
