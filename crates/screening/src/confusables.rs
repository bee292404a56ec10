//! Which Latin letter a character of another script, or a dressed-up one, is easily taken for.
//!
//! Source: Unicode Technical Standard 39 (Unicode Security Mechanisms), the confusables data. Of
//! its skeletons only those are kept that are one Latin letter, and only for characters that do
//! not become that letter by NFKD already; `confusables/uts39.txt` is made of the data by a test
//! in this file. UTS 39 takes a capital I for a small l; here capitals stay capitals. What it does
//! not list but attackers use (small capitals, letters of another script that resemble a Latin
//! one less) is in `confusables/more.txt`, and only words that have a true Latin letter are
//! folded by it.

use std::sync::LazyLock;

/// One line for each Latin letter: the letter, then what is taken for it.
const UTS39: &str = include_str!("confusables/uts39.txt");
/// The same for what UTS 39 does not list.
const MORE: &str = include_str!("confusables/more.txt");
/// Characters below this are looked up in one step. Above are mostly symbols and old scripts.
const DIRECT_CHARS: usize = 0x3000;
/// Marks an entry of `MORE`.
const WEAK: u8 = 0x80;

struct Table {
    direct: Vec<u8>,
    /// By character.
    rest: Vec<(char, u8)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { direct: vec![0; DIRECT_CHARS], rest: Vec::new() };
    for (lines, mark) in [(UTS39, 0), (MORE, WEAK)] {
        for line in lines.lines() {
            let mut letters = line.chars();
            let Some(latin) = letters.next().and_then(|c| u8::try_from(c).ok()) else { continue };
            for c in letters {
                match table.direct.get_mut(c as usize) {
                    Some(entry) => *entry = latin | mark,
                    None => table.rest.push((c, latin | mark)),
                }
            }
        }
    }
    table.rest.sort_unstable();
    table
});

fn entry(c: char) -> u8 {
    match TABLE.direct.get(c as usize) {
        Some(&entry) => entry,
        None => {
            let at = TABLE.rest.binary_search_by_key(&c, |&(c, _)| c);
            at.ok().and_then(|at| TABLE.rest.get(at)).map_or(0, |&(_, entry)| entry)
        }
    }
}

/// The Latin letter that `c` is taken for, if it is not itself what NFKD makes of it.
pub(crate) fn latin(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    if let Some(letter) = enclosed(c) {
        return Some(letter);
    }
    match entry(c) & !WEAK {
        0 => None,
        latin => Some(char::from(latin)),
    }
}

/// Whether a word of such letters alone can be taken for a Latin word.
pub(crate) fn is_confusable(c: char) -> bool {
    !c.is_ascii() && matches!(entry(c), 1..WEAK)
}

/// Whether a character is a Latin letter, plain or dressed up.
pub(crate) fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, 'ª' | 'º' | '\u{C0}'..='\u{2AF}' | '\u{1D00}'..='\u{1DBF}'
            | '\u{1E00}'..='\u{1EFF}' | '\u{2071}' | '\u{207F}' | '\u{2090}'..='\u{209C}'
            | '\u{2100}'..='\u{218B}' | '\u{249C}'..='\u{24E9}' | '\u{2C60}'..='\u{2C7F}'
            | '\u{A722}'..='\u{A7FF}' | '\u{AB30}'..='\u{AB6F}' | '\u{FB00}'..='\u{FB06}'
            | '\u{FF21}'..='\u{FF5A}' | '\u{1D400}'..='\u{1D6A5}')
        || is_enclosed(c)
}

/// Whether a character is a letter in a circle or a square, or half of a flag. NFKD knows only
/// some of them.
pub(crate) fn is_enclosed(c: char) -> bool {
    matches!(c, '\u{24B6}'..='\u{24E9}' | '\u{1F130}'..='\u{1F149}') || enclosed(c).is_some()
}

fn enclosed(c: char) -> Option<char> {
    let first = match c {
        '\u{1F150}'..='\u{1F169}' => 0x1F150,
        '\u{1F170}'..='\u{1F189}' => 0x1F170,
        '\u{1F1E6}'..='\u{1F1FF}' => 0x1F1E6,
        _ => return None,
    };
    u8::try_from(c as u32 - first).ok().map(|at| char::from(b'A' + at))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

    use super::*;

    fn bare(text: &str) -> String {
        text.nfkd().filter(|&c| !is_combining_mark(c)).collect()
    }

    /// The Latin letter that UTS 39 has as the skeleton of `c`, marks left out.
    fn skeleton(c: char) -> Option<char> {
        let skeleton =
            unicode_security::confusable_detection::skeleton(&c.to_string()).collect::<String>();
        let skeleton = bare(&skeleton);
        let letter = skeleton.chars().next().filter(char::is_ascii_alphabetic)?;
        let letter = if letter == 'l' && c.is_uppercase() { 'I' } else { letter };
        (skeleton.len() == 1).then_some(letter)
    }

    fn uts39() -> String {
        let mut lines: BTreeMap<char, String> = BTreeMap::new();
        for c in ('\u{80}'..=char::MAX).filter(|c| !c.is_control()) {
            let Some(letter) = skeleton(c) else { continue };
            let base = bare(&c.to_string());
            let mut base = base.chars();
            // What is this letter without its accents needs no line of its own.
            let by_itself = base.next().is_some_and(|b| {
                b != c && (b == letter || skeleton(b) == Some(letter)) && base.next().is_none()
            });
            if !by_itself {
                lines.entry(letter).or_default().push(c);
            }
        }
        lines.iter().map(|(letter, others)| format!("{letter}{others}\n")).collect()
    }

    /// `BLESS=1` writes the table anew.
    #[test]
    fn the_table_is_what_the_unicode_data_makes_it() {
        let made = uts39();
        if std::env::var_os("BLESS").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/confusables/uts39.txt");
            fs::write(path, &made).unwrap();
            return;
        }
        assert!(made == UTS39, "confusables/uts39.txt is out of date");
    }

    #[test]
    fn letters_of_other_scripts_are_taken_for_the_latin_ones_they_look_like() {
        for (text, expected) in [
            ("аеорсухіјѕ", "aeopcyxijs"),
            ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
            ("օսո", "oun"),
            ("ᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz"),
            ("🅐🅱🇨", "ABC"),
            ("ƀđħłøŧ", "bdhlot"),
        ] {
            let folded: String = text.chars().map(|c| latin(c).unwrap_or('?')).collect();
            assert_eq!(folded, expected);
        }
    }

    #[test]
    fn only_what_uts_39_lists_makes_a_word_look_latin() {
        assert!("соре".chars().all(is_confusable));
        assert!(!"кит".chars().any(is_confusable));
        assert!(!"жщ中あ".chars().any(is_confusable));
    }
}
