//! What is to be done about a file that came with a message: it belongs to the question, or the person
//! is told what works instead. Nothing is fetched before that.

use protocol::inbound::{Attachment, FileKind, FileRef, Said};

use super::{House, Request, prompt_of};
use crate::{
    senses::{Abilities, is_document, is_text},
    words::{self, Notice},
};

/// A message without words of its own.
pub(super) fn without_words(said: &Said, house: &House) -> Request {
    match &said.attachment {
        None => Request::Ignore,
        Some(Attachment::Other) => Request::Say(words::media::cannot_use(&house.abilities)),
        Some(Attachment::File(file)) => with(file, Request::Ask(None, prompt_of("", said)), house),
    }
}

/// A question with the file that came with it; other requests as they are.
pub(super) fn with_file(request: Request, said: &Said, house: &House) -> Request {
    match &said.attachment {
        Some(Attachment::File(file)) => with(file, request, house),
        // Its words stand beside the question, see `Said::beside`.
        Some(Attachment::Other) => request,
        // Whoever answers a message with a file asks about it, if anything can be made of that.
        None => match &said.replied_file {
            Some(file) if objection(file, &house.abilities).is_none() => with(file, request, house),
            Some(_) | None => request,
        },
    }
}

fn with(file: &FileRef, request: Request, house: &House) -> Request {
    let Request::Ask(agent, prompt) = request else { return request };
    match objection(file, &house.abilities) {
        Some(notice) => Request::Say(notice),
        None => Request::Ask(agent, prompt.with_files([file.clone()])),
    }
}

/// Why a file is not taken, by what its sender's app says of it.
fn objection(file: &FileRef, abilities: &Abilities) -> Option<Notice> {
    let bytes = file.bytes.unwrap_or_default();
    match file.kind {
        FileKind::Voice | FileKind::Audio => {
            let Some(hearing) = abilities.hears else {
                return Some(words::media::cannot_use(abilities));
            };
            if hearing.seconds_max < file.seconds.unwrap_or_default() {
                return Some(words::media::too_long(hearing.seconds_max));
            }
            (hearing.bytes_max < bytes).then(|| words::media::too_large(hearing.bytes_max))
        }
        FileKind::Document if is_text(file) => {
            let Some(bytes_max) = abilities.reads_bytes_max else {
                return Some(words::media::cannot_use(abilities));
            };
            (bytes_max < bytes).then(|| words::media::too_large(bytes_max))
        }
        FileKind::Document if is_document(file) => {
            let Some(bytes_max) = abilities.documents_bytes_max else {
                return Some(words::media::cannot_use(abilities));
            };
            (bytes_max < bytes).then(|| words::media::too_large(bytes_max))
        }
        FileKind::Photo | FileKind::Document if is_picture(file) => {
            let Some(bytes_max) = abilities.sees_bytes_max else {
                return Some(words::media::cannot_use(abilities));
            };
            (bytes_max < bytes).then(|| words::media::too_large(bytes_max))
        }
        FileKind::Photo | FileKind::Document => Some(words::media::cannot_use(abilities)),
    }
}

/// By what its sender's app says; what it is, its bytes tell.
pub(crate) fn is_picture(file: &FileRef) -> bool {
    let says_so = |it: &str| matches!(it, "image/jpeg" | "image/png" | "image/webp");
    file.kind == FileKind::Photo || file.media_type.as_deref().is_some_and(says_so)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::senses::Hearing;

    fn recording(seconds: u64, bytes: u64) -> FileRef {
        FileRef {
            kind: FileKind::Voice,
            file: "x".to_owned(),
            bytes: Some(bytes),
            media_type: None,
            seconds: Some(seconds),
            name: None,
            language: None,
            is_replied: false,
        }
    }

    fn said_of(file: &FileRef, abilities: Abilities) -> String {
        let notice = objection(file, &abilities);
        notice.map(|it| it.part().plain.clone()).unwrap_or_default()
    }

    #[test]
    fn a_recording_is_taken_up_to_its_limits_and_only_where_somebody_listens() {
        let hears = Abilities {
            hears: Some(Hearing { bytes_max: 2 << 20, seconds_max: 120, hints: true }),
            ..Abilities::default()
        };
        assert_eq!(said_of(&recording(120, 2 << 20), hears), "");
        assert!(said_of(&recording(121, 9), hears).contains("2 minutes"));
        assert!(said_of(&recording(9, (2 << 20) + 1), hears).contains("2 MB"));
        let deaf = said_of(&recording(1, 1), Abilities::default());
        assert!(deaf.contains("only read text"), "{deaf}");
    }
}
