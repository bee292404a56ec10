//! Texts that know no language until they are shown: a message of `config/locales` with what stands in
//! it, or words that are the same everywhere.
//!
//! The messages are compiled in. What a language lacks is said in English; a test holds the languages
//! together, so that this is for commands that came a moment ago.

use std::{
    borrow::Cow,
    sync::{Arc, PoisonError, RwLock},
};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use protocol::Language;
use unic_langid::LanguageIdentifier;

/// Keeps the beginning of a line to the right (U+200F).
pub(crate) const RIGHT_TO_LEFT_MARK: char = '\u{200F}';
/// Keeps the slash of a command before its name (U+200E). No part of a word: Telegram still knows the
/// command.
const LEFT_TO_RIGHT_MARK: char = '\u{200E}';

/// A text that is put into a language where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// The same in every language: names, ids, what people and models wrote, and English that is not
    /// translated yet.
    Verbatim(String),
    /// A message of `config/locales`.
    Message {
        /// Its key, or `key.attribute`.
        key: Cow<'static, str>,
        /// What stands in it.
        arguments: Vec<(&'static str, Argument)>,
        /// Its English, where that stands in the code.
        english: Option<&'static str>,
    },
    /// Several, one behind the other.
    Joined(Vec<Text>, &'static str),
}

/// What stands in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A number that is counted: it decides the plural and is written with its thousands apart.
    Count(u64),
    /// A number with a fraction, such as `2.50`.
    Decimal(String),
    /// A text.
    Text(Text),
}

macro_rules! counts {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Argument {
            fn from(count: $kind) -> Self {
                Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
            }
        }
    )* };
}
counts!(u16, u32, u64, usize);

impl<T: Into<Text>> From<T> for Argument {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Verbatim(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::Verbatim(text.clone())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Verbatim(text.to_owned())
    }
}

impl From<&protocol::AgentName> for Text {
    fn from(name: &protocol::AgentName) -> Self {
        Self::Verbatim(name.to_string())
    }
}

impl From<protocol::RefId> for Text {
    fn from(reference: protocol::RefId) -> Self {
        Self::Verbatim(reference.to_string())
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Verbatim(String::new())
    }
}

/// A message of `config/locales` with what stands in it: `text!("key", name = value)`. A test reads all
/// of them and looks whether there is such a message with just these variables.
macro_rules! text {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::words::language::Text::Message {
            key: std::borrow::Cow::Borrowed($key),
            arguments: vec![$((
                stringify!($name),
                $crate::words::language::Argument::from($value),
            )),*],
            english: None,
        }
    };
}
pub(crate) use text;

impl Text {
    /// Lines of a text.
    #[must_use]
    pub fn lines(lines: Vec<Self>) -> Self {
        Self::Joined(lines, "\n")
    }

    /// Texts with nothing between them.
    #[must_use]
    pub fn concat(texts: Vec<Self>) -> Self {
        Self::Joined(texts, "")
    }

    /// A message whose English stands in the code.
    pub(crate) fn known(key: String, english: &'static str) -> Self {
        Self::Message { key: Cow::Owned(key), arguments: Vec::new(), english: Some(english) }
    }

    /// How long it is in English, in bytes: by that, lists are cut.
    #[must_use]
    pub fn len(&self) -> usize {
        self.told(Language::English).len()
    }

    /// True if there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text in a language, ready to be shown.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        let text = self.told(language);
        if language.is_right_to_left() { from_right_to_left(&text) } else { text }
    }

    fn told(&self, language: Language) -> String {
        match self {
            Self::Verbatim(text) => text.clone(),
            Self::Joined(texts, between) => {
                let texts: Vec<String> = texts.iter().map(|it| it.told(language)).collect();
                texts.join(separator(between, language))
            }
            Self::Message { key, arguments, english } => {
                let english = english.map(str::to_owned);
                if language == Language::English && english.is_some() {
                    return english.unwrap_or_default();
                }
                let in_english = || english.or_else(|| message(Language::English, key, arguments));
                message(language, key, arguments).or_else(in_english).unwrap_or_else(|| {
                    debug_assert!(false, "there is no message {key}");
                    key.clone().into_owned()
                })
            }
        }
    }
}

fn message(
    language: Language,
    key: &str,
    arguments: &[(&'static str, Argument)],
) -> Option<String> {
    let bundle = spoken(language);
    let (key, attribute) = match key.split_once('.') {
        Some((key, attribute)) => (key, Some(attribute)),
        None => (key, None),
    };
    let message = bundle.get_message(key)?;
    let pattern = match attribute {
        Some(attribute) => message.get_attribute(attribute)?.value(),
        None => message.value()?,
    };
    let mut given = FluentArgs::with_capacity(arguments.len());
    for (name, argument) in arguments {
        given.set(*name, argument.value(language));
    }
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&given), &mut errors).into_owned();
    debug_assert!(errors.is_empty(), "{key} in {language}: {errors:?}");
    errors.is_empty().then_some(text)
}

impl Argument {
    fn value(&self, language: Language) -> FluentValue<'static> {
        match self {
            Self::Count(count) => FluentValue::from(*count),
            Self::Decimal(number) => FluentValue::from(decimal(number, language)),
            Self::Text(text) => FluentValue::from(text.told(language)),
        }
    }
}

// === Numbers. Digits are European in every language: commands are written with them. ===

/// What stands between thousands and before a fraction.
const fn separators(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English | Language::Arabic => (",", "."),
        Language::German | Language::Spanish => (".", ","),
        Language::Russian => ("\u{A0}", ","),
    }
}

fn decimal(number: &str, language: Language) -> String {
    number.replace('.', separators(language).1)
}

/// What stands between several: Arabic has a comma and a semicolon of its own.
fn separator(between: &'static str, language: Language) -> &'static str {
    match between {
        ", " if language.is_right_to_left() => "، ",
        "; " if language.is_right_to_left() => "؛ ",
        _ => between,
    }
}

/// A number with its thousands apart, from five digits on.
fn count(number: u64, language: Language) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if 0 < at && (digits.len() - at).is_multiple_of(3) {
            text.push_str(separators(language).0);
        }
        text.push(digit);
    }
    text
}

/// Fluent calls one function for every language, which does not say which: there is one for each.
macro_rules! formatter {
    ($language:expr) => {
        |value, _| match value {
            FluentValue::Number(number) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "made of a u64 above; what is beyond 2^53 is no longer exact"
                )]
                let number = number.value as u64;
                Some(count(number, $language))
            }
            FluentValue::String(_)
            | FluentValue::Custom(_)
            | FluentValue::None
            | FluentValue::Error => None,
        }
    };
}

// === The messages. ===

type Bundle = FluentBundle<FluentResource>;

/// One for each language that was spoken, in the order of `Language::ALL`.
static BUNDLES: [RwLock<Option<Arc<Bundle>>>; 5] = [const { RwLock::new(None) }; 5];

fn place(language: Language) -> &'static RwLock<Option<Arc<Bundle>>> {
    let [english, german, spanish, russian, arabic] = &BUNDLES;
    match language {
        Language::English => english,
        Language::German => german,
        Language::Spanish => spanish,
        Language::Russian => russian,
        Language::Arabic => arabic,
    }
}

fn spoken(language: Language) -> Arc<Bundle> {
    let place = place(language);
    let known = place.read().unwrap_or_else(PoisonError::into_inner).clone();
    known.unwrap_or_else(|| {
        let mut place = place.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(place.get_or_insert_with(|| Arc::new(bundle(language))))
    })
}

/// Gives back the memory of every language but English: half a megabyte each. One that is spoken again is
/// read again.
pub fn let_languages_go() {
    for language in Language::ALL.into_iter().filter(|it| *it != Language::English) {
        // lost-ok: it can be made anew.
        drop(place(language).write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// What is compiled in.
pub(crate) const fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../../../config/locales/en/main.ftl"),
        Language::German => include_str!("../../../../config/locales/de/main.ftl"),
        Language::Spanish => include_str!("../../../../config/locales/es/main.ftl"),
        Language::Russian => include_str!("../../../../config/locales/ru/main.ftl"),
        Language::Arabic => include_str!("../../../../config/locales/ar/main.ftl"),
    }
}

fn bundle(language: Language) -> Bundle {
    // Decides the plurals. A code of two letters is always one.
    let identifier: LanguageIdentifier = language.code().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    // Marks around what stands in a message would keep a command from being one.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::English => formatter!(Language::English),
        Language::German => formatter!(Language::German),
        Language::Spanish => formatter!(Language::Spanish),
        Language::Russian => formatter!(Language::Russian),
        Language::Arabic => formatter!(Language::Arabic),
    }));
    let resource = match FluentResource::try_new(source(language).to_owned()) {
        Ok(resource) => resource,
        Err((resource, errors)) => {
            debug_assert!(errors.is_empty(), "{language}: {errors:?}");
            resource
        }
    };
    // The first of two messages with one key stays.
    let added = bundle.add_resource(resource);
    debug_assert!(added.is_ok(), "{language}: {added:?}");
    bundle
}

// === From right to left. ===

/// A line is read from where its first letter belongs: one that begins with a command or a name gets a
/// mark before it. Lines without a letter of a right-to-left script stay as they are.
fn from_right_to_left(text: &str) -> String {
    let mut marked = String::with_capacity(text.len() + 16);
    for (at, line) in text.split('\n').enumerate() {
        if 0 < at {
            marked.push('\n');
        }
        if !line.chars().any(is_right_to_left) {
            marked.push_str(line);
            continue;
        }
        if line.chars().find(|it| it.is_alphabetic()).is_some_and(|it| !is_right_to_left(it)) {
            marked.push(RIGHT_TO_LEFT_MARK);
        }
        mark_commands(line, &mut marked);
    }
    marked
}

/// A command gets a mark before its slash, and so do a date, a rule of cron and a number below zero:
/// behind Arabic their parts would change places.
fn mark_commands(line: &str, marked: &mut String) {
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        let rest = line.get(at..).unwrap_or_default();
        let apart = !before.is_alphanumeric() && !"/<>".contains(before);
        let is_command =
            letter == '/' && apart && rest.chars().nth(1).is_some_and(|it| it.is_ascii_lowercase());
        let begins = before.is_whitespace() || "(«".contains(before);
        if is_command || (begins && is_in_order(rest)) {
            marked.push(LEFT_TO_RIGHT_MARK);
        }
        marked.push(letter);
        before = letter;
    }
}

/// True for what begins with a number whose parts must keep their order.
fn is_in_order(rest: &str) -> bool {
    let mut words = rest.split_whitespace();
    let word = words.next().unwrap_or_default();
    let is_number = |it: char| it.is_ascii_digit();
    if !word.trim_start_matches(['-', '+']).starts_with(is_number) {
        return false;
    }
    let is_plain = word.bytes().all(|it| it.is_ascii_digit());
    let next = words.next().unwrap_or_default();
    let goes_on = next.starts_with('*') || next.starts_with(is_number);
    word.contains(['-', '+', '/']) || (is_plain && goes_on)
}

/// Hebrew, Arabic, Syriac, Thaana and what is like them.
pub(crate) fn is_right_to_left(letter: char) -> bool {
    letter.is_alphabetic()
        && matches!(letter, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_was_let_go_is_spoken_again() {
        let said = |language| text!("greeting-can").in_language(language);
        let all = || Language::ALL.map(said);
        let before = all();
        let_languages_go();
        assert_eq!(all(), before);
        assert_ne!(before[0], before[1], "two languages");
    }
}
