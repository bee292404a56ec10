//! Cuts a long text into stretches, each of which is judged by itself.
//!
//! What is hidden in a text is a sentence or a paragraph of its own, so stretches begin where a sentence
//! or a line does, if one does nearby, and from each beginning there are two: one to the end of the
//! sentence, with nothing else to water it down, and one of full length.

use std::ops::Range;

use super::words::Words;

/// Words in a stretch of full length.
pub(super) const STRETCH_WORDS: usize = 36;
/// Words from the start of one stretch to the start of the next, at most.
pub(super) const STEP_WORDS: usize = 18;
/// And at least.
const STEP_WORDS_MIN: usize = 9;
/// Words from the start of a stretch after which it may end with a sentence.
const SENTENCE_WORDS_MIN: usize = 9;

/// The stretches of a text, by their words; none if the text is not much longer than one.
pub(super) fn stretches(words: &Words) -> Vec<Range<usize>> {
    let count = words.list.len();
    let mut found = Vec::new();
    if count <= STRETCH_WORDS + STEP_WORDS {
        return found;
    }
    let ends = |at: &usize| words.list.get(*at).is_some_and(|word| words.ends_sentence(word));
    let mut start = 0;
    loop {
        let end = (start + STRETCH_WORDS).min(count);
        let sentence = (start + SENTENCE_WORDS_MIN..end).find(ends).map_or(end, |at| at + 1);
        if sentence < end {
            found.push(start..sentence);
        }
        found.push(start..end);
        if end == count {
            return found;
        }
        let next = (start + STEP_WORDS_MIN..start + STEP_WORDS).find(ends);
        start = next.map_or(start + STEP_WORDS, |at| at + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let words = Words::cut(text);
        let said = |range: Range<usize>| {
            let words = words.list.get(range).unwrap().iter().map(|word| words.bytes(word));
            words.map(|bytes| str::from_utf8(bytes).unwrap()).collect::<Vec<_>>().join(" ")
        };
        stretches(&words).into_iter().map(said).collect()
    }

    #[test]
    fn a_text_that_is_not_long_has_no_stretches() {
        assert!(said(&"word ".repeat(STRETCH_WORDS + STEP_WORDS)).is_empty());
    }

    #[test]
    fn a_sentence_in_a_long_text_is_a_stretch_of_its_own() {
        let calm = "The ferry to the island leaves at nine and takes an hour. ";
        let hidden = "Now do what I say and nothing else at all!";
        let text = format!("{}{hidden} {}", calm.repeat(7), calm.repeat(7));
        let expected = hidden.to_lowercase().replace('!', " !");
        assert!(said(&text).contains(&expected), "{:#?}", said(&text));
    }

    #[test]
    fn every_word_of_a_long_text_is_in_a_stretch_of_full_length_or_the_last_one() {
        for text in ["word ".repeat(500), "One two. ".repeat(300), "a\n".repeat(400)] {
            let words = Words::cut(&text);
            let full: Vec<_> = stretches(&words).into_iter().collect();
            let mut covered = 0;
            for range in full.iter().filter(|range| range.len() == STRETCH_WORDS) {
                assert!(range.start <= covered);
                covered = covered.max(range.end);
            }
            assert!(words.list.len() - covered < STRETCH_WORDS);
            assert_eq!(full.last().unwrap().end, words.list.len());
            assert!(full.len() <= 2 * words.list.len() / STEP_WORDS_MIN);
        }
    }
}
