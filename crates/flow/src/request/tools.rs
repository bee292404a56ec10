//! What a person says under the question whether a tool may be called.

use protocol::UpdateId;

/// What such a button carries before what it is for.
const BUTTON: &str = "tl:";

/// A person's word about one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The update whose work waits.
    pub of: UpdateId,
    /// The call.
    pub call: u32,
    /// It may be made, once.
    pub allowed: bool,
}

/// What the button for it carries.
pub(crate) fn button(decision: Decision) -> String {
    let Decision { of, call, allowed } = decision;
    format!("{BUTTON}{}:{of}:{call}", if allowed { 'y' } else { 'n' })
}

/// Reads it back. Anybody can forge it: who may say so is decided elsewhere.
pub(super) fn pressed(data: &str) -> Option<Decision> {
    let (word, rest) = data.strip_prefix(BUTTON)?.split_once(':')?;
    let (of, call) = rest.split_once(':')?;
    let allowed = match word {
        "y" => true,
        "n" => false,
        _ => return None,
    };
    Some(Decision { of: UpdateId(of.parse().ok()?), call: call.parse().ok()?, allowed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_is_read_as_it_was_made_and_nothing_else_is_one() {
        for allowed in [true, false] {
            let decision = Decision { of: UpdateId(i64::MAX), call: u32::MAX, allowed };
            let data = button(decision);
            assert!(data.len() <= 64, "{data}");
            assert_eq!(pressed(&data), Some(decision));
        }
        for odd in ["", "tl:", "tl:y", "tl:y:1", "tl:x:1:1", "tl:y:a:1", "tl:y:1:-1", "xx:y:1:1"] {
            assert_eq!(pressed(odd), None, "{odd}");
        }
    }
}
