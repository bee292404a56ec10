//! Ways to hide what a text says from a program and not from a model.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// A disguise: its name, and what it makes of a text.
pub(crate) type Disguise = (&'static str, fn(&str) -> String);

pub(crate) const DISGUISES: &[Disguise] = &[
    ("base64", |text| STANDARD.encode(text)),
    ("base64url, no padding", |text| URL_SAFE_NO_PAD.encode(text)),
    ("base64 in lines of 76", |text| chunked(&STANDARD.encode(text), 76)),
    ("base64 of rot13", |text| STANDARD.encode(rot13(text))),
    ("base32", base32),
    ("hexadecimal", |text| bytes(text, |byte| format!("{byte:02x}"))),
    ("hexadecimal, spaced", |text| bytes(text, |byte| format!("{byte:02x} "))),
    ("binary", |text| bytes(text, |byte| format!("{byte:08b} "))),
    ("Morse", morse),
    ("rot13", rot13),
    ("reversed text", |text| text.chars().rev().collect()),
    ("reversed letters in words", |text| words(text, |word| word.chars().rev().collect())),
    ("leet", |text| letters(text, leet)),
    ("percent", |text| bytes(text, |byte| format!("%{byte:02X}"))),
    ("HTML references", |text| chars(text, |c| format!("&#{};", c as u32))),
    ("unicode escapes", unicode_escapes),
    ("quoted-printable", |text| bytes(text, |byte| format!("={byte:02X}"))),
    ("full width", |text| letters(text, |c| shifted(c, '!', '~', 0xFF01))),
    ("mathematical bold", |text| letters(text, |c| alphabet(c, 0x1D400, 0x1D41A))),
    ("Fraktur", |text| letters(text, |c| alphabet(c, 0x1D56C, 0x1D586))),
    ("circled", |text| letters(text, |c| alphabet(c, 0x24B6, 0x24D0))),
    ("squared", |text| letters(text, |c| alphabet(c.to_ascii_uppercase(), 0x1F170, 0x1F170))),
    ("small capitals", |text| letters(text, small_capital)),
    ("upside down", |text| text.chars().rev().map(flipped).collect()),
    ("Cyrillic look-alikes", |text| letters(text, |c| pair(c, CYRILLIC))),
    ("Greek look-alikes", |text| letters(text, |c| pair(c, GREEK))),
    ("random case and accents", |text| letters_by_turns(text, accented)),
    ("heaps of accents", |text| chars(text, |c| format!("{c}\u{336}\u{30D}\u{317}\u{353}"))),
    ("struck through", |text| chars(text, |c| format!("{c}\u{336}"))),
    ("zero-width between letters", |text| chars(text, |c| format!("{c}\u{200B}"))),
    ("soft hyphens", |text| chars(text, |c| format!("{c}\u{AD}"))),
    ("tag characters", |text| letters(text, |c| shifted(c, ' ', '~', 0xE0020))),
    ("spaced letters", |text| spaced(text, " ")),
    ("dotted letters", |text| words(text, |word| spaced(word, "."))),
    ("hyphens in words", |text| words(text, hyphenated)),
];

fn bytes(text: &str, map: impl Fn(u8) -> String) -> String {
    text.bytes().map(map).collect()
}

fn chars(text: &str, map: impl Fn(char) -> String) -> String {
    text.chars().map(map).collect()
}

/// Replaces letters that `map` knows a disguise for.
fn letters(text: &str, map: impl Fn(char) -> Option<char>) -> String {
    text.chars().map(|c| map(c).unwrap_or(c)).collect()
}

fn letters_by_turns(text: &str, map: impl Fn(char, usize) -> String) -> String {
    text.chars().enumerate().map(|(at, c)| map(c, at)).collect()
}

fn words(text: &str, map: impl Fn(&str) -> String) -> String {
    text.split(' ').map(map).collect::<Vec<_>>().join(" ")
}

fn chunked(text: &str, chars: usize) -> String {
    let chars_of: Vec<char> = text.chars().collect();
    chars_of.chunks(chars).map(|line| line.iter().collect::<String>() + "\n").collect()
}

fn base32(text: &str) -> String {
    let bits: Vec<u8> =
        text.bytes().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let digits = bits.chunks(5).map(|bits| {
        let value = bits.iter().fold(0, |value, bit| value << 1 | bit) << (5 - bits.len());
        char::from(if value < 26 { b'A' + value } else { b'2' + value - 26 })
    });
    digits.collect()
}

fn rot13(text: &str) -> String {
    letters(text, |c| match c {
        'a'..='m' | 'A'..='M' => char::from_u32(c as u32 + 13),
        'n'..='z' | 'N'..='Z' => char::from_u32(c as u32 - 13),
        _ => None,
    })
}

fn morse(text: &str) -> String {
    const CODES: [&str; 26] = [
        ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--",
        "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--",
        "--..",
    ];
    let code = |c: char| {
        let at = (c.to_ascii_lowercase() as usize).checked_sub('a' as usize)?;
        CODES.get(at).map(|code| format!("{code} "))
    };
    let word = |word: &str| word.chars().filter_map(code).collect::<String>();
    text.split_whitespace().map(word).collect::<Vec<_>>().join("/ ")
}

fn leet(c: char) -> Option<char> {
    pair(c.to_ascii_lowercase(), "a4e3i1o0s5t7")
}

fn unicode_escapes(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn shifted(c: char, first: char, last: char, to: u32) -> Option<char> {
    (first..=last).contains(&c).then(|| char::from_u32(c as u32 - first as u32 + to))?
}

fn alphabet(c: char, upper: u32, lower: u32) -> Option<char> {
    shifted(c, 'A', 'Z', upper).or_else(|| shifted(c, 'a', 'z', lower))
}

fn small_capital(c: char) -> Option<char> {
    pair(c.to_ascii_lowercase(), "aᴀbʙcᴄdᴅeᴇfғgɢhʜiɪjᴊkᴋlʟmᴍnɴoᴏpᴘqǫrʀsꜱtᴛuᴜvᴠwᴡyʏzᴢ")
}

fn flipped(c: char) -> char {
    const FLIPPED: &str = "aɐbqcɔdpeǝfɟgƃhɥiᴉjɾkʞmɯnuqbrɹtʇunvʌwʍyʎpd";
    pair(c.to_ascii_lowercase(), FLIPPED).unwrap_or(c)
}

const CYRILLIC: &str = "aаcсeеiіjјoоpрsѕxхyуAАBВCСEЕHНIІKКMМOОPРSЅTТXХhһdԁ";
const GREEK: &str = "aαeεiιkκnηoοpρtτuυvνxχAΑBΒEΕHΗIΙKΚMΜNΝOΟPΡTΤXΧYΥZΖ";

/// What follows `c` in a list of pairs.
fn pair(c: char, pairs: &str) -> Option<char> {
    let mut letters = pairs.chars();
    while let (Some(plain), Some(disguised)) = (letters.next(), letters.next()) {
        if plain == c {
            return Some(disguised);
        }
    }
    None
}

fn accented(c: char, at: usize) -> String {
    // Not random, so that the figure is the same each time; but without a pattern to learn.
    let turn = at.wrapping_mul(2_654_435_761) >> 7;
    let c = if turn.is_multiple_of(2) { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    match turn % 5 {
        0 if c.is_ascii_alphabetic() => format!("{c}\u{301}"),
        1 if c.is_ascii_alphabetic() => format!("{c}\u{308}"),
        _ => c.to_string(),
    }
}

fn spaced(text: &str, gap: &str) -> String {
    text.chars().map(String::from).collect::<Vec<_>>().join(gap)
}

fn hyphenated(word: &str) -> String {
    let half = word.chars().count() / 2;
    let mut letters = word.chars();
    let first: String = letters.by_ref().take(half).collect();
    if first.is_empty() { word.to_owned() } else { format!("{first}-{}", letters.as_str()) }
}
