//! The marks that let a checker pair each answer with its question.
//!
//! A question carries `[ask:BODY]`, its answer `[answer:BODY]`, where BODY is letters and digits. A body of
//! the form `u<person>n<sequence>` also says whose question it is and which one, so a request can be looked
//! over for another person's text (a leak), for a missing previous question (a gap) and for questions in
//! another order than they were asked (disorder).

/// The longest body that is taken for a mark, in bytes.
const BODY_BYTES_MAX: usize = 64;

/// Who asked, and which of that person's questions it is, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The person's number.
    pub person: u64,
    /// The question's number among this person's, from 0.
    pub sequence: u64,
}

impl Asked {
    /// The mark to put into the question.
    #[must_use]
    pub fn mark(self) -> String {
        format!("[ask:u{}n{}]", self.person, self.sequence)
    }

    /// Reads the body of a mark, or `None` when it is an opaque one.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        let (person, sequence) = body.strip_prefix('u')?.split_once('n')?;
        Some(Self { person: person.parse().ok()?, sequence: sequence.parse().ok()? })
    }
}

/// What one request shows about the conversations behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Another person's mark is in the request.
    pub leak: bool,
    /// The same person's previous question is not in the request.
    pub gap: bool,
    /// The person's questions are in another order than they were asked.
    pub disorder: bool,
}

/// The bodies of all question marks in a text, in order.
pub fn asks(text: &str) -> impl Iterator<Item = &str> {
    bodies(text, "[ask:")
}

/// The bodies of all answer marks in a text, in order.
pub fn answers(text: &str) -> impl Iterator<Item = &str> {
    bodies(text, "[answer:")
}

/// Looks a request's texts over, given the mark of its newest question.
pub fn inspect<'a>(texts: impl Iterator<Item = &'a str>, newest: Asked) -> Findings {
    let mut findings = Findings { gap: newest.sequence > 0, ..Findings::default() };
    let mut before: Option<u64> = None;
    for text in texts {
        for asked in asks(text).filter_map(Asked::parse) {
            if asked.person != newest.person {
                findings.leak = true;
                continue;
            }
            findings.disorder |= before.is_some_and(|before| asked.sequence < before);
            findings.gap &= asked.sequence + 1 != newest.sequence;
            before = Some(asked.sequence);
        }
        findings.leak |=
            answers(text).filter_map(Asked::parse).any(|asked| asked.person != newest.person);
    }
    findings
}

fn bodies<'a>(text: &'a str, open: &'static str) -> impl Iterator<Item = &'a str> {
    text.match_indices(open).filter_map(move |(at, _)| {
        let rest = text.get(at + open.len()..)?;
        let end = rest.bytes().take(BODY_BYTES_MAX + 1).position(|b| !b.is_ascii_alphanumeric())?;
        let body = rest.get(..end)?;
        (end > 0 && rest.as_bytes().get(end) == Some(&b']')).then_some(body)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(texts: &[&str], person: u64, sequence: u64) -> Findings {
        inspect(texts.iter().copied(), Asked { person, sequence })
    }

    #[test]
    fn a_mark_is_letters_and_digits_between_its_brackets() {
        let text = "[ask:] [ask:a b] [ask:abc1] [ask:u7n2] [answer:zz] [ask:open";
        assert_eq!(asks(text).collect::<Vec<_>>(), ["abc1", "u7n2"]);
        assert_eq!(answers(text).collect::<Vec<_>>(), ["zz"]);
        let asked = Asked { person: 7, sequence: 2 };
        assert_eq!(asks(&asked.mark()).find_map(Asked::parse), Some(asked));
        assert_eq!(asks(&format!("[ask:{}]", "a".repeat(65))).count(), 0);
    }

    #[test]
    fn another_persons_question_or_answer_is_a_leak() {
        assert!(look(&["[ask:u1n0]", "[ask:u2n0]"], 2, 0).leak);
        assert!(look(&["[answer:u1n0]", "[ask:u2n0]"], 2, 0).leak);
        assert_eq!(look(&["[ask:u2n0] [answer:u2n0]", "[ask:opaque]"], 2, 0), Findings::default());
    }

    #[test]
    fn a_missing_previous_question_is_a_gap() {
        assert!(look(&["[ask:u1n0]", "[ask:u1n2]"], 1, 2).gap);
        assert!(!look(&["[ask:u1n1]", "[ask:u1n2]"], 1, 2).gap);
        assert!(!look(&["[ask:u1n0]"], 1, 0).gap);
    }

    #[test]
    fn questions_out_of_their_order_are_disorder() {
        assert!(look(&["[ask:u1n1]", "[ask:u1n0]", "[ask:u1n2]"], 1, 2).disorder);
        assert!(!look(&["[ask:u1n0]", "[ask:u1n1]", "[ask:u1n2]"], 1, 2).disorder);
    }
}
