//! Names of persons, where a phrase announces them (`my name is …`) or a title stands before them
//! (`Mrs …`), in English, German, French, Spanish and Italian. Nothing else is taken for a name.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

use super::{Found, PersonalType};

/// What announces a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// A sentence that ends in the name.
    Phrase,
    /// A title that is written out.
    Title,
    /// A title that is an abbreviation, and so begins with a capital.
    Short,
}

const LEADS: &[(Lead, &[&str])] = &[
    (
        Lead::Phrase,
        &[
            "my name is",
            "my name's",
            "my name’s",
            "my full name is",
            "his name is",
            "her name is",
            "i am called",
            "i'm called",
            "ich heiße",
            "ich heisse",
            "mein name ist",
            "mein name lautet",
            "mein voller name ist",
            "je m'appelle",
            "je m’appelle",
            "mon nom est",
            "mon nom complet est",
            "me llamo",
            "mi nombre es",
            "mi nombre completo es",
            "mi chiamo",
            "il mio nome è",
            "il mio nome completo è",
        ],
    ),
    (
        Lead::Title,
        &[
            "professor",
            "herr",
            "herrn",
            "frau",
            "professorin",
            "monsieur",
            "madame",
            "mademoiselle",
            "señor",
            "señora",
            "señorita",
            "signor",
            "signora",
            "signorina",
            "dottor",
            "dottoressa",
            "doctora",
            "docteur",
        ],
    ),
    (
        Lead::Short,
        &[
            "mr", "mrs", "ms", "dr", "prof", "mme", "mlle", "sr", "sra", "srta", "dra", "sig",
            "sig.ra", "sig.na", "dott", "dott.ssa", "avv",
        ],
    ),
];
/// Words that follow such a phrase and are no name.
const NO_NAMES: &[&str] = &[
    "Not",
    "The",
    "A",
    "An",
    "In",
    "On",
    "Sie",
    "Euch",
    "Programm",
    "Ihnen",
    "Alle",
    "Nicht",
    "Now",
    "Already",
    "Spelled",
    "Pepper",
    "Right",
    "Wrong",
    "Engineer",
    "Developer",
    "Manager",
    "Director",
    "Software",
    "Data",
    "Product",
    "Designer",
    "Analyst",
    "Backend",
    "Frontend",
    "Robot",
    "President",
    "Presidente",
    "Président",
    "Präsident",
    "Präsidentin",
    "Speaker",
    "Chairman",
    "Minister",
    "Ministre",
    "Ministro",
    "Tussauds",
    "Bovary",
    "Der",
    "Die",
    "Das",
    "Und",
    "And",
    "Your",
    "Our",
    "Vorsitzender",
    "Vorsitzende",
    "Bundeskanzler",
    "Bundeskanzlerin",
    "Bürgermeister",
    "Director",
    "Directeur",
    "Directrice",
    "Direttore",
    "Alcalde",
    "Sindaco",
    "Maire",
];
/// Words that end a name although they begin with a capital.
const AFTER_NAMES: &[&str] =
    &["I", "And", "But", "Ich", "Und", "Aber", "Je", "Et", "Yo", "Io", "Sie"];
/// Small words inside of names.
const PARTICLES: &[&str] = &[
    "de", "del", "della", "dello", "degli", "di", "da", "van", "von", "der", "den", "la", "le",
    "du", "des", "dos", "y", "zu", "vom", "zum", "ter", "ten",
];
const PHRASE_WORDS_MAX: usize = 4;
const TITLE_WORDS_MAX: usize = 3;
/// Titles in a row.
const TITLES_MAX: usize = 3;
const WORD_BYTES_MAX: usize = 40;

/// The search for what announces a name.
pub(super) struct NameSearch {
    search: AhoCorasick,
    leads: Vec<Lead>,
}

impl NameSearch {
    pub(super) fn new() -> Result<Self, BuildError> {
        let all = LEADS.iter().flat_map(|(lead, words)| words.iter().map(|word| (*lead, *word)));
        let (leads, words): (Vec<Lead>, Vec<&str>) = all.unzip();
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)?;
        Ok(Self { search, leads })
    }

    /// Adds the names in `text` to `found`, which stays in order and free of overlaps.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Found>) {
        let others = found.len();
        let mut done = 0;
        for hit in self.search.find_iter(text) {
            let Some(&lead) = self.leads.get(hit.pattern().as_usize()) else { continue };
            if hit.start() < done || !stands_alone(text, hit.start()) {
                continue;
            }
            let Some(range) = name_after(text, lead, hit.start(), hit.end()) else { continue };
            let known = found.get(..others).unwrap_or_default();
            let next = known.partition_point(|it| it.range.end <= range.start);
            if known.get(next).is_none_or(|it| range.end <= it.range.start) {
                done = range.end;
                found.push(Found { kind: PersonalType::PersonName, range });
            }
        }
        found.sort_by_key(|it| it.range.start);
    }
}

fn stands_alone(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|head| head.chars().next_back());
    before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '/'))
}

fn name_after(text: &str, lead: Lead, start: usize, end: usize) -> Option<std::ops::Range<usize>> {
    if lead == Lead::Short {
        // `ms` is a unit and `MS` a company.
        let mut letters = text.get(start..end)?.chars();
        let is_capital = letters.next().is_some_and(char::is_uppercase);
        if !is_capital || !letters.next().is_some_and(char::is_lowercase) {
            return None;
        }
    }
    let words_max = match lead {
        Lead::Phrase => PHRASE_WORDS_MAX,
        Lead::Title | Lead::Short => TITLE_WORDS_MAX,
    };
    let mut at = end;
    if lead == Lead::Phrase {
        at += usize::from(text.get(at..)?.starts_with(':'));
    }
    at = after_space(text, at, lead == Lead::Short)?;
    // `Prof. Dr. Weber`, `Herr Dr. Weber`.
    for _ in 0..TITLES_MAX {
        at = after_title(text, at).unwrap_or(at);
    }
    let start = at;
    let mut end = None;
    let mut words = 0;
    while words < words_max {
        let word = word_at(text, at);
        if word.is_empty() || AFTER_NAMES.contains(&word) && end.is_some() {
            break;
        }
        let is_particle = PARTICLES.contains(&word);
        if !is_particle && !is_name(word, words == 0) {
            break;
        }
        at += word.len();
        let is_initial = word.chars().count() == 1 && !is_particle;
        if is_initial && !text.get(at..).is_some_and(|rest| rest.starts_with('.')) {
            break;
        }
        if !is_particle {
            words += 1;
            end = Some(at);
        }
        let Some(next) = after_space(text, at, is_initial) else { break };
        at = next;
    }
    end.map(|end| start..end)
}

/// Where the next word begins, behind one space; a full stop may stand before it if `stop`.
fn after_space(text: &str, at: usize, stop: bool) -> Option<usize> {
    let rest = text.get(at..)?;
    let bare = if stop { rest.strip_prefix('.').unwrap_or(rest) } else { rest };
    bare.starts_with(' ').then(|| at + (rest.len() - bare.len()) + 1)
}

fn after_title(text: &str, at: usize) -> Option<usize> {
    let word = word_at(text, at);
    let is_title = matches!(word, "Dr" | "Prof" | "Dott" | "Doktor" | "Doctor" | "Professor");
    if is_title { after_space(text, at + word.len(), true) } else { None }
}

/// The letters at `at`, with the apostrophes and hyphens among them. Empty if there are too many.
fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let is_part = |c: char| c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '\u{2010}');
    let found = rest.char_indices().take_while(|(at, _)| *at <= WORD_BYTES_MAX);
    let end = found.take_while(|(_, c)| is_part(*c)).last().map_or(0, |(at, c)| at + c.len_utf8());
    if WORD_BYTES_MAX < end {
        return "";
    }
    let word = rest.get(..end).unwrap_or_default().trim_end_matches(['\'', '’', '-']);
    word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word)
}

fn is_name(word: &str, is_first: bool) -> bool {
    let is_capital = word.chars().next().is_some_and(char::is_uppercase);
    is_capital && !(is_first && NO_NAMES.contains(&word))
}
