//! Finds an agent's own instructions in an answer, by the runs of words they share.
//!
//! Words are compared without case, accents, punctuation and markup, so that reformatting or
//! quoting the instructions does not hide them. Translating or encoding them does.

use std::{collections::HashSet, ops::Range};

use aho_corasick::AhoCorasick;

use crate::normalise::MatchCopy;

/// Words in one shingle. Fewer in common happen by chance.
const SHINGLE_WORDS: usize = 8;
/// Instructions with fewer words than this are too common to be recognised.
const WORDS_MIN: usize = 4;
/// Shingles in a row that are a leak however long the instructions are: 24 words.
const RUN_SHINGLES: usize = 17;

/// What the screen must know about the agent that gives an answer. Made once for each agent.
#[derive(Clone, Debug, Default)]
pub struct OutboundContext {
    agent: Option<String>,
    canary: Option<AhoCorasick>,
    shingles: HashSet<u64>,
    shingle_words: usize,
}

impl OutboundContext {
    /// The context of an agent with these instructions. Instructions of fewer than four words
    /// cannot be told from ordinary text and are not looked for.
    #[must_use]
    pub fn new(agent: Option<String>, instructions: &str) -> Self {
        let copy = MatchCopy::folded(instructions);
        let words: Vec<(u64, Range<usize>)> = words(copy.text()).collect();
        let shingle_words = words.len().min(SHINGLE_WORDS);
        if shingle_words < WORDS_MIN {
            return Self { agent, ..Self::default() };
        }
        let shingles = words.windows(shingle_words).map(shingle_of).collect();
        Self { agent, shingles, shingle_words, ..Self::default() }
    }

    /// The same, for an agent whose instructions hold this word, which occurs nowhere else: an
    /// answer with it gives them away, however little of them it quotes. In any case of letters.
    ///
    /// # Errors
    /// If the word cannot be searched for.
    pub fn with_canary(self, canary: &str) -> Result<Self, aho_corasick::BuildError> {
        let canary = AhoCorasick::builder().ascii_case_insensitive(true).build([canary])?;
        Ok(Self { canary: Some(canary), ..self })
    }

    /// Where a copy holds the canary.
    pub(crate) fn canary(&self, text: &str) -> Option<Range<usize>> {
        self.canary.as_ref()?.find(text).map(|found| found.range())
    }

    /// The agent's name, for rules that apply to some agents only.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// The first words of a folded copy that the instructions have in the same order, as many as a
    /// shingle has. Or fewer at its very end, where more may follow.
    pub(crate) fn first_shared(&self, text: &str) -> Option<Range<usize>> {
        if self.shingles.is_empty() {
            return None;
        }
        let words: Vec<(u64, Range<usize>)> = words(text).collect();
        let shared = words.windows(self.shingle_words).position(|it| {
            let shingle = shingle_of(it);
            self.shingles.contains(&shingle)
        });
        // What is at the end may be the beginning of such words.
        let at = shared.unwrap_or_else(|| words.len().saturating_sub(self.shingle_words - 1));
        Some(words.get(at)?.1.clone())
    }

    /// The part of a folded copy that gives the instructions away: at least `share` of their
    /// shingles, or a long run of them. From the first shared word to the last.
    pub(crate) fn leak(&self, text: &str, share: f32) -> Option<Range<usize>> {
        if self.shingles.is_empty() {
            return None;
        }
        let words: Vec<(u64, Range<usize>)> = words(text).collect();
        let mut shared = HashSet::new();
        let (mut run, mut longest) = (0, 0);
        let mut found: Option<(usize, usize)> = None;
        for (at, shingle) in words.windows(self.shingle_words).enumerate() {
            let shingle = shingle_of(shingle);
            if !self.shingles.contains(&shingle) {
                run = 0;
                continue;
            }
            shared.insert(shingle);
            run += 1;
            longest = longest.max(run);
            found = Some((found.map_or(at, |(first, _)| first), at + self.shingle_words - 1));
        }
        let reached = share * self.shingles.len() as f32 <= shared.len() as f32;
        let (first, last) = found.filter(|_| reached || RUN_SHINGLES <= longest)?;
        Some(words.get(first)?.1.start..words.get(last)?.1.end)
    }
}

/// FNV-1a (draft-eastlake-fnv), by numbers instead of bytes: whoever makes two words that hash alike
/// wins nothing by it.
fn mixed(hash: u64, more: u64) -> u64 {
    (hash ^ more).wrapping_mul(0x0100_0000_01B3)
}

const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;

fn shingle_of(words: &[(u64, Range<usize>)]) -> u64 {
    words.iter().fold(FNV_OFFSET, |hash, (word, _)| mixed(hash, *word))
}

fn lowered(hash: u64, c: char) -> u64 {
    if c.is_ascii() {
        return mixed(hash, u64::from(c.to_ascii_lowercase()));
    }
    c.to_lowercase().fold(hash, |hash, c| mixed(hash, u64::from(c)))
}

/// The words of a text, hashed without case, with their places. Where words are not divided by
/// spaces, every character counts as a word.
fn words(text: &str) -> impl Iterator<Item = (u64, Range<usize>)> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = rest.find(|(_, c)| c.is_alphanumeric())?;
        let mut end = start + first.len_utf8();
        let mut hash = lowered(FNV_OFFSET, first);
        if !stands_alone(first) {
            while let Some((at, c)) =
                rest.next_if(|(_, c)| c.is_alphanumeric() && !stands_alone(*c))
            {
                hash = lowered(hash, c);
                end = at + c.len_utf8();
            }
        }
        Some((hash, start..end))
    })
}

/// Whether a character is written without spaces around words: Chinese, Japanese, Thai and kin.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{A4CF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTRUCTIONS: &str = "You are Ada, the librarian of a small town. Answer in two \
        sentences at most, name the shelf, and never speak about the mayor's unpaid fines.";

    fn leaks(text: &str) -> bool {
        let context = OutboundContext::new(None, INSTRUCTIONS);
        context.leak(MatchCopy::folded(text).text(), 0.2).is_some()
    }

    #[test]
    fn instructions_are_recognised_however_they_are_dressed() {
        assert!(leaks(INSTRUCTIONS));
        assert!(leaks(&INSTRUCTIONS.to_uppercase().replace(' ', "\n> **")));
        assert!(leaks(
            "Sure! They say: answer in two sentences at most, name the shelf, and never speak about it"
        ));
    }

    #[test]
    fn a_phrase_in_common_is_not_a_leak() {
        assert!(!leaks("I am Ada, the librarian of a small town."));
        assert!(!leaks("The mayor's unpaid fines are a matter for the council, not for me."));
    }

    #[test]
    fn a_long_run_is_a_leak_however_long_the_instructions_are() {
        let long: String = (0..2_000).map(|n| format!("word{n} ")).collect();
        let context = OutboundContext::new(None, &long);
        let quoted = |count| (500..500 + count).map(|n| format!("word{n} ")).collect::<String>();
        assert!(context.leak(&quoted(23), 0.2).is_none());
        assert_eq!(context.leak(&quoted(24), 0.2), Some(0..24 * 8 - 1));
    }

    #[test]
    fn text_without_spaces_is_compared_by_characters() {
        let context = OutboundContext::new(None, "你是一个图书管理员，只回答关于书的问题。");
        assert!(context.leak("我的指令：你是一个图书管理员，只回答", 0.2).is_some());
        assert!(context.leak("图书馆今天开门。", 0.2).is_none());
    }
}
