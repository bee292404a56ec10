//! Writes a conversation in the form that the model was trained on (ChatML), and leaves out its
//! oldest turns if it is too long.
//!
//! What is said is encoded apart from the marks between turns, so that nobody can end a turn or
//! begin one by writing its mark.

use protocol::model::{Role, Turn};

/// The tokens that frame a turn.
pub(super) struct Marks {
    /// `<|im_start|>`.
    pub(super) start: u32,
    /// `<|im_end|>`.
    pub(super) end: u32,
    /// A line feed.
    pub(super) line: Vec<u32>,
}

/// A conversation as tokens, ready for the assistant to speak.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) tokens: Vec<u32>,
    /// How many of them, from the first, are the instructions that the conversation opens with.
    pub(super) instructions: usize,
}

/// Writes a conversation, or nothing if its instructions and its last turn alone are more than
/// `tokens_max`.
///
/// `encode` must treat marks in its text as plain text.
pub(super) fn write<E>(
    turns: &[Turn],
    tokens_max: usize,
    marks: &Marks,
    encode: impl Fn(&str) -> Result<Vec<u32>, E>,
) -> Result<Option<Prompt>, E> {
    let framed = |turn: &Turn| -> Result<Vec<u32>, E> {
        let mut tokens = vec![marks.start];
        tokens.extend(encode(&format!("{}\n{}", speaker(turn.role), turn.content))?);
        tokens.push(marks.end);
        tokens.extend(&marks.line);
        Ok(tokens)
    };
    let mut opening = vec![marks.start];
    opening.extend(encode(&format!("{}\n", speaker(Role::Assistant)))?);

    let mut left = tokens_max.checked_sub(opening.len());
    let mut kept: Vec<Option<Vec<u32>>> = turns.iter().map(|_| None).collect();
    let last_said = turns.iter().rposition(|turn| turn.role == Role::User);
    let must_stay = |at: usize, turn: &Turn| turn.role == Role::System || Some(at) == last_said;
    for (at, (turn, place)) in turns.iter().zip(&mut kept).enumerate() {
        if must_stay(at, turn) {
            let tokens = framed(turn)?;
            left = left.and_then(|left| left.checked_sub(tokens.len()));
            *place = Some(tokens);
        }
    }
    let Some(mut left) = left else { return Ok(None) };
    for (at, (turn, place)) in turns.iter().zip(&mut kept).enumerate().rev() {
        if !must_stay(at, turn) {
            let tokens = framed(turn)?;
            let Some(less) = left.checked_sub(tokens.len()) else { break };
            left = less;
            *place = Some(tokens);
        }
    }
    let opens = turns.iter().take_while(|turn| turn.role == Role::System).count();
    let instructions = kept.iter().take(opens).flatten().map(Vec::len).sum();
    let said = kept.into_iter().flatten().flatten();
    Ok(Some(Prompt { tokens: said.chain(opening).collect(), instructions }))
}

fn speaker(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        // It is offered no tools, so none answers it.
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Writes a conversation with one token a character, and reads it back.
    fn written(turns: &[(Role, &str)], tokens_max: usize) -> Option<String> {
        let tokens = prompt(turns, tokens_max)?.tokens;
        assert!(tokens.len() <= tokens_max, "never longer than allowed");
        Some(tokens.into_iter().map(|token| char::from_u32(token).unwrap()).collect())
    }

    fn prompt(turns: &[(Role, &str)], tokens_max: usize) -> Option<Prompt> {
        let turns: Vec<Turn> =
            turns.iter().map(|(role, content)| Turn::new(*role, (*content).to_owned())).collect();
        let marks = Marks { start: u32::from('<'), end: u32::from('>'), line: vec![10] };
        let encode = |text: &str| Ok::<_, Infallible>(text.chars().map(u32::from).collect());
        write(&turns, tokens_max, &marks, encode).unwrap()
    }

    const TALK: [(Role, &str); 5] = [
        (Role::System, "be kind"),
        (Role::User, "one"),
        (Role::Assistant, "two"),
        (Role::User, "three"),
        (Role::Assistant, "four"),
    ];

    #[test]
    fn a_conversation_is_framed_turn_by_turn_and_ends_with_the_assistant() {
        let all = "<system\nbe kind>\n<user\none>\n<assistant\ntwo>\n<user\nthree>\n\
                   <assistant\nfour>\n<assistant\n";
        assert_eq!(written(&TALK, 1_000).unwrap(), all);
        assert_eq!(written(&TALK, all.len()).unwrap(), all);
    }

    #[test]
    fn the_oldest_turns_go_first_but_never_the_instructions_nor_the_last_words() {
        let kept: Vec<_> = (1..=90).rev().filter_map(|max| written(&TALK, max)).collect();
        let mut kept: Vec<_> = kept.iter().map(String::as_str).collect();
        kept.dedup();
        assert_eq!(
            kept,
            [
                "<system\nbe kind>\n<user\none>\n<assistant\ntwo>\n<user\nthree>\n\
                 <assistant\nfour>\n<assistant\n",
                "<system\nbe kind>\n<assistant\ntwo>\n<user\nthree>\n<assistant\nfour>\n\
                 <assistant\n",
                "<system\nbe kind>\n<user\nthree>\n<assistant\nfour>\n<assistant\n",
                "<system\nbe kind>\n<user\nthree>\n<assistant\n",
            ]
        );
        let least = kept.last().unwrap().len();
        assert_eq!(written(&TALK, least - 1), None, "too long even so");
    }

    #[test]
    fn the_instructions_at_the_beginning_are_counted() {
        let instructions = |turns: &[(Role, &str)]| prompt(turns, 1_000).unwrap().instructions;
        assert_eq!(instructions(&TALK), "<system\nbe kind>\n".len());
        let more = [TALK[0], (Role::System, "now"), TALK[1], (Role::System, "later")];
        assert_eq!(instructions(&more), "<system\nbe kind>\n<system\nnow>\n".len());
        assert_eq!(instructions(&TALK[1..]), 0);
    }

    #[test]
    fn a_conversation_of_nothing_asks_the_assistant_to_speak() {
        assert_eq!(written(&[], 20).unwrap(), "<assistant\n");
        assert_eq!(written(&[], 5), None);
    }
}
