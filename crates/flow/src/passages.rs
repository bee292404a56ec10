//! Of a long text, or of several, the passages that fit a question. Pure.
//!
//! Words that few passages have weigh more, and a passage that has many of the question's words more than
//! one that has one of them often (after BM25). Without words in common the beginning is what fits.

use std::collections::{HashMap, HashSet};

/// The least and the most characters of a passage; the most only where a paragraph is longer.
const PASSAGE_CHARS_MIN: usize = 400;
const PASSAGE_CHARS_MAX: usize = 1_200;
/// Shorter words tell nothing.
const WORD_CHARS_MIN: usize = 3;

/// The passages of a text, or of a long one as many as fit into so many characters, in their order.
pub(crate) fn fitting<'t>(text: &'t str, question: &str, chars_max: usize) -> Vec<&'t str> {
    let passages = passages(text);
    let words = passages.iter().map(|it| words(it)).collect();
    let chosen = chosen(&passages, &Ranking::of(words, question), chars_max, |_| true);
    chosen.into_iter().filter_map(|at| passages.get(at).copied()).collect()
}

/// Of several texts with names, the passages that have words of a question, each with the place of its text:
/// as many as fit into so many characters, in their order. A name's words are in each of its passages.
pub(crate) fn found<'t>(
    texts: &[(&str, &'t str)],
    question: &str,
    chars_max: usize,
) -> Vec<(usize, &'t str)> {
    let (mut places, mut all, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (name, text)) in texts.iter().enumerate() {
        let of_name = self::words(name);
        for passage in passages(text) {
            words.push(self::words(passage).union(&of_name).cloned().collect());
            places.push(place);
            all.push(passage);
        }
    }
    let ranking = Ranking::of(words, question);
    // A word that every passage has tells only that there is nothing better.
    let is_told_apart = (0..all.len()).any(|at| 0 < ranking.score(at));
    let fits = |at| if is_told_apart { 0 < ranking.score(at) } else { ranking.has_words(at) };
    let chosen = chosen(&all, &ranking, chars_max, fits);
    let told = chosen.into_iter().filter_map(|at| Some((*places.get(at)?, *all.get(at)?)));
    told.collect()
}

/// How well passages fit a question.
struct Ranking {
    /// The words of each that the question has, too.
    common: Vec<HashSet<String>>,
    /// How many passages have a word.
    held: HashMap<String, usize>,
}

impl Ranking {
    fn of(words: Vec<HashSet<String>>, question: &str) -> Self {
        let asked = self::words(question);
        let mut held: HashMap<String, usize> = HashMap::new();
        let common: Vec<HashSet<String>> =
            words.iter().map(|it| asked.intersection(it).cloned().collect()).collect();
        for word in common.iter().flatten() {
            *held.entry(word.clone()).or_default() += 1;
        }
        Self { common, held }
    }

    fn has_words(&self, at: usize) -> bool {
        self.common.get(at).is_some_and(|it| !it.is_empty())
    }

    fn score(&self, at: usize) -> usize {
        let weight = |word: &String| {
            let held = self.held.get(word).copied().unwrap_or_default();
            // A word that every passage has weighs nothing.
            self.common.len() * 100 / held.max(1) - 100
        };
        self.common.get(at).map_or(0, |it| it.iter().map(weight).sum())
    }
}

/// The places of those that fit best and may be taken, as many as have room, in their order.
fn chosen(
    passages: &[&str],
    ranking: &Ranking,
    chars_max: usize,
    may: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..passages.len()).filter(|at| may(*at)).collect();
    order.sort_by_cached_key(|at| (std::cmp::Reverse(ranking.score(*at)), *at));
    let mut left = chars_max;
    let mut chosen: Vec<usize> = Vec::new();
    for at in order {
        let chars = passages.get(at).map_or(0, |it| it.chars().count());
        if let Some(less) = left.checked_sub(chars) {
            left = less;
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// The text in pieces, at the ends of lines where there are any.
fn passages(text: &str) -> Vec<&str> {
    let mut passages = Vec::new();
    let (mut begin, mut chars) = (0, 0);
    for (at, c) in text.char_indices() {
        chars += 1;
        let is_end = c == '\n' && PASSAGE_CHARS_MIN <= chars;
        if is_end || PASSAGE_CHARS_MAX <= chars {
            let end = at + c.len_utf8();
            passages.push(text.get(begin..end).unwrap_or_default());
            (begin, chars) = (end, 0);
        }
    }
    passages.extend(text.get(begin..).filter(|it| !it.is_empty()));
    passages
}

fn words(text: &str) -> HashSet<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    let long = parts.filter(|it| WORD_CHARS_MIN <= it.chars().count());
    long.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> String {
        let chapter = |at: usize| {
            let filler = "The sea was calm and nobody said a word about it.\n".repeat(12);
            let told = match at {
                3 => "The lighthouse keeper hid the Brass Key below the stairs.\n",
                7 => "The captain counted the lamps twice.\n",
                _ => "",
            };
            format!("Chapter {at}\n{told}{filler}")
        };
        (0..20).map(chapter).collect()
    }

    #[test]
    fn a_short_text_fits_whole_and_of_a_long_one_what_the_question_is_about() {
        assert_eq!(fitting("a\nb", "anything", 10), ["a\nb"]);
        let book = book();
        let found = fitting(&book, "Where is the brass key of the KEEPER?", 1_500).concat();
        assert!(found.contains("Brass Key below the stairs"), "{found}");
        assert!(found.chars().count() <= 1_500, "{}", found.len());
        assert!(!found.contains("lamps"), "{found}");
    }

    #[test]
    fn without_words_in_common_it_is_the_beginning_and_the_pieces_joined_are_the_text() {
        let book = book();
        assert!(fitting(&book, "Hm?", 1_500).concat().starts_with("Chapter 0\n"));
        assert_eq!(fitting(&book, "Hm?", usize::MAX).concat(), book);
        let line = "é".repeat(5_000);
        assert_eq!(passages(&line).concat(), line);
        assert!(passages(&line).iter().all(|it| it.chars().count() <= PASSAGE_CHARS_MAX));
        assert!(fitting("", "x", 100).is_empty());
    }

    #[test]
    fn of_several_texts_only_passages_that_share_words_are_found_and_the_rarest_count_most() {
        let (one, two) = (book(), "The captain is called Ada.\n".to_owned());
        let texts = [("log.txt", one.as_str()), ("crew.txt", two.as_str())];
        let found = found(&texts, "Who counted the lamps, captain Ada?", 1_500);
        let text: String = found.iter().map(|(_, it)| *it).collect();
        assert!(text.contains("counted the lamps") && text.contains("called Ada"), "{text}");
        assert!(found.iter().map(|(place, _)| place).is_sorted());
        assert!(super::found(&texts, "xylophone", 1_500).is_empty());
        assert_eq!(super::found(&texts, "crew", 1_500), [(1, two.as_str())]);
        assert!(super::found(&[], "x", 9).is_empty());
    }
}
