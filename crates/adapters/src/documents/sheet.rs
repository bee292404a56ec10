//! The words and numbers of a table of Office Open XML: sheets one after the other, a line for each row.

use std::collections::HashMap;

use jiff::{SignedDuration, civil::DateTime};
use protocol::document::ReadDocumentError;

use super::{
    archive::Archive,
    office::{Met, attribute, walk},
    page::{Full, Page},
};

/// Columns that are shown as empty before a cell.
const GAP_MAX: usize = 50;
/// Texts that cells share.
const SHARED_MAX: usize = 1_000_000;

/// What cells look up.
#[derive(Default)]
struct Book {
    /// Texts, by their place.
    shared: Vec<String>,
    /// Which looks of cells show a number as a date, by their place.
    dates: Vec<bool>,
}

pub(super) fn read(archive: &mut Archive<'_>, page: &mut Page) -> Result<(), ReadDocumentError> {
    let book = Book {
        shared: shared(&archive.part_if("xl/sharedStrings.xml")?)?,
        dates: dates(&archive.part_if("xl/styles.xml")?)?,
    };
    let targets = targets(&archive.part_if("xl/_rels/workbook.xml.rels")?)?;
    for (name, id) in sheets(&archive.part("xl/workbook.xml")?)? {
        let Some(target) = targets.get(&id) else { continue };
        let part = match target.strip_prefix('/') {
            Some(whole) => whole.to_owned(),
            None => format!("xl/{target}"),
        };
        if page.put(&format!("\n\n{name}\n")).is_err() || !archive.has(&part) {
            continue;
        }
        rows(&archive.part(&part)?, &book, page)?;
    }
    Ok(())
}

fn shared(part: &[u8]) -> Result<Vec<String>, ReadDocumentError> {
    let (mut all, mut in_words, mut beside) = (Vec::new(), false, false);
    walk(part, |met| {
        match met {
            Met::Opened(b"si", _) if SHARED_MAX <= all.len() => return Err(Full),
            Met::Opened(b"si", _) => all.push(String::new()),
            // How it is read out.
            Met::Opened(b"rPh", _) => beside = true,
            Met::Closed(b"rPh") => beside = false,
            Met::Opened(b"t", _) => in_words = !beside,
            Met::Closed(b"t") => in_words = false,
            Met::Text(text) if in_words => {
                if let Some(last) = all.last_mut() {
                    last.push_str(text);
                }
            }
            Met::Opened(..) | Met::Closed(_) | Met::Text(_) => (),
        }
        Ok(())
    })?;
    Ok(all)
}

/// Which looks of cells are dates.
fn dates(part: &[u8]) -> Result<Vec<bool>, ReadDocumentError> {
    let (mut own, mut looks, mut in_cells) = (HashMap::new(), Vec::new(), false);
    walk(part, |met| {
        match met {
            Met::Opened(b"numFmt", tag) => {
                if let (Some(id), Some(code)) =
                    (attribute(tag, "numFmtId"), attribute(tag, "formatCode"))
                {
                    own.insert(id, is_date(&code));
                }
            }
            Met::Opened(b"cellXfs", _) => in_cells = true,
            Met::Closed(b"cellXfs") => in_cells = false,
            Met::Opened(b"xf", tag) if in_cells => {
                let id = attribute(tag, "numFmtId").unwrap_or_default();
                let usual = || matches!(id.parse(), Ok(14_u32..=22 | 45..=47));
                looks.push(own.get(&id).copied().unwrap_or_else(usual));
            }
            Met::Opened(..) | Met::Closed(_) | Met::Text(_) => (),
        }
        Ok(())
    })?;
    Ok(looks)
}

/// True if a pattern shows a day or a time: letters for them, outside quotes and brackets.
fn is_date(code: &str) -> bool {
    let (mut quoted, mut bracketed) = (false, false);
    code.chars().any(|c| {
        match c {
            '"' => quoted = !quoted,
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ => (),
        }
        !quoted && !bracketed && matches!(c.to_ascii_lowercase(), 'y' | 'd' | 'h' | 'm' | 's')
    })
}

fn targets(part: &[u8]) -> Result<HashMap<String, String>, ReadDocumentError> {
    let mut all = HashMap::new();
    walk(part, |met| {
        if let Met::Opened(b"Relationship", tag) = met
            && let (Some(id), Some(target)) = (attribute(tag, "Id"), attribute(tag, "Target"))
        {
            all.insert(id, target);
        }
        Ok(())
    })?;
    Ok(all)
}

/// Names of the sheets, and what leads to them.
fn sheets(part: &[u8]) -> Result<Vec<(String, String)>, ReadDocumentError> {
    let mut all = Vec::new();
    walk(part, |met| {
        if let Met::Opened(b"sheet", tag) = met
            && let (Some(name), Some(id)) = (attribute(tag, "name"), attribute(tag, "r:id"))
        {
            all.push((name, id));
        }
        Ok(())
    })?;
    Ok(all)
}

fn rows(part: &[u8], book: &Book, page: &mut Page) -> Result<(), ReadDocumentError> {
    let mut cell = Cell::default();
    // The column that comes next, from 0.
    let (mut next, mut in_value) = (0_usize, false);
    walk(part, |met| {
        match met {
            Met::Opened(b"row", _) => next = 0,
            Met::Closed(b"row") => page.put("\n")?,
            Met::Opened(b"c", tag) => cell = Cell::of(tag, next),
            Met::Opened(b"v" | b"t", _) => in_value = true,
            Met::Closed(b"v" | b"t") => in_value = false,
            Met::Text(text) if in_value => cell.value.push_str(text),
            Met::Closed(b"c") => {
                let gap = cell.column.saturating_sub(next) + usize::from(0 < next);
                let value = cell.shown(book);
                if !value.is_empty() {
                    page.put(&"\t".repeat(gap.min(GAP_MAX)))?;
                    page.put(&value)?;
                    next = cell.column + 1;
                }
                cell = Cell::default();
            }
            Met::Opened(..) | Met::Closed(_) | Met::Text(_) => (),
        }
        Ok(())
    })
}

#[derive(Default)]
struct Cell {
    column: usize,
    kind: String,
    look: usize,
    value: String,
}

impl Cell {
    fn of(tag: &quick_xml::events::BytesStart<'_>, next: usize) -> Self {
        let place = attribute(tag, "r").as_deref().and_then(column);
        let look = attribute(tag, "s").and_then(|it| it.parse().ok());
        Self {
            column: place.unwrap_or(next),
            kind: attribute(tag, "t").unwrap_or_default(),
            look: look.unwrap_or_default(),
            value: String::new(),
        }
    }

    fn shown(&self, book: &Book) -> String {
        let value = self.value.trim();
        match self.kind.as_str() {
            "s" => {
                let text = value.parse().ok().and_then(|at: usize| book.shared.get(at));
                text.cloned().unwrap_or_default().replace('\n', " ")
            }
            "b" if value == "1" => "TRUE".to_owned(),
            "b" => "FALSE".to_owned(),
            "" | "n" if book.dates.get(self.look) == Some(&true) => {
                value.parse().ok().and_then(day).unwrap_or_else(|| value.to_owned())
            }
            _ => self.value.replace('\n', " "),
        }
    }
}

/// The column of a place such as `AB12`, from 0. No table has more than 16,384.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let number =
        letters.fold(0, |sum, it| sum * 26 + usize::from(it.to_ascii_uppercase() - b'A') + 1);
    number.checked_sub(1).filter(|it| *it < 16_384)
}

/// A day, with its time where there is one, of the number of days since the end of 1899.
fn day(number: f64) -> Option<String> {
    // From the first to the year 9999; the first two months of 1900 are a day off, as everywhere.
    if !(0.0..2_958_466.0).contains(&number) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range above")]
    let seconds = (number * 86_400.0).round() as i64;
    let at = DateTime::constant(1899, 12, 30, 0, 0, 0, 0)
        .checked_add(SignedDuration::from_secs(seconds))
        .ok()?;
    let is_time_alone = number < 1.0;
    let has_time = seconds % 86_400 != 0;
    Some(match (is_time_alone, has_time) {
        (true, _) => at.time().to_string(),
        (false, false) => at.date().to_string(),
        (false, true) => format!("{} {}", at.date(), at.time()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_shown_as_days_and_other_numbers_are_left_alone() {
        assert_eq!(day(45_000.0).as_deref(), Some("2023-03-15"));
        assert_eq!(day(45_000.5).as_deref(), Some("2023-03-15 12:00:00"));
        assert_eq!(day(0.25).as_deref(), Some("06:00:00"));
        assert_eq!((day(-1.0), day(f64::NAN), day(1e18)), (None, None, None));
        for (code, is) in [
            ("yyyy\\-mm\\-dd", true),
            ("h:mm", true),
            ("0.00", false),
            ("[Red]0", false),
            ("0 \"days\"", false),
        ] {
            assert_eq!(is_date(code), is, "{code}");
        }
    }

    #[test]
    fn a_column_is_told_by_its_letters() {
        let found = ["A1", "Z9", "AA1", "XFD1", "XFE1", "1", ""].map(column);
        assert_eq!(found, [Some(0), Some(25), Some(26), Some(16_383), None, None, None]);
    }
}
