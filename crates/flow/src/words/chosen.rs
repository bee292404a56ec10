//! Buttons that choose for a person: an agent, or an example. In a group they are for whom they were shown to.

use protocol::PersonId;

use super::{Notice, say, text};

/// What the buttons begin with.
const CHOOSING: [&str; 2] = ["ag:", "ex:"];
/// Stands before the person whose button it is.
const OF: char = '@';

/// What such a button carries where it is one person's.
pub(super) fn bound(data: &str, person: PersonId) -> String {
    match CHOOSING.iter().any(|it| data.starts_with(it)) {
        true => format!("{data}{OF}{person}"),
        false => data.to_owned(),
    }
}

/// What a button carries, and whose it is. One that was shown to nobody in particular is everybody's.
pub(crate) fn read(data: &str) -> (&str, Option<PersonId>) {
    let is_choosing = CHOOSING.iter().any(|it| data.starts_with(it));
    let whose = data.rsplit_once(OF).filter(|_| is_choosing);
    match whose.and_then(|(data, id)| Some((data, PersonId(id.parse().ok()?)))) {
        Some((data, person)) => (data, Some(person)),
        None => (data, None),
    }
}

/// Somebody pressed a button that was shown to another.
pub(crate) fn of_another() -> Notice {
    say(text!("chosen-of-another"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_that_chooses_is_for_whom_it_was_shown_to() {
        let ada = PersonId(9_007_199_254_740_991);
        let longest = format!("ex:{}:3:en", "a".repeat(32));
        for data in ["ag:sage", "ex:1:de", longest.as_str()] {
            let theirs = bound(data, ada);
            assert!(theirs.len() <= 64, "{theirs}");
            assert_eq!(read(&theirs), (data, Some(ada)));
            assert_eq!(read(data), (data, None));
        }
        for other in ["mf:1:2", "forget:1", "tl:y:1:2", "ag:sage@x", "lang:de"] {
            assert_eq!(read(other), (other, None));
        }
        assert_eq!(bound("mf:1:2", ada), "mf:1:2");
    }
}
