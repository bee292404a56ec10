//! Characters written as escapes, decoded in place: percent-encoding (RFC 3986), HTML character
//! references, `\x69`, `\u0069`, `\u{69}`, `U+0069` and quoted-printable (RFC 2045).

use std::ops::Range;

use super::payload::keep;
use crate::normalise::Rewrite;

/// The longest HTML reference looked for, in bytes.
const REFERENCE_BYTES_MAX: usize = 10;
/// Quoted-printable escapes in a text that has any. Fewer are sums and assignments.
const QUOTED_MIN: usize = 3;

/// What one escape stands for, and how many bytes it takes.
enum Escape {
    /// A byte of UTF-8.
    Byte(u8, usize),
    Char(char, usize),
    /// Nothing: a line end that is not one.
    Nothing(usize),
}

/// The text with its escapes decoded, or `None` if it has none that spell out letters.
pub(super) fn decode(text: &str) -> Option<Rewrite> {
    let is_quoted = is_quoted_printable(text.as_bytes());
    let mut writer = Writer {
        text,
        out: Rewrite::default(),
        done: 0,
        bytes: Vec::new(),
        source: 0..0,
        count: 0,
    };
    let mut at = 0;
    while let Some(next) = position(text.as_bytes(), at) {
        at = next;
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        match escape(rest, is_quoted) {
            Some(Escape::Byte(byte, len)) => {
                writer.byte(byte, at..at + len);
                at += len;
            }
            Some(Escape::Char(c, len)) => {
                writer.end_bytes();
                writer.replace(c.encode_utf8(&mut [0; 4]), at..at + len);
                at += len;
            }
            Some(Escape::Nothing(len)) => {
                writer.end_bytes();
                writer.replace("", at..at + len);
                at += len;
            }
            None => at += 1,
        }
    }
    writer.end_bytes();
    if writer.count == 0 {
        return None;
    }
    keep(text, writer.done..text.len(), &mut writer.out);
    Some(writer.out)
}

fn position(bytes: &[u8], at: usize) -> Option<usize> {
    let found = bytes
        .get(at..)?
        .iter()
        .position(|byte| matches!(byte, b'%' | b'&' | b'\\' | b'=' | b'U' | b'u'));
    found.map(|it| at + it)
}

fn is_quoted_printable(bytes: &[u8]) -> bool {
    let is_escape = |triple: &&[u8]| match triple {
        [b'=', a, b] => is_upper_hex(*a) && is_upper_hex(*b),
        _ => false,
    };
    bytes.windows(3).filter(is_escape).take(QUOTED_MIN).count() == QUOTED_MIN
}

fn is_upper_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'F')
}

fn escape(bytes: &[u8], is_quoted: bool) -> Option<Escape> {
    match bytes {
        [b'%', a, b, ..] => Some(Escape::Byte(byte(*a, *b)?, 3)),
        [b'=', b'\n', ..] if is_quoted => Some(Escape::Nothing(2)),
        [b'=', a, b, ..] if is_quoted && is_upper_hex(*a) && is_upper_hex(*b) => {
            Some(Escape::Byte(byte(*a, *b)?, 3))
        }
        [b'\\', b'x', a, b, ..] => Some(Escape::Byte(byte(*a, *b)?, 4)),
        [b'\\', b'u', b'{', rest @ ..] => {
            let len = rest.iter().take(7).position(|&byte| byte == b'}')?;
            Some(Escape::Char(number(rest.get(..len)?, 16)?, len + 4))
        }
        [b'\\', b'u', rest @ ..] => wide(rest),
        [b'\\', b'U', rest @ ..] => Some(Escape::Char(number(rest.get(..8)?, 16)?, 10)),
        [b'U' | b'u', b'+', rest @ ..] => {
            let len = rest.iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
            (4 <= len).then_some(())?;
            // The space between two of them is not one of the text.
            let goes_on = matches!(rest.get(len..), Some([b' ', b'U' | b'u', b'+', ..]));
            Some(Escape::Char(number(rest.get(..len)?, 16)?, len + 2 + usize::from(goes_on)))
        }
        [b'&', ..] => reference(bytes),
        _ => None,
    }
}

fn byte(a: u8, b: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    Some(digit(a)? << 4 | digit(b)?)
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok()?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}

/// `\u0069`, or two of them that are one character beyond the basic plane.
fn wide(rest: &[u8]) -> Option<Escape> {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(rest.get(at..at + 4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let Some(c) = char::from_u32(u32::from(first)) {
        return Some(Escape::Char(c, 6));
    }
    let second = rest.get(4..6).filter(|it| *it == b"\\u").and_then(|_| unit(6))?;
    let c = char::decode_utf16([first, second]).next()?.ok()?;
    Some(Escape::Char(c, 12))
}

fn reference(bytes: &[u8]) -> Option<Escape> {
    let body = bytes.get(1..)?;
    let len = body
        .iter()
        .take(REFERENCE_BYTES_MAX)
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#');
    let len = len.unwrap_or(body.len().min(REFERENCE_BYTES_MAX));
    let (name, closed) = (body.get(..len)?, body.get(len) == Some(&b';'));
    let c = match name {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ if closed => NAMED.iter().find(|(known, _)| known.as_bytes() == name)?.1,
        _ => return None,
    };
    Some(Escape::Char(c, 1 + len + usize::from(closed)))
}

/// The named references that letters and the signs between words are written with.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("lowbar", '_'),
    ("lbrack", '['),
    ("rbrack", ']'),
    ("lbrace", '{'),
    ("rbrace", '}'),
    ("vert", '|'),
    ("shy", '\u{AD}'),
    ("zwnj", '\u{200C}'),
    ("zwj", '\u{200D}'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("szlig", 'ß'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("ccedil", 'ç'),
    ("ntilde", 'ñ'),
    ("oacute", 'ó'),
];

struct Writer<'t> {
    text: &'t str,
    out: Rewrite,
    /// Up to here the text is written.
    done: usize,
    /// Escaped bytes in a row, and where they stand.
    bytes: Vec<(u8, Range<usize>)>,
    source: Range<usize>,
    /// Escapes that stand for more than a sign.
    count: usize,
}

impl Writer<'_> {
    fn byte(&mut self, byte: u8, source: Range<usize>) {
        if self.source.end != source.start {
            self.end_bytes();
            self.source.start = source.start;
        }
        self.source.end = source.end;
        self.bytes.push((byte, source));
    }

    /// Writes the bytes in a row, if they are UTF-8 and no control characters.
    fn end_bytes(&mut self) {
        let bytes: Vec<u8> = self.bytes.iter().map(|(byte, _)| *byte).collect();
        let sources = std::mem::take(&mut self.bytes);
        self.source = 0..0;
        let Ok(decoded) = String::from_utf8(bytes) else { return };
        for (at, c) in decoded.char_indices() {
            let first = sources.get(at).map(|(_, source)| source.start);
            let last = sources.get(at + c.len_utf8() - 1).map(|(_, source)| source.end);
            if let (Some(start), Some(end)) = (first, last) {
                self.replace(c.encode_utf8(&mut [0; 4]), start..end);
            }
        }
    }

    fn replace(&mut self, decoded: &str, source: Range<usize>) {
        if decoded.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return;
        }
        keep(self.text, self.done..source.start, &mut self.out);
        self.done = source.end;
        self.count += usize::from(decoded.chars().any(|c| c.is_alphanumeric() || c == ' '));
        if !decoded.is_empty() {
            self.out.replace(decoded, source);
        }
    }
}
