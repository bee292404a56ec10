//! The forms a secret can be written in.
//!
//! Base64 and base32 are those of RFC 4648. Encoded text does not show where the secret began in what
//! was encoded, so each alignment is a form of its own, less the characters that also depend on the
//! bytes around the secret.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

use crate::normalise::MatchCopy;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Bytes to encode in the place of those before the secret.
const BEFORE: &[u8; 4] = b"    ";

/// The forms in which the case of letters matters.
pub(super) fn exact_forms(secret: &str) -> Vec<String> {
    // Texts are searched in their plain copy, so the secret must look as it does there.
    let mut forms = vec![MatchCopy::both(secret).0.text().to_owned(), percent(secret, false)];
    let quoted = serde_json::Value::from(secret).to_string();
    forms.extend(
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned),
    );
    forms.push(entities(secret));
    let once = base64_forms(secret);
    for form in &once {
        forms.extend(base64_forms(form));
        forms.push(backwards(form));
    }
    let lower = Zeroizing::new(codes(secret, "", hex_lower));
    let upper = Zeroizing::new(lower.to_uppercase());
    let reversed = Zeroizing::new(backwards(secret));
    for inner in [lower, upper, reversed] {
        forms.extend(base64_forms(&inner));
    }
    forms.extend(once);
    forms.sort();
    forms.dedup();
    forms
}

/// The forms in which it does not.
pub(super) fn caseless_forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        // The search knows the two cases of ASCII only.
        secret.to_uppercase(),
        secret.to_lowercase(),
        backwards(secret),
        rot13(secret),
        percent(secret, true),
        codes(secret, " ", |byte| byte.to_string()),
        codes(secret, " ", |byte| format!("{byte:03o}")),
        codes(secret, " ", |byte| format!("{byte:08b}")),
    ];
    for joint in ["", " ", ":", "\\x", "0x", "\\u00"] {
        forms.push(codes(secret, joint, hex_lower));
    }
    let hex = Zeroizing::new(codes(secret, "", hex_lower));
    forms.push(backwards(&hex));
    for form in base64_forms(secret) {
        let form = Zeroizing::new(form);
        forms.push(codes(&form, "", hex_lower));
    }
    forms.extend((0..5).filter_map(|shift| base32(secret, shift)));
    forms.sort();
    forms.dedup();
    forms
}

/// Letters and digits alone: what is left of a text whose parts were pushed apart.
pub(super) fn squeezed(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    kept.extend(text.chars().filter(|c| c.is_alphanumeric()));
    kept
}

fn base64_forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for shift in 0..3 {
        let padded =
            Zeroizing::new([BEFORE.get(..shift).unwrap_or_default(), secret.as_bytes()].concat());
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let encoded = Zeroizing::new(encoded);
            let first = (shift * 8).div_ceil(6);
            let end = (padded.len() * 8) / 6;
            forms.extend(encoded.get(first..end).map(str::to_owned));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

fn base32(secret: &str, shift: usize) -> Option<String> {
    let padded =
        Zeroizing::new([BEFORE.get(..shift).unwrap_or_default(), secret.as_bytes()].concat());
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut encoded = Zeroizing::new(String::new());
    for &byte in padded.iter() {
        bits = (bits << 8 | u32::from(byte)) & 0xFFFF;
        count += 8;
        while 5 <= count {
            count -= 5;
            let place = usize::try_from(bits >> count & 31).ok()?;
            encoded.push(char::from(*BASE32.get(place)?));
        }
    }
    encoded.get((shift * 8).div_ceil(5)..).map(str::to_owned)
}

fn hex_lower(byte: u8) -> String {
    format!("{byte:02x}")
}

/// The code of every byte, with something between them.
fn codes(secret: &str, joint: &str, code: fn(u8) -> String) -> String {
    let codes: Vec<String> = secret.bytes().map(code).collect();
    codes.join(joint)
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

fn rot13(text: &str) -> String {
    let turn = |c: char| match c {
        'a'..='m' | 'A'..='M' => char::from_u32(u32::from(c) + 13).unwrap_or(c),
        'n'..='z' | 'N'..='Z' => char::from_u32(u32::from(c) - 13).unwrap_or(c),
        _ => c,
    };
    text.chars().map(turn).collect()
}

fn entities(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Percent-encodes every byte, or only those that are not unreserved in a URL.
fn percent(secret: &str, every: bool) -> String {
    let mut encoded = String::with_capacity(secret.len() * 3);
    for byte in secret.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if unreserved && !every {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_their_standards() {
        // From RFC 4648, part 10.
        assert_eq!(base32("foobar", 0).unwrap(), "MZXW6YTBO");
        assert!(base64_forms("foobar").contains(&"Zm9vYmFy".to_owned()));
        assert_eq!(rot13("Hello, Z9"), "Uryyb, M9");
        assert_eq!(percent("a b/c", false), "a%20b%2Fc");
        assert_eq!(percent("a~", true), "%61%7E");
        assert_eq!(codes("az", "\\x", hex_lower), "61\\x7a");
        assert_eq!(entities("<a&'b\">"), "&lt;a&amp;&#39;b&quot;&gt;");
        assert_eq!(squeezed("a-b. c\u{e9}_9"), "abc\u{e9}9");
    }
}
