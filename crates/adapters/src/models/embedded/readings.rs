//! What the model has read lately, so that it need not read the beginning of a conversation again.
//!
//! Instructions are the same in all conversations with one agent; the rest of a conversation comes
//! back with its next question. What has been used last is kept longest.

use std::collections::VecDeque;

/// Texts that the model has read, each with the state `S` in which that left it.
pub(super) struct Readings<S> {
    /// The one used last is at the end.
    kept: VecDeque<Reading<S>>,
    tokens_max: usize,
}

struct Reading<S> {
    tokens: Vec<u32>,
    state: S,
}

impl<S: Clone> Readings<S> {
    /// Keeps up to `tokens_max` tokens; 0 for nothing at all.
    pub(super) fn new(tokens_max: usize) -> Self {
        Self { kept: VecDeque::new(), tokens_max }
    }

    /// The state after the longest text that `tokens` begins with, and how long that is. At least
    /// one token is always left to read.
    pub(super) fn resume(&mut self, tokens: &[u32]) -> Option<(S, usize)> {
        let begins = |reading: &Reading<S>| {
            reading.tokens.len() < tokens.len() && tokens.starts_with(&reading.tokens)
        };
        let (mut used, unused): (Vec<_>, Vec<_>) = self.kept.drain(..).partition(begins);
        used.sort_by_key(|reading| reading.tokens.len());
        let longest = used.last().map(|reading| (reading.state.clone(), reading.tokens.len()));
        self.kept.extend(unused);
        self.kept.extend(used);
        longest
    }

    /// Keeps the state after `tokens`, the first `instructions` of which are instructions, in place
    /// of shorter parts of the same conversation. Forgets what has not been used for longest, if
    /// there is no room.
    pub(super) fn keep(&mut self, tokens: &[u32], instructions: usize, state: S) {
        if tokens.is_empty() || tokens.len() > self.tokens_max {
            return;
        }
        self.kept.retain(|reading| {
            let shared = reading.tokens.len() <= instructions && reading.tokens != tokens;
            shared || !tokens.starts_with(&reading.tokens)
        });
        let mut left = self.tokens_max - tokens.len();
        let stays = self.kept.iter().rev().take_while(|reading| {
            let less = left.checked_sub(reading.tokens.len());
            left = less.unwrap_or_default();
            less.is_some()
        });
        let stays = stays.count();
        self.kept.drain(..self.kept.len() - stays);
        self.kept.push_back(Reading { tokens: tokens.to_vec(), state });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings of these texts, read in this order; the state is the text.
    fn read(tokens_max: usize, texts: &[&str]) -> Readings<String> {
        let mut readings = Readings::new(tokens_max);
        for text in texts {
            readings.keep(&tokens(text), text.len(), (*text).to_owned());
        }
        readings
    }

    fn tokens(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    fn kept(readings: &Readings<String>) -> Vec<&str> {
        readings.kept.iter().map(|reading| reading.state.as_str()).collect()
    }

    #[test]
    fn reading_goes_on_after_the_longest_text_that_is_known() {
        let mut readings = read(100, &["be", "be kind", "be kind to me", "do"]);
        let mut resume = |text: &str| readings.resume(&tokens(text));
        assert_eq!(resume("be kind, please"), Some(("be kind".to_owned(), 7)));
        assert_eq!(resume("be brief"), Some(("be".to_owned(), 2)));
        assert_eq!(resume("be"), None, "something is left to read");
        assert_eq!(resume("say"), None);
        assert_eq!(resume(""), None);
    }

    #[test]
    fn what_has_been_used_last_is_kept_and_never_more_than_allowed() {
        let mut readings = read(6, &["aa", "bb", "cc"]);
        assert!(readings.resume(&tokens("aaa")).is_some());
        readings.keep(&tokens("dd"), 2, "dd".to_owned());
        assert_eq!(kept(&readings), ["cc", "aa", "dd"]);
        readings.keep(&tokens("cc"), 2, "cc".to_owned());
        assert_eq!(kept(&readings), ["aa", "dd", "cc"], "once only");
        readings.keep(&tokens("eeeee"), 5, "eeeee".to_owned());
        assert_eq!(kept(&readings), ["eeeee"]);
        readings.keep(&tokens("fffffff"), 7, "fffffff".to_owned());
        assert_eq!(kept(&readings), ["eeeee"], "too long to keep");
        assert!(kept(&read(0, &["", "a"])).is_empty());
    }

    #[test]
    fn a_conversation_is_kept_once_and_its_instructions_beside_it() {
        let mut readings = read(100, &["be kind"]);
        for said in ["be kind; hi", "be kind; hi; bye", "be kind; no"] {
            assert!(readings.resume(&tokens(said)).is_some());
            readings.keep(&tokens(said), "be kind".len(), said.to_owned());
        }
        assert_eq!(kept(&readings), ["be kind; hi; bye", "be kind", "be kind; no"]);
    }
}
