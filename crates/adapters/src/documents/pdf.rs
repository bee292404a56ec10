//! The words of a PDF, page by page.
//!
//! `pdf-extract` finds them by where they stand. It ends in a panic over much that is not as it should be: a
//! page where it does is left out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{ConvertToFmt, Document, Error, PlainTextOutput, output_doc_page};
use protocol::document::ReadDocumentError;

use super::page::Page;

/// Pages that are looked at.
const PAGES_MAX: usize = 5_000;

/// The page as `pdf-extract` writes to it.
struct Writer<'p>(&'p mut Page);

impl<'p> ConvertToFmt for Writer<'p> {
    type Writer = &'p mut Page;

    fn convert(self) -> Self::Writer {
        self.0
    }
}

pub(super) fn read(document: &[u8], page: &mut Page) -> Result<(), ReadDocumentError> {
    // One that opens without a password is decrypted here.
    let mut opened = Document::load_mem(document).map_err(|error| {
        let is_locked = matches!(error, Error::InvalidPassword | Error::Decryption(_));
        if is_locked { ReadDocumentError::Locked } else { ReadDocumentError::Damaged }
    })?;
    if opened.is_encrypted() && opened.decrypt("").is_err() {
        return Err(ReadDocumentError::Locked);
    }
    let pages = opened.get_pages();
    let (mut read, mut failed) = (0_usize, 0_usize);
    for number in pages.keys().take(PAGES_MAX) {
        let before = page.put("\n\n");
        let put = catch_unwind(AssertUnwindSafe(|| {
            let mut output = PlainTextOutput::new(Writer(page));
            output_doc_page(&opened, &mut output, *number)
        }));
        match put {
            Ok(Ok(())) => read += 1,
            // A full page ends it, too.
            Ok(Err(_)) | Err(_) => failed += 1,
        }
        if before.is_err() || page.is_full() {
            return Ok(());
        }
    }
    if read == 0 && (0 < failed || pages.is_empty()) && !page.has_words() {
        return Err(ReadDocumentError::Damaged);
    }
    Ok(())
}
