//! The languages that the hall speaks.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::inbound::Inbound;

/// A language of the hall's fixed texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// What everything is written in first.
    #[default]
    English,
    /// German.
    German,
    /// Spanish.
    Spanish,
    /// Russian.
    Russian,
    /// Arabic, from right to left.
    Arabic,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 5] =
        [Self::English, Self::German, Self::Spanish, Self::Russian, Self::Arabic];

    /// Its code in two letters (ISO 639-1).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::Russian => "ru",
            Self::Arabic => "ar",
        }
    }

    /// What those who speak it call it.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Spanish => "Español",
            Self::Russian => "Русский",
            Self::Arabic => "العربية",
        }
    }

    /// True if it is written from right to left.
    #[must_use]
    pub const fn is_right_to_left(self) -> bool {
        match self {
            Self::Arabic => true,
            Self::English | Self::German | Self::Spanish | Self::Russian => false,
        }
    }

    /// The language of an IETF tag: its first part decides, so that `de-AT` is German.
    ///
    /// ```
    /// # use protocol::Language;
    /// assert_eq!(Language::of_tag("de-AT"), Some(Language::German));
    /// assert_eq!(Language::of_tag("tlh"), None);
    /// ```
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|it| it.code().eq_ignore_ascii_case(first))
    }

    /// The language that a person names: by its code, or as those who speak it call it.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        Self::ALL.into_iter().find(|it| it.code() == word || it.own_name().to_lowercase() == word)
    }
}

/// The languages that a hall speaks: at least one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Languages {
    usual: Language,
    others: [bool; Language::ALL.len()],
}

impl Languages {
    /// English alone.
    pub const ENGLISH: Self =
        Self { usual: Language::English, others: [false; Language::ALL.len()] };

    /// Those of a list; the first is the usual one. An empty list is English.
    #[must_use]
    pub fn of(list: &[Language]) -> Self {
        let usual = list.first().copied().unwrap_or_default();
        Self { usual, others: Language::ALL.map(|it| list.contains(&it)) }
    }

    /// True if it is spoken here.
    #[must_use]
    pub fn speaks(&self, language: Language) -> bool {
        self.each().any(|it| it == language)
    }

    /// Each of them, in the order of [`Language::ALL`].
    pub fn each(self) -> impl Iterator<Item = Language> {
        let known = Language::ALL.into_iter().zip(self.others);
        known.filter(move |(it, is_spoken)| *is_spoken || *it == self.usual).map(|(it, _)| it)
    }

    /// The language to speak with somebody: what was chosen, or that of their app, or the usual one.
    #[must_use]
    pub fn choose(&self, chosen: Option<Language>, of_app: Option<Language>) -> Language {
        let is_spoken = |it: &Language| self.speaks(*it);
        chosen.filter(is_spoken).or(of_app.filter(is_spoken)).unwrap_or(self.usual)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Writes a language that may be none, as its code.
///
/// # Errors
/// If the serializer fails.
pub fn write<S: Serializer>(it: &Option<Language>, to: S) -> Result<S::Ok, S::Error> {
    it.map(Language::code).serialize(to)
}

/// Reads a language. One that this program does not speak is none: a later one may have written it.
///
/// # Errors
/// If there is something other than a text or nothing.
pub fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Language>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.and_then(|it| Language::of_tag(&it)))
}

impl Inbound {
    /// The language of the app of whoever did it, if it is told and the hall speaks it.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        let person = match self {
            Self::Said(said) | Self::Edited(said) => said.person.as_ref(),
            Self::Pressed(pressed) => Some(&pressed.person),
            Self::StopRequested { person } => person.as_ref(),
            Self::BotMade { owner, .. } => Some(owner),
            Self::Due(_) | Self::Membership { .. } | Self::Nothing => None,
        };
        person.and_then(|it| it.language.as_deref()).and_then(Language::of_tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_tag_and_by_its_name() {
        for it in Language::ALL {
            assert_eq!(Language::of_tag(it.code()), Some(it));
            assert_eq!(Language::of_word(it.own_name()), Some(it));
            assert_eq!(Language::of_tag(&format!("{}-XX", it.code().to_uppercase())), Some(it));
        }
        for unknown in ["", "fr", "deu", "-de", "english"] {
            assert_eq!(Language::of_tag(unknown), None, "{unknown}");
        }
        assert_eq!(Language::of_word("ESPAÑOL"), Some(Language::Spanish));
    }

    #[test]
    fn what_was_chosen_goes_before_the_app_and_the_app_before_the_usual_one() {
        use Language::{Arabic, English, German, Russian};
        let here = Languages::of(&[German, English, Arabic]);
        assert_eq!(here.each().collect::<Vec<_>>(), [English, German, Arabic]);
        assert_eq!(here.choose(Some(Arabic), Some(English)), Arabic);
        assert_eq!(here.choose(None, Some(English)), English);
        assert_eq!(here.choose(None, None), German);
        assert_eq!(here.choose(Some(Russian), Some(Russian)), German, "not spoken here");
        assert_eq!(Languages::of(&[]).choose(Some(German), None), English);
    }

    #[test]
    fn a_language_of_a_later_program_is_read_as_none() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Holder {
            #[serde(default, serialize_with = "write", deserialize_with = "read")]
            language: Option<Language>,
        }
        let read = |text: &str| serde_json::from_str::<Holder>(text).unwrap().language;
        assert_eq!(read("{\"language\":\"ar\"}"), Some(Language::Arabic));
        for none in ["{\"language\":\"tlh\"}", "{\"language\":null}", "{}"] {
            assert_eq!(read(none), None, "{none}");
        }
        let written = serde_json::to_string(&Holder { language: Some(Language::German) }).unwrap();
        assert_eq!(written, "{\"language\":\"de\"}");
    }
}
