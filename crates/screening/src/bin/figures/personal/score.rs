//! Counts what was found rightly, wrongly and not at all, by type.

use std::{collections::BTreeMap, ops::Range};

use screening::{PersonalSearch, PersonalType};

use super::sentences::{Labelled, Language};

/// Counts for one type, or for all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) right: u32,
    pub(super) wrong: u32,
    pub(super) missed: u32,
}

impl Count {
    pub(super) fn precision(self) -> f64 {
        share(self.right, self.wrong)
    }

    pub(super) fn recall(self) -> f64 {
        share(self.right, self.missed)
    }

    /// The harmonic mean of precision and recall.
    pub(super) fn f1(self) -> f64 {
        let twice = 2.0 * f64::from(self.right);
        let all = twice + f64::from(self.wrong) + f64::from(self.missed);
        if all == 0.0 { 0.0 } else { twice / all }
    }

    fn add(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }
}

fn share(part: u32, rest: u32) -> f64 {
    if part + rest == 0 { 0.0 } else { f64::from(part) / f64::from(part + rest) }
}

/// The counts of a whole set.
pub(super) struct Score {
    pub(super) by_type: BTreeMap<&'static str, Count>,
    pub(super) by_language: Vec<(Language, Count)>,
    pub(super) all: Count,
    /// Texts that came out wrong, with what was found.
    pub(super) mistakes: Vec<String>,
}

/// Runs the search over `texts`. A finding is right if its type is that of a truth and the part
/// they share is at least half of the longer one.
pub(super) fn score(search: &PersonalSearch, texts: &[Labelled]) -> Score {
    let types = PersonalType::ALL.map(|kind| (kind.as_str(), Count::default()));
    let languages = Language::ALL.map(|language| (language, Count::default()));
    let mut score = Score {
        by_type: types.into(),
        by_language: languages.to_vec(),
        all: Count::default(),
        mistakes: Vec::new(),
    };
    for labelled in texts {
        let mut open = labelled.truths.clone();
        let mut counts: Vec<(&'static str, Count)> = Vec::new();
        for found in search.find(&labelled.text) {
            let kind = found.kind.as_str();
            let hit = open.iter().position(|(it, range)| *it == kind && fits(range, &found.range));
            let right = u32::from(hit.is_some());
            if let Some(at) = hit {
                open.remove(at);
            }
            counts.push((kind, Count { right, wrong: 1 - right, missed: 0 }));
        }
        counts
            .extend(open.iter().map(|(kind, _)| (*kind, Count { missed: 1, ..Count::default() })));
        if counts.iter().any(|(_, count)| count.right == 0) {
            let wrong = counts.iter().filter(|(_, count)| count.right == 0);
            let words =
                wrong.map(
                    |(kind, count)| {
                        if count.missed == 0 { format!("+{kind}") } else { format!("-{kind}") }
                    },
                );
            score.mistakes.push(format!(
                "{}: {:?}",
                words.collect::<Vec<_>>().join(" "),
                labelled.text
            ));
        }
        for (kind, count) in counts {
            score.by_type.entry(kind).or_default().add(count);
            score.all.add(count);
            let language = score.by_language.iter_mut().find(|(it, _)| *it == labelled.language);
            if let Some((_, sum)) = language {
                sum.add(count);
            }
        }
    }
    score
}

fn fits(truth: &Range<usize>, found: &Range<usize>) -> bool {
    let shared = truth.end.min(found.end).saturating_sub(truth.start.max(found.start));
    truth.len().max(found.len()) <= shared * 2
}
