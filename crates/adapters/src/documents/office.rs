//! The words of office documents: which parts hold them, and which tags.
//!
//! Nothing in a document is followed: no reference, no entity of its own, no link. A part that declares its
//! own grammar (where entities grow) is none that an office program writes, and is refused.

use protocol::document::{DocumentKind, ReadDocumentError};
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use super::{
    archive::Archive,
    page::{Full, Page},
    sheet,
};

/// The deepest that tags stand in each other.
const DEPTH_MAX: usize = 2_000;
/// Spaces that one tag stands for.
const SPACES_MAX: usize = 200;

pub(super) fn read(document: &[u8], page: &mut Page) -> Result<DocumentKind, ReadDocumentError> {
    let mut archive = Archive::open(document)?;
    if archive.has("word/document.xml") {
        for part in ["word/document.xml", "word/footnotes.xml", "word/endnotes.xml"] {
            text(&archive.part_if(part)?, page)?;
            page.put("\n\n").ok();
        }
        return Ok(DocumentKind::Docx);
    }
    if archive.has("xl/workbook.xml") {
        sheet::read(&mut archive, page)?;
        return Ok(DocumentKind::Xlsx);
    }
    if archive.has("ppt/presentation.xml") {
        for number in archive.numbered("ppt/slides/slide", ".xml") {
            page.put(&format!("\n\nSlide {number}\n")).ok();
            text(&archive.part(&format!("ppt/slides/slide{number}.xml"))?, page)?;
        }
        return Ok(DocumentKind::Pptx);
    }
    let kind = match archive.part_if("mimetype")?.trim_ascii() {
        b"application/vnd.oasis.opendocument.text" => DocumentKind::Odt,
        b"application/vnd.oasis.opendocument.spreadsheet" => DocumentKind::Ods,
        b"application/vnd.oasis.opendocument.presentation" => DocumentKind::Odp,
        _ => return Err(ReadDocumentError::Unknown),
    };
    let manifest = archive.part_if("META-INF/manifest.xml")?;
    if memchr::memmem::find(&manifest, b"encryption-data").is_some() {
        return Err(ReadDocumentError::Locked);
    }
    open_text(&archive.part("content.xml")?, page)?;
    Ok(kind)
}

/// What happens in a part, with local names.
pub(super) enum Met<'e> {
    Opened(&'e [u8], &'e BytesStart<'e>),
    Closed(&'e [u8]),
    Text(&'e str),
}

/// Whether a part is read on.
pub(super) type Goes = Result<(), Full>;

/// Reads a part of XML from its beginning to its end, or until the page is full.
pub(super) fn walk(
    part: &[u8],
    mut meet: impl FnMut(Met<'_>) -> Goes,
) -> Result<(), ReadDocumentError> {
    let damaged = |_: quick_xml::Error| ReadDocumentError::Damaged;
    // Office programs write UTF-8.
    let part = std::str::from_utf8(part).map_err(|_other| ReadDocumentError::Damaged)?;
    let mut reader = Reader::from_str(part.trim_start_matches('\u{FEFF}'));
    let mut depth = 0_usize;
    loop {
        let went = match reader.read_event().map_err(damaged)? {
            Event::Start(tag) => {
                depth += 1;
                if DEPTH_MAX < depth {
                    return Err(ReadDocumentError::TooMuch);
                }
                meet(Met::Opened(tag.local_name().as_ref(), &tag))
            }
            Event::Empty(tag) => {
                let name = tag.local_name();
                let opened = meet(Met::Opened(name.as_ref(), &tag));
                opened.and_then(|()| meet(Met::Closed(name.as_ref())))
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                meet(Met::Closed(tag.local_name().as_ref()))
            }
            Event::Text(text) => {
                meet(Met::Text(&text.decode().map_err(|_other| ReadDocumentError::Damaged)?))
            }
            Event::CData(text) => {
                meet(Met::Text(&text.decode().map_err(|_other| ReadDocumentError::Damaged)?))
            }
            Event::GeneralRef(reference) => {
                let sign = match reference.resolve_char_ref().map_err(damaged)? {
                    Some(sign) => Some(sign),
                    None => known(reference.as_ref()),
                };
                let mut bytes = [0; 4];
                // Only those that every XML knows: nothing here grows.
                let sign = sign.ok_or(ReadDocumentError::Damaged)?;
                meet(Met::Text(sign.encode_utf8(&mut bytes)))
            }
            Event::DocType(_) => return Err(ReadDocumentError::Damaged),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Ok(()),
            Event::Eof if depth == 0 => return Ok(()),
            Event::Eof => return Err(ReadDocumentError::Damaged),
        };
        if went == Err(Full) {
            return Ok(());
        }
    }
}

fn known(name: &[u8]) -> Option<char> {
    match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => None,
    }
}

/// An attribute by its whole name, as text.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok().flatten()?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|it| it.into_owned())
}

/// Texts and slides of Office Open XML: words stand in `t`, in paragraphs.
fn text(part: &[u8], page: &mut Page) -> Result<(), ReadDocumentError> {
    let (mut in_words, mut beside, mut cells) = (false, 0_usize, 0_usize);
    walk(part, |met| {
        match met {
            // The same once more, for older programs; and where tabs would stop.
            Met::Opened(b"Fallback" | b"pPr", _) => beside += 1,
            Met::Closed(b"Fallback" | b"pPr") => beside = beside.saturating_sub(1),
            Met::Opened(b"t", _) => in_words = true,
            Met::Closed(b"t") => in_words = false,
            Met::Text(text) if in_words && beside == 0 => page.put(text)?,
            Met::Opened(b"tc", _) => cells += 1,
            Met::Closed(b"tc") => {
                cells = cells.saturating_sub(1);
                page.put("\t")?;
            }
            Met::Closed(b"tab") if beside == 0 => page.put("\t")?,
            // A row of a table is one line.
            Met::Closed(b"br" | b"cr" | b"p") if 0 < cells => page.put(" ")?,
            Met::Closed(b"br" | b"cr" | b"p" | b"tr") => page.put("\n")?,
            Met::Opened(..) | Met::Closed(_) | Met::Text(_) => (),
        }
        Ok(())
    })
}

/// OpenDocument: words stand in paragraphs and headings, whatever is around them.
fn open_text(part: &[u8], page: &mut Page) -> Result<(), ReadDocumentError> {
    let (mut paragraphs, mut deleted, mut cells) = (0_usize, 0_usize, 0_usize);
    walk(part, |met| {
        match met {
            Met::Opened(b"tracked-changes", _) => deleted += 1,
            Met::Closed(b"tracked-changes") => deleted = deleted.saturating_sub(1),
            Met::Opened(b"p" | b"h", _) => paragraphs += 1,
            Met::Closed(b"p" | b"h") => {
                paragraphs = paragraphs.saturating_sub(1);
                page.put(if 0 < cells { " " } else { "\n" })?;
            }
            Met::Opened(b"table-cell", _) => cells += 1,
            Met::Closed(b"table-cell") => {
                cells = cells.saturating_sub(1);
                page.put("\t")?;
            }
            Met::Opened(b"table", tag) => {
                if let Some(name) = attribute(tag, "table:name") {
                    page.put(&format!("\n\n{name}\n"))?;
                }
            }
            Met::Opened(b"s", tag) if 0 < paragraphs => {
                let count = attribute(tag, "text:c").and_then(|it| it.parse().ok()).unwrap_or(1);
                page.put(&" ".repeat(SPACES_MAX.min(count)))?;
            }
            Met::Closed(b"tab") => page.put("\t")?,
            Met::Closed(b"line-break" | b"table-row" | b"page") => page.put("\n")?,
            Met::Text(text) if 0 < paragraphs && deleted == 0 => page.put(text)?,
            Met::Opened(..) | Met::Closed(_) | Met::Text(_) => (),
        }
        Ok(())
    })
}
