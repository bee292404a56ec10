//! Where a configuration comes from: one tree of values, each with its origin, and the problems
//! found on the way.
//!
//! The TOML file makes the tree; environment variables are laid over it. Nothing here knows which
//! keys exist, so an unknown key reaches the reader together with the line or variable it came from.

use std::{collections::BTreeMap, fmt};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the built-in default.
    Default,
    /// On this line of the file, counted from 1.
    File(usize),
    /// In this environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(line) => write!(f, "file, line {line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong: where it stands and what to change, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file with its line and key, the variable, or the key alone.
    pub place: String,
    /// What is wrong there. Never holds the text of a secret.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Collects problems, so that all of them are told at once.
pub(crate) struct Notes {
    file: String,
    problems: Vec<Problem>,
}

impl Notes {
    /// `file` is the name that stands before a line number.
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), problems: Vec::new() }
    }

    /// Notes a problem of the value that `key` names.
    pub(crate) fn note(&mut self, origin: &Origin, key: &str, text: impl Into<String>) {
        let place = match origin {
            Origin::Default => key.to_owned(),
            Origin::File(line) if key.is_empty() => format!("{}:{line}", self.file),
            Origin::File(line) => format!("{}:{line}: {key}", self.file),
            Origin::Variable(name) => name.clone(),
        };
        self.problems.push(Problem { place, text: text.into() });
    }

    /// Notes a key that does not exist, with the nearest one that does.
    pub(crate) fn unknown<'k>(
        &mut self,
        origin: &Origin,
        key: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let name = key.rsplit('.').next().unwrap_or(key);
        let text = match nearest(name, known) {
            Some(near) => format!("there is no such key; did you mean `{near}`?"),
            None => "there is no such key".to_owned(),
        };
        self.note(origin, key, text);
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// The known name that looks most like this one, if any looks like it at all.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |known: &'k str| (strsim::jaro_winkler(name, known), known);
    let best = known.into_iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.7).map(|(_, known)| known)
}

/// A value and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// A value as it was written.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Whole(i64),
    Fraction(f64),
    Flag(bool),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
    /// The text of an environment variable. It becomes what its key asks for.
    Raw(String),
    /// Something that no key takes: a date, or a number beyond all limits.
    Other,
}

impl Node {
    pub(crate) fn table(origin: Origin) -> Self {
        Self { value: Value::Table(BTreeMap::new()), origin }
    }

    /// The values of this table, if it is one.
    pub(crate) fn entries(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        if let Value::Table(entries) = &mut self.value { Some(entries) } else { None }
    }

    /// The rows of this list, if it is one.
    pub(crate) fn rows(&mut self) -> Option<&mut Vec<Self>> {
        if let Value::List(rows) = &mut self.value { Some(rows) } else { None }
    }

    /// Puts a variable's text at a path, making the tables on the way. A number names a row of a
    /// list: an existing one, or the next.
    ///
    /// # Errors
    /// In words, if the path leads through something that is no table, or to a row too far.
    pub(crate) fn set(&mut self, path: &[&str], variable: &str, text: &str) -> Result<(), String> {
        let origin = Origin::Variable(variable.to_owned());
        let Some((first, rest)) = path.split_first() else {
            *self = Self { value: Value::Raw(text.to_owned()), origin };
            return Ok(());
        };
        if let (Value::Table(entries), Ok(0)) = (&self.value, first.parse::<usize>())
            && entries.is_empty()
        {
            self.value = Value::List(Vec::new());
        }
        match &mut self.value {
            Value::Table(entries) => entries
                .entry((*first).to_owned())
                .or_insert_with(|| Self::table(origin))
                .set(rest, variable, text),
            Value::List(rows) => {
                let row: usize = first.parse().map_err(|_not_a_number| {
                    format!("`{first}` must be the number of a row, counted from 0")
                })?;
                if row == rows.len() {
                    rows.push(Self::table(origin));
                }
                let count = rows.len();
                let row = rows.get_mut(row).ok_or_else(|| {
                    format!("there is no row {row}: the next one would be {count}")
                })?;
                row.set(rest, variable, text)
            }
            Value::Text(_)
            | Value::Whole(_)
            | Value::Fraction(_)
            | Value::Flag(_)
            | Value::Raw(_)
            | Value::Other => Err(format!("there is nothing below this key: `{first}`")),
        }
    }

    /// Every value below this one with its dotted path and origin.
    pub(crate) fn origins(&self, path: &str, into: &mut BTreeMap<String, Origin>) {
        let below = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let is_table = |row: &Self| matches!(row.value, Value::Table(_));
        if let Value::Table(entries) = &self.value {
            entries.iter().for_each(|(name, node)| node.origins(&below(name), into));
            return;
        }
        if let Value::List(rows) = &self.value
            && rows.iter().any(is_table)
        {
            let rows = rows.iter().enumerate();
            rows.for_each(|(at, row)| row.origins(&below(&at.to_string()), into));
            return;
        }
        into.insert(path.to_owned(), self.origin.clone());
    }
}

/// Reads a TOML text into a tree. A text that is not TOML is noted, all its mistakes at once, and
/// what could be read is returned.
pub(crate) fn parse(text: &str, notes: &mut Notes) -> Node {
    let lines = Lines::of(text);
    let (table, mistakes) = DeTable::parse_recoverable(text);
    for mistake in mistakes {
        let line = mistake.span().map_or(1, |span| lines.line(span.start));
        notes.note(&Origin::File(line), "", mistake.message().to_owned());
    }
    lines.table(table.get_ref(), 1)
}

/// Finds the line of a byte.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { starts: after.map(|(at, _)| at + 1).collect() }
    }

    fn line(&self, at: usize) -> usize {
        1 + self.starts.partition_point(|start| *start <= at)
    }

    fn table(&self, table: &DeTable<'_>, line: usize) -> Node {
        let entries = table.iter().map(|(key, value)| {
            let mut node = self.node(value);
            node.origin = Origin::File(self.line(key.span().start));
            (key.get_ref().to_string(), node)
        });
        Node { value: Value::Table(entries.collect()), origin: Origin::File(line) }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let line = self.line(value.span().start);
        let read = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other, Value::Whole),
            DeValue::Float(number) => number.as_str().parse().map_or(Value::Other, Value::Fraction),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(_) => Value::Other,
            DeValue::Array(rows) => Value::List(rows.iter().map(|row| self.node(row)).collect()),
            DeValue::Table(table) => return self.table(table, line),
        };
        Node { value: read, origin: Origin::File(line) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(node: &Node) -> Vec<String> {
        let mut into = BTreeMap::new();
        node.origins("", &mut into);
        into.iter().map(|(path, origin)| format!("{path} from {origin}")).collect()
    }

    #[test]
    fn every_value_knows_its_line_or_its_variable() {
        let mut notes = Notes::new("a.toml");
        let text = "[a]\nb = 1\n\n[[c]]\nd = [1, 2]\n";
        let mut tree = parse(text, &mut notes);
        tree.set(&["a", "e"], "A__E", "5").unwrap();
        tree.set(&["c", "0", "f"], "C__0__F", "5").unwrap();
        tree.set(&["c", "1", "f"], "C__1__F", "5").unwrap();
        let expected = [
            "a.b from file, line 2",
            "a.e from A__E",
            "c.0.d from file, line 5",
            "c.0.f from C__0__F",
            "c.1.f from C__1__F",
        ];
        assert_eq!(origins(&tree), expected);
        assert!(notes.into_problems().is_empty());
    }

    #[test]
    fn a_text_that_is_not_toml_is_noted_with_its_line() {
        let mut notes = Notes::new("a.toml");
        parse("[a]\nb = \n", &mut notes);
        let problems = notes.into_problems();
        assert!(problems[0].place.starts_with("a.toml:2"), "{problems:?}");

        let mut notes = Notes::new("a.toml");
        parse("[a]\nb = 1\nb = 2\n", &mut notes);
        let problems = notes.into_problems();
        assert!(problems[0].to_string().starts_with("a.toml:3: duplicate key"), "{problems:?}");
    }

    #[test]
    fn a_row_too_far_and_a_path_through_a_value_are_refused() {
        let mut tree = parse("a = 1\n[[c]]\n", &mut Notes::new(""));
        assert!(tree.set(&["c", "7", "f"], "V", "5").is_err());
        assert!(tree.set(&["c", "x", "f"], "V", "5").is_err());
        assert!(tree.set(&["a", "b"], "V", "5").is_err());
    }

    #[test]
    fn the_nearest_name_is_offered_only_if_it_is_near() {
        let known = ["person_per_minute", "flood_ignore"];
        assert_eq!(nearest("person_per_minut", known), Some("person_per_minute"));
        assert_eq!(nearest("zzz", known), None);
    }
}
