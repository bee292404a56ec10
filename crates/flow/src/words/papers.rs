//! What people are told of the files that they brought: what is kept, what is not, and what was not read.

use jiff::tz::TimeZone;
use protocol::{PersonId, document::Paper};

use super::{LIST_CHARS_MAX, Notice, Text, media::size, say, text};
use crate::{
    context::beginning,
    papers::{Keeping, button},
};

/// The longest name in a list, in characters.
const NAME_CHARS_MAX: usize = 60;
/// Buttons under one list.
const DELETE_BUTTONS_MAX: usize = 40;

/// What became of a file that came with a question, under its answer; nothing where there is nothing new.
pub(crate) fn kept(outcome: &Keeping) -> Option<Notice> {
    Some(say(match outcome {
        Keeping::Kept { name, is_cut: false } => text!("paper-kept", name = shown(name)),
        Keeping::Kept { name, is_cut: true } => text!("paper-kept-in-part", name = shown(name)),
        Keeping::Full(limits) => {
            let size = size(limits.bytes_max as u64);
            text!("papers-full", count = limits.papers_max, size = size)
        }
        Keeping::Known => return None,
    }))
}

/// `/files`: what is kept of a person in this chat, with a button to delete each.
pub(crate) fn list(papers: &[Paper], by: PersonId) -> Notice {
    if papers.is_empty() {
        return say(text!("papers-none"));
    }
    let (mut lines, mut buttons, mut length) = (Vec::new(), Vec::new(), 0);
    // The newest first: an old one that does not fit is the one that is looked for least.
    for (at, paper) in papers.iter().rev().enumerate() {
        let number = at + 1;
        let (name, size, day) = (shown(&paper.name), size(paper.bytes), day(paper));
        let mut line = vec![Text::from(format!("{number}. {name} ({size}, {day}"))];
        if paper.is_cut {
            line.extend([", ".into(), text!("paper-in-part")]);
        }
        line.push(")".into());
        let line = Text::concat(line);
        length += line.len() + 1;
        if LIST_CHARS_MAX < length || DELETE_BUTTONS_MAX <= buttons.len() {
            lines.push(text!("memory-more"));
            break;
        }
        lines.push(line);
        buttons.push((format!("🗑 {number}").into(), button(paper.id, by)));
    }
    let rows = buttons.chunks(4).map(<[_]>::to_vec).collect();
    Notice::with(Text::Joined(vec![text!("papers-head"), Text::lines(lines)], "\n\n"), rows)
}

/// A file is kept no more, or was not.
pub(crate) fn deleted(name: Option<&str>) -> Notice {
    say(match name {
        Some(name) => text!("paper-deleted", name = shown(name)),
        None => text!("paper-gone"),
    })
}

/// The list is somebody else's.
pub(crate) fn of_another() -> Notice {
    say(text!("papers-of-another"))
}

/// Nobody whose files they could be: a channel, or an anonymous admin.
pub(crate) fn nobodys() -> Notice {
    say(text!("papers-of-nobody"))
}

/// They cannot be looked at now.
pub(crate) fn away() -> Notice {
    say(text!("papers-away"))
}

/// A document opens with a password only.
pub(crate) fn locked() -> Notice {
    say(text!("file-locked"))
}

/// A document unfolds to more than is read.
pub(crate) fn too_much() -> Notice {
    say(text!("file-too-much"))
}

/// A document holds no words.
pub(crate) fn wordless() -> Notice {
    say(text!("file-wordless"))
}

/// Behind who gets people's words: what is kept of the files that they send.
#[must_use]
pub fn privacy() -> Text {
    text!("privacy-papers")
}

fn shown(name: &str) -> String {
    beginning(name, NAME_CHARS_MAX)
}

/// The day on which it came, by the calendar of UTC, as it is written everywhere.
fn day(paper: &Paper) -> String {
    let at =
        i64::try_from(paper.at.0).ok().and_then(|it| jiff::Timestamp::from_millisecond(it).ok());
    at.map_or_else(String::new, |it| it.to_zoned(TimeZone::UTC).date().to_string())
}

#[cfg(test)]
mod tests {
    use protocol::{Timestamp, UpdateId, document::PaperId};

    use super::*;

    fn paper(id: u64, name: &str) -> Paper {
        let (name, text) = (name.to_owned(), "tea".to_owned());
        let (update, at) = (UpdateId(1), Timestamp(1_764_163_000_000));
        Paper { id: PaperId(id), update, name, bytes: 2 << 20, at, text, is_cut: id == 1 }
    }

    #[test]
    fn a_list_names_size_and_day_of_each_and_deletes_the_right_one() {
        let notice = list(&[paper(1, "old.pdf"), paper(4, "new.docx")], PersonId(7));
        let part = notice.part();
        let (new, old) =
            ("1. new.docx (2 MB, 2025-11-26)", "2. old.pdf (2 MB, 2025-11-26, the beginning)");
        assert!(part.plain.contains(new) && part.plain.contains(old), "{}", part.plain);
        let data: Vec<&str> = part.buttons.iter().flatten().map(|it| it.data.as_str()).collect();
        assert_eq!(data, ["pd:4:7", "pd:1:7"]);
    }

    #[test]
    fn a_list_of_very_many_and_very_long_names_fits_one_message() {
        let many: Vec<Paper> = (0..500).map(|at| paper(at, &"😀".repeat(300))).collect();
        let notice = list(&many, PersonId(7));
        assert!(notice.part().plain.encode_utf16().count() < 4_096);
        assert!(notice.part().buttons.iter().flatten().count() <= DELETE_BUTTONS_MAX);
    }
}
