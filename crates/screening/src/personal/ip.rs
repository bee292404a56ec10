//! Internet addresses. What looks like one may be the number of a version or of a chapter, so
//! four small numbers need a word that says what they are.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use super::{
    context::{Line, is_any, nearest},
    run::{Gap, Run, Text},
};

/// Words that make four numbers a version or a place in a document.
const NO_ADDRESS: &[&str] = &[
    "version",
    "=v",
    "=ver",
    "release",
    "firmware",
    "build",
    "update",
    "upgrad",
    "driver",
    "section",
    "chapter",
    "=paragraph",
    "clause",
    "abschnitt",
    "kapitel",
    "absatz",
    "ziffer",
    "section",
    "chapitre",
    "=clause",
    "mise",
    "versión",
    "sección",
    "capítulo",
    "apartado",
    "versione",
    "sezione",
    "capitolo",
    "paragrafo",
    "aggiorna",
    "actualiza",
    "treiber",
    "=oid",
    "pilote",
    "=software",
    "patch",
    "=rfc",
    "kernel",
    "plugin",
    "paket",
    "package",
    "=lib",
    "library",
    "=bibliothek",
];
/// Words that make them an address.
const ADDRESS: &[&str] = &[
    "=ip",
    "ipv4",
    "=host",
    "server",
    "servid",
    "serveur",
    "=dns",
    "=ping",
    "adress",
    "address",
    "dirección",
    "indirizzo",
    "router",
    "gateway",
    "subnet",
    "=ssh",
    "client",
    "=node",
    "firewall",
    "=port",
    "login",
    "=from",
    "proxy",
];
/// Numbers up to here are those of versions more often than not.
const VERSION_PART_MAX: u8 = 31;
/// The longest address of version 6, a version 4 address at its end.
const V6_BYTES_MAX: usize = 45;

/// The address of version 4 that begins `run`.
pub(super) fn v4(text: &Text<'_>, run: &Run, floor: usize) -> Option<Range<usize>> {
    if run.groups().len() < 4 || !run.is_even(4, Gap::Dot) {
        return None;
    }
    let start = run.groups().first()?.start;
    let end = run.end_of(4);
    // Leading zeros are refused by the parser, as they should be.
    let address: Ipv4Addr = text.part(start..end).parse().ok()?;
    let goes_on = match text.at(end) {
        b'.' => text.is_word(end + 1),
        b'-' | b'_' => text.is_word(end + 1),
        byte => byte.is_ascii_alphabetic(),
    };
    let [first, ..] = address.octets();
    let named = nearest(text, start, floor, |word, line| {
        if is_any(word, ADDRESS) {
            return Some(true);
        }
        (line == Line::Same && is_any(word, NO_ADDRESS)).then_some(false)
    });
    if goes_on || first == 0 || named == Some(false) {
        return None;
    }
    let octets = address.octets();
    let is_small = octets.iter().all(|&octet| octet <= VERSION_PART_MAX);
    let is_even = octets.iter().all(|&octet| octet == first);
    let has_port = matches!(text.at(end), b':' | b'/') && text.is_digit(end + 1);
    let is_url = text.bytes(start.saturating_sub(3)..start) == b"://";
    let is_sure = !is_small || first == 10 || is_even || has_port || is_url;
    (is_sure || named == Some(true)).then_some(start..end)
}

/// The address of version 6 around the hexadecimal word that ends at `word_end`.
pub(super) fn v6(text: &Text<'_>, word: Range<usize>, floor: usize) -> Option<Range<usize>> {
    let is_hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    if text.at(word.end) != b':' && text.before(word.start) != b':' {
        return None;
    }
    let floor = floor.max(word.start.saturating_sub(V6_BYTES_MAX));
    let mut start = text.skip_back(word.start, floor, is_hex);
    let limit = (start + V6_BYTES_MAX + 1).min(text.len());
    let is_part = |byte: &&u8| is_hex(**byte) || **byte == b'.';
    let length = text.bytes(start..limit).iter().take_while(is_part).count();
    let mut written = text.part(start..start + length).trim_end_matches('.');
    if written.ends_with(':') && !written.ends_with("::") {
        written = written.trim_end_matches(':');
    }
    // `IPv6:2001:db8::1` and `:2001:db8::1`.
    if written.starts_with(':') && !written.starts_with("::") {
        written = written.trim_start_matches(':');
        start += 1;
    }
    let end = start + written.len();
    let address: Ipv6Addr = written.parse().ok()?;
    if text.is_word(end) || text.before(start).is_ascii_alphanumeric() {
        return None;
    }
    // Global, unique local, link local, multicast; mapped from version 4, translated.
    let [first, second, ..] = address.segments();
    let is_assigned = matches!(first, 0x2000..=0x3FFF | 0xFC00..=0xFDFF | 0xFE80..=0xFEBF | 0xFF00..)
        || address.to_ipv4_mapped().is_some()
        || (first == 0x64 && second == 0xFF9B);
    is_assigned.then_some(start..end)
}
