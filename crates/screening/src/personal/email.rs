//! E-mail addresses as people write them: a dot-atom of RFC 5322 and a domain with a letter-only
//! top level. Quoted local parts and address literals are not looked for.

use std::ops::Range;

use super::run::Text;

/// The longest local part, by RFC 5321.
const LOCAL_BYTES_MAX: usize = 64;
/// The longest domain, by RFC 1035.
const DOMAIN_BYTES_MAX: usize = 253;
/// Endings of file names: `icon@2x.png` is a picture.
const FILE_ENDINGS: &[&str] =
    &["png", "jpg", "jpeg", "gif", "webp", "svg", "pdf", "txt", "js", "ts", "json", "css", "html"];

/// Whether a byte may stand in a local part. Bytes past ASCII are letters of other scripts.
pub(super) fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || 0x80 <= byte
        || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'%' | b'\'' | b'&' | b'~' | b'=')
}

/// The address around the `@` at `at`, not before `floor`.
pub(super) fn find(text: &Text<'_>, at: usize, floor: usize) -> Option<Range<usize>> {
    let floor = floor.max(at.saturating_sub(LOCAL_BYTES_MAX));
    let mut start = text.skip_back(at, floor, is_local);
    // Punctuation before the address is not of it; `key=ada@…` names it.
    let local = text.part(start..at);
    start += local.rfind(['=', '&', '„', '“', '«', '‘', '’', '–', '—']).map_or(0, |sign| {
        sign + local.get(sign..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
    });
    start = text.skip(start, |byte| matches!(byte, b'.' | b'\'' | b'-' | b'%' | b'~'));
    let local = text.part(start.min(at)..at);
    let has_letters = local.chars().all(|c| c.is_alphanumeric() || c.is_ascii_punctuation());
    if local.is_empty() || !has_letters || local.ends_with('.') || local.contains("..") {
        return None;
    }
    // A handle of another network, or a password in a URL.
    let is_handle = text.before(start) == b'@';
    if is_handle || (text.before(start) == b':' && is_url(text, start)) {
        return None;
    }
    domain(text, at + 1).map(|end| start..end)
}

/// Where the domain that begins at `start` ends.
fn domain(text: &Text<'_>, start: usize) -> Option<usize> {
    let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let limit = (start + DOMAIN_BYTES_MAX).min(text.len());
    let bytes = text.bytes(start..limit);
    let length = bytes.iter().take_while(|&&byte| is_domain(byte)).count();
    let mut written = text.part(start..start + length).trim_end_matches(['.', '-']);
    // `ada@b.example.Then` runs into the next sentence.
    if let Some((head, tail)) = written.rsplit_once('.')
        && tail.starts_with(|c: char| c.is_ascii_uppercase())
        && tail.contains(|c: char| c.is_ascii_lowercase())
        && head.contains('.')
    {
        written = head;
    }
    let (rest, top) = written.rsplit_once('.')?;
    let top_fits = top.starts_with("xn--")
        || ((2..=24).contains(&top.len()) && top.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let label_fits = |label: &str| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    if !top_fits || !rest.split('.').all(label_fits) {
        return None;
    }
    let is_file = FILE_ENDINGS.contains(&top) && rest.starts_with(|c: char| c.is_ascii_digit());
    let end = start + written.len();
    // `git@host.example:ada/project` is where a repository lies.
    let is_path = text.at(end) == b':' && (text.is_word(end + 1) || text.at(end + 1) == b'/');
    let is_path = is_path && !text.is_digit(end + 1);
    (!is_file && !is_path).then_some(end)
}

/// Whether `//` stands close before `at`, in the same word.
fn is_url(text: &Text<'_>, at: usize) -> bool {
    let start = text.skip_back(at, at.saturating_sub(80), |byte| !byte.is_ascii_whitespace());
    text.bytes(start..at).windows(3).any(|three| three == b"://")
}
