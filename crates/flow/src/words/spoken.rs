//! `/language`: which languages there are, and what came of choosing one.

use protocol::{Language, Languages};

use super::{Notice, say, text};

/// What the buttons carry before the code of a language.
pub(crate) const LANGUAGE: &str = "lang:";
/// Buttons in a row.
const ROW: usize = 2;

/// `/language`: a button for each, and one for what the person's app says.
pub(crate) fn language_asked(languages: Languages) -> Notice {
    let choice = |it: Language| (it.own_name().into(), format!("{LANGUAGE}{it}"));
    let choices: Vec<_> = languages.each().map(choice).collect();
    let mut rows: Vec<Vec<_>> = choices.chunks(ROW).map(<[_]>::to_vec).collect();
    rows.push(vec![(text!("language-auto"), format!("{LANGUAGE}auto"))]);
    Notice::with(text!("language-ask"), rows)
}

/// It was chosen. Told in the language itself.
pub(crate) fn language_set(language: Option<Language>) -> Notice {
    say(match language {
        Some(_) => text!("language-set"),
        None => text!("language-automatic"),
    })
}

/// There is none of that name here.
pub(crate) fn language_unknown() -> Notice {
    say(text!("language-unknown"))
}

/// In a group it is not everybody's to change.
pub(crate) fn language_is_the_officers() -> Notice {
    say(text!("language-officers"))
}
