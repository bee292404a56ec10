//! Reads one playbook from the text of a file, and says everything that is wrong with it.

use std::{collections::BTreeMap, time::Duration};

use flow::{
    incident::{Kind, Severity},
    playbook::{Measure, Mode, Per, Playbook, STEPS_MAX, Trigger},
    request::span,
    right::Role,
};

use crate::config::{Node, Notes, Origin, Problems, Value, parse};

const KEYS: [&str; 6] = ["name", "description", "mode", "undo_by", "when", "steps"];
const WHEN_KEYS: [&str; 6] = ["incident", "severity", "count", "within", "per", "people"];
const STEPS: [(&str, &[&str]); 8] = [
    ("block", &["lasts"]),
    ("pause", &["lasts"]),
    ("slow", &["per_minute", "lasts", "until_usual"]),
    ("tighten", &["tokens_day", "lasts", "until_usual"]),
    ("gather", &["within"]),
    ("list_touched", &["within"]),
    ("propose_rule", &[]),
    ("compare", &[]),
];
/// The longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 200;
/// The most signs that are counted.
const COUNT_MAX: u64 = 1_000;
/// The longest time that anything may last or be looked back on.
const TIME_MAX: Duration = Duration::from_hours(24 * 30);

/// Reads one. `file` is what problems call it.
///
/// # Errors
/// Everything that is wrong with it, with its line.
pub(super) fn read_text(file: &str, text: &str) -> Result<Playbook, Problems> {
    let mut notes = Notes::new(file);
    let root = parse(text, &mut notes);
    let whole = root.origin.clone();
    let mut table = Table::of(root, "", &KEYS, &mut notes);
    let name = table.text("name", &mut notes).filter(|(name, origin)| {
        let is_good = |it: char| matches!(it, 'a'..='z' | '0'..='9' | '_');
        let is_name = (1..=40).contains(&name.len()) && name.chars().all(is_good);
        if !is_name {
            notes.note(origin, "name", "a name is 1 to 40 of a-z, 0-9 and _");
        }
        is_name
    });
    let description = table.text("description", &mut notes).map(|(text, origin)| {
        if DESCRIPTION_CHARS_MAX < text.chars().count() || text.contains('\n') {
            let text = format!("must be one line of at most {DESCRIPTION_CHARS_MAX} characters");
            notes.note(&origin, "description", text);
        }
        text
    });
    let modes = [("act", Mode::Act), ("propose", Mode::Propose)];
    let mode = table.choice("mode", &modes, &mut notes).unwrap_or(Mode::Propose);
    let roles = [("operator", Role::Operator), ("admin", Role::Admin), ("owner", Role::Owner)];
    let undo_by = table.choice("undo_by", &roles, &mut notes).unwrap_or(Role::Operator);
    let when = table.left.remove("when").map(|it| trigger(it, &mut notes));
    let steps = table.left.remove("steps").map(|it| steps(it, &mut notes));
    for (key, missing) in
        [("name", name.is_none()), ("when", when.is_none()), ("steps", steps.is_none())]
    {
        if missing && !table.given.contains(&key.to_owned()) {
            notes.note(&whole, key, "is missing");
        }
    }
    if let (Some(when), Some(steps)) = (&when, &steps) {
        fit(when, steps, &whole, &mut notes);
    }
    let problems = notes.into_problems();
    match (name, when, steps) {
        (Some((name, _)), Some(when), Some(steps)) if problems.is_empty() => {
            let description = description.unwrap_or_default();
            Ok(Playbook { name, description, mode, undo_by, when, steps })
        }
        _ => Err(Problems(problems)),
    }
}

/// What does not go together.
fn fit(when: &Trigger, steps: &[Measure], whole: &Origin, notes: &mut Notes) {
    if steps.iter().any(Measure::ends_when_usual) && when.kinds != [Kind::Usage] {
        let text = "`until_usual` goes with `incident = \"usage\"` alone: else it is over at once";
        notes.note(whole, "steps", text);
    }
    if when.per == Per::Person && 1 < when.people {
        notes.note(whole, "when.people", "of `per = \"person\"` there is one person");
    }
    let is_agents = |it: &Kind| matches!(it, Kind::Access | Kind::Crash);
    if when.per == Per::Agent && when.kinds.iter().all(is_agents) {
        notes.note(whole, "when.per", "signs of access and crash are of no agent");
    }
}

fn trigger(node: Node, notes: &mut Notes) -> Trigger {
    let origin = node.origin.clone();
    let mut table = Table::of(node, "when.", &WHEN_KEYS, notes);
    let kinds = kinds(table.left.remove("incident"), &origin, notes);
    let severities = Severity::ALL.map(|it| (it.word(), it));
    let least = table.choice("severity", &severities, notes).unwrap_or(Severity::Low);
    let count = table.whole("count", 1..=COUNT_MAX, notes);
    let within = table.span("within", notes);
    let pers = [("person", Per::Person), ("agent", Per::Agent)];
    let per = table.choice("per", &pers, notes);
    let people = table.whole("people", 1..=16, notes).unwrap_or(1);
    for (key, missing) in
        [("count", count.is_none()), ("within", within.is_none()), ("per", per.is_none())]
    {
        if missing && !table.given.contains(&key.to_owned()) {
            notes.note(&origin, &format!("when.{key}"), "is missing");
        }
    }
    let small = |it: u64| u32::try_from(it).unwrap_or(u32::MAX);
    Trigger {
        kinds,
        least,
        count: small(count.unwrap_or(1)),
        within: within.unwrap_or_default(),
        per: per.unwrap_or(Per::Person),
        people: small(people),
    }
}

fn kinds(node: Option<Node>, whole: &Origin, notes: &mut Notes) -> Vec<Kind> {
    let Some(node) = node else {
        notes.note(whole, "when.incident", "is missing");
        return Vec::new();
    };
    let rows = if let Value::List(rows) = node.value { rows } else { vec![node] };
    let mut kinds = Vec::new();
    for row in rows {
        let Value::Text(word) = &row.value else {
            notes.note(&row.origin, "when.incident", "must be a kind in quotes, or a list of them");
            continue;
        };
        match Kind::ALL.into_iter().find(|it| it.word() == word) {
            Some(kind) => kinds.push(kind),
            None => {
                let known = Kind::ALL.map(Kind::word).join(", ");
                let text = format!("there is no kind `{word}`; there are: {known}");
                notes.note(&row.origin, "when.incident", text);
            }
        }
    }
    kinds
}

fn steps(node: Node, notes: &mut Notes) -> Vec<Measure> {
    let origin = node.origin.clone();
    let Value::List(rows) = node.value else {
        notes.note(&origin, "steps", "must be tables that begin with [[steps]]");
        return Vec::new();
    };
    if !(1..=STEPS_MAX).contains(&rows.len()) {
        notes.note(&origin, "steps", format!("there must be 1 to {STEPS_MAX} of them"));
    }
    rows.into_iter().filter_map(|row| step(row, notes)).collect()
}

fn step(mut node: Node, notes: &mut Notes) -> Option<Measure> {
    let origin = node.origin.clone();
    let does = node.entries().and_then(|it| it.remove("do"));
    let Some(Value::Text(word)) = does.map(|it| it.value) else {
        notes.note(&origin, "steps.do", "must say what is done, in quotes");
        return None;
    };
    let Some((_, keys)) = STEPS.iter().find(|(it, _)| *it == word) else {
        let known = STEPS.map(|(it, _)| it).join(", ");
        notes.note(&origin, "steps.do", format!("there is no step `{word}`; there are: {known}"));
        return None;
    };
    let mut table = Table::of(node, "steps.", keys, notes);
    let lasts = table.span("lasts", notes);
    let within = table.span("within", notes).unwrap_or(Duration::from_hours(24));
    let until_usual = table.flag("until_usual", notes);
    let per_minute = table.whole("per_minute", 1..=60, notes);
    let tokens_day = table.whole("tokens_day", 0..=1_000_000_000_000, notes);
    let mut need = |key: &str, is_there: bool| {
        if !is_there && !table.given.contains(&key.to_owned()) {
            notes.note(&origin, &format!("steps.{key}"), "is missing");
        }
    };
    Some(match word.as_str() {
        "block" => {
            need("lasts", lasts.is_some());
            Measure::Block { lasts: lasts? }
        }
        "pause" => Measure::Pause { lasts },
        "slow" => {
            need("lasts", lasts.is_some());
            need("per_minute", per_minute.is_some());
            let per_minute = u32::try_from(per_minute?).unwrap_or(u32::MAX);
            Measure::Slow { per_minute, lasts: lasts?, until_usual }
        }
        "tighten" => {
            need("lasts", lasts.is_some());
            need("tokens_day", tokens_day.is_some());
            Measure::Tighten { tokens_day: tokens_day?, lasts: lasts?, until_usual }
        }
        "gather" => Measure::Gather { within },
        "list_touched" => Measure::ListTouched { within },
        "propose_rule" => Measure::ProposeRule,
        _ => Measure::Compare,
    })
}

/// The fields of a table that have not been taken yet.
struct Table {
    left: BTreeMap<String, Node>,
    given: Vec<String>,
    /// What stands before a key's name in problems.
    place: &'static str,
}

impl Table {
    fn of(node: Node, place: &'static str, keys: &[&str], notes: &mut Notes) -> Self {
        let origin = node.origin.clone();
        let left = if let Value::Table(entries) = node.value {
            entries
        } else {
            notes.note(&origin, place.trim_end_matches('.'), "must be a table");
            BTreeMap::new()
        };
        for (key, node) in left.iter().filter(|(key, _)| !keys.contains(&key.as_str())) {
            notes.unknown(&node.origin, &format!("{place}{key}"), keys.iter().copied());
        }
        Self { given: left.keys().cloned().collect(), left, place }
    }

    fn text(&mut self, key: &str, notes: &mut Notes) -> Option<(String, Origin)> {
        let node = self.left.remove(key)?;
        if let Value::Text(text) = node.value {
            return Some((text, node.origin));
        }
        notes.note(&node.origin, &format!("{}{key}", self.place), "must be a text in quotes");
        None
    }

    fn choice<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&str, T)],
        notes: &mut Notes,
    ) -> Option<T> {
        let (text, origin) = self.text(key, notes)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, it)| *it);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let text = format!("must be one of: {}", words.join(", "));
            notes.note(&origin, &format!("{}{key}", self.place), text);
        }
        found
    }

    fn whole(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<u64>,
        notes: &mut Notes,
    ) -> Option<u64> {
        let node = self.left.remove(key)?;
        let number = if let Value::Whole(it) = node.value { u64::try_from(it).ok() } else { None };
        let number = number.filter(|it| range.contains(it));
        if number.is_none() {
            let text = format!("must be a number from {} to {}", range.start(), range.end());
            notes.note(&node.origin, &format!("{}{key}", self.place), text);
        }
        number
    }

    fn span(&mut self, key: &str, notes: &mut Notes) -> Option<Duration> {
        let (text, origin) = self.text(key, notes)?;
        let span = span(&text).filter(|it| !it.is_zero() && *it <= TIME_MAX);
        if span.is_none() {
            let text = "must be a time such as \"15m\", \"2h\" or \"1d\", at most 30d";
            notes.note(&origin, &format!("{}{key}", self.place), text);
        }
        span
    }

    fn flag(&mut self, key: &str, notes: &mut Notes) -> bool {
        let Some(node) = self.left.remove(key) else { return false };
        if let Value::Flag(flag) = node.value {
            return flag;
        }
        notes.note(&node.origin, &format!("{}{key}", self.place), "must be true or false");
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let found = read_text("a.toml", text).unwrap_err();
        found.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_playbook_is_read_with_all_its_steps_and_asks_where_it_says_nothing_else() {
        let text = r#"
            name = "one"
            description = "What for."
            undo_by = "admin"
            [when]
            incident = "usage"
            severity = "medium"
            count = 4
            within = "1h"
            per = "person"
            [[steps]]
            do = "slow"
            per_minute = 2
            lasts = "2h"
            until_usual = true
            [[steps]]
            do = "tighten"
            tokens_day = 50_000
            lasts = "1d"
            [[steps]]
            do = "pause"
            [[steps]]
            do = "gather"
            within = "7d"
            [[steps]]
            do = "propose_rule"
        "#;
        let hours = |it: u64| Duration::from_hours(it);
        let playbook = read_text("a.toml", text).unwrap();
        assert_eq!((playbook.mode, playbook.undo_by), (Mode::Propose, Role::Admin));
        let when = &playbook.when;
        assert_eq!((when.count, when.people, when.within), (4, 1, hours(1)));
        assert_eq!(when.least, Severity::Medium);
        assert_eq!(
            playbook.steps,
            [
                Measure::Slow { per_minute: 2, lasts: hours(2), until_usual: true },
                Measure::Tighten { tokens_day: 50_000, lasts: hours(24), until_usual: false },
                Measure::Pause { lasts: None },
                Measure::Gather { within: hours(24 * 7) },
                Measure::ProposeRule,
            ]
        );
    }

    #[test]
    fn all_problems_of_a_file_are_told_with_their_lines_and_the_nearest_key() {
        let text = "name = \"One\"\nmood = \"act\"\nmode = \"maybe\"\n[when]\nincident = \"gard\"\n\
                    cuont = 3\nwithin = \"soon\"\nper = \"person\"\npeople = 2\n[[steps]]\n\
                    do = \"block\"\nlast = \"15m\"\n[[steps]]\ndo = \"dance\"\n[[steps]]\n\
                    do = \"slow\"\nper_minute = 0\nlasts = \"1h\"\nuntil_usual = true\n";
        let expected = [
            "a.toml:2: mood: there is no such key; did you mean `mode`?",
            "a.toml:1: name: a name is 1 to 40 of a-z, 0-9 and _",
            "a.toml:3: mode: must be one of: act, propose",
            "a.toml:6: when.cuont: there is no such key; did you mean `count`?",
            "a.toml:5: when.incident: there is no kind `gard`; there are: guard, access, crash, \
             leak, budget, usage",
            "a.toml:7: when.within: must be a time such as \"15m\", \"2h\" or \"1d\", at most 30d",
            "a.toml:4: when.count: is missing",
            "a.toml:12: steps.last: there is no such key; did you mean `lasts`?",
            "a.toml:10: steps.lasts: is missing",
            "a.toml:13: steps.do: there is no step `dance`; there are: block, pause, slow, tighten, \
             gather, list_touched, propose_rule, compare",
            "a.toml:17: steps.per_minute: must be a number from 1 to 60",
            "a.toml:1: when.people: of `per = \"person\"` there is one person",
        ];
        assert_eq!(problems(text), expected);
        let empty = problems("");
        assert_eq!(empty.len(), 3, "{empty:?}");
    }

    #[test]
    fn what_would_be_over_at_once_is_refused() {
        let text = "name = \"one\"\n[when]\nincident = \"guard\"\ncount = 1\nwithin = \"1h\"\n\
                    per = \"person\"\n[[steps]]\ndo = \"slow\"\nper_minute = 2\nlasts = \"1h\"\n\
                    until_usual = true\n";
        assert_eq!(problems(text).len(), 1, "{:?}", problems(text));
    }
}
