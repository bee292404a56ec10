//! The agents that come as files: one TOML file each, read and checked together.
//!
//! A file holds `name`, `description`, `instructions`, `models`, `paused`, `memory` (the name of a
//! memory that it shares), `proposes_facts`, `examples` (what people may ask it to begin with, at most
//! three) and `examples_in` (the same, a list for each language's code), `tools`, `may_ask` and `may_hand_to`; an unknown key is an error. All problems of a folder are told at once.

use std::{collections::BTreeMap, path::Path};

use protocol::{Agent, AgentName, Language, tool::ToolName};

use crate::config::{Bounds, Node, Notes, Origin, Problems, Value, parse, read_folder};

/// The most agents one folder may hold.
pub const AGENTS_MAX: usize = 1_000;
/// The longest file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 256 * 1024;
/// The longest description, in characters: it must fit a button's answer.
pub const DESCRIPTION_CHARS_MAX: usize = 200;

/// The most examples of one agent: one button each.
pub const EXAMPLES_MAX: usize = 3;
/// The longest example, in characters.
pub const EXAMPLE_CHARS_MAX: usize = 200;

const KEYS: [&str; 12] = [
    "name",
    "description",
    "instructions",
    "models",
    "paused",
    "memory",
    "proposes_facts",
    "examples",
    "examples_in",
    "tools",
    "may_ask",
    "may_hand_to",
];

/// Reads every `*.toml` of a folder, in the order of the agents' names.
///
/// # Errors
/// If the folder cannot be read or any file has a problem: all of them, with file and line.
pub fn load(folder: &Path) -> Result<Vec<Agent>, Problems> {
    let bounds = Bounds { noun: "agent", files_max: AGENTS_MAX, bytes_max: FILE_BYTES_MAX };
    read_folder(folder, bounds, read_text, |it| it.name.clone())
}

/// Reads one agent from the text of a file. `file` is what problems call it.
///
/// # Errors
/// Everything that is wrong with it, with its line.
pub fn read_text(file: &str, text: &str) -> Result<Agent, Problems> {
    let mut notes = Notes::new(file);
    let root = parse(text, &mut notes);
    let whole = root.origin.clone();
    let mut fields = Fields::of(root, &mut notes);
    let name = fields.name("name", &mut notes);
    let description = fields.text("description", &mut notes).map(|(text, origin)| {
        if DESCRIPTION_CHARS_MAX < text.chars().count() || text.contains('\n') {
            let text = format!("must be one line of at most {DESCRIPTION_CHARS_MAX} characters");
            notes.note(&origin, "description", text);
        }
        text
    });
    let instructions = fields.text("instructions", &mut notes).map(|(text, origin)| {
        if text.trim().is_empty() {
            notes.note(&origin, "instructions", "must not be empty");
        }
        text.trim().to_owned()
    });
    let models = fields.list("models", &mut notes);
    let paused = fields.flag("paused", &mut notes);
    let memory = fields.name("memory", &mut notes);
    let proposes_facts = fields.flag("proposes_facts", &mut notes);
    let examples = fields.examples(&mut notes);
    let tools = fields.tools(&mut notes);
    let may_ask = fields.names("may_ask", &mut notes);
    let may_hand_to = fields.names("may_hand_to", &mut notes);
    for (key, missing) in [("name", name.is_none()), ("instructions", instructions.is_none())] {
        if missing && !fields.given(key) {
            notes.note(&whole, key, "is missing");
        }
    }
    let problems = notes.into_problems();
    match (name, instructions) {
        (Some(name), Some(instructions)) if problems.is_empty() => {
            let description = description.unwrap_or_default();
            Ok(Agent {
                name,
                description,
                instructions,
                models,
                paused,
                memory,
                proposes_facts,
                examples,
                tools,
                may_ask,
                may_hand_to,
            })
        }
        _ => Err(Problems(problems)),
    }
}

/// The fields of a file that have not been taken yet.
struct Fields {
    left: BTreeMap<String, Node>,
    given: Vec<String>,
}

impl Fields {
    fn of(root: Node, notes: &mut Notes) -> Self {
        let mut left = BTreeMap::new();
        if let Value::Table(entries) = root.value {
            left = entries;
        }
        for (key, node) in left.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
            notes.unknown(&node.origin, key, KEYS);
        }
        Self { given: left.keys().cloned().collect(), left }
    }

    fn given(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }

    fn text(&mut self, key: &str, notes: &mut Notes) -> Option<(String, Origin)> {
        let node = self.left.remove(key)?;
        if let Value::Text(text) = node.value {
            return Some((text, node.origin));
        }
        notes.note(&node.origin, key, "must be a text in quotes");
        None
    }

    fn name(&mut self, key: &str, notes: &mut Notes) -> Option<AgentName> {
        let (text, origin) = self.text(key, notes)?;
        let name = text.parse::<AgentName>();
        name.map_err(|error| notes.note(&origin, key, error.to_string())).ok()
    }

    /// A list of agents.
    fn names(&mut self, key: &str, notes: &mut Notes) -> Vec<AgentName> {
        let origin = self.left.get(key).map(|it| it.origin.clone());
        let texts = self.list(key, notes);
        let names = texts.iter().map(|it| it.parse::<AgentName>()).collect::<Result<_, _>>();
        names.unwrap_or_else(|error| {
            if let Some(origin) = origin {
                notes.note(&origin, key, error.to_string());
            }
            Vec::new()
        })
    }

    /// The list of tools: names, `server.*`, or `*` alone.
    fn tools(&mut self, notes: &mut Notes) -> Vec<String> {
        let key = "tools";
        let origin = self.left.get(key).map(|it| it.origin.clone());
        let tools = self.list(key, notes);
        let is_pattern = |it: &str| {
            let name = it.strip_suffix(".*").unwrap_or(it);
            it == "*"
                || name
                    .parse::<ToolName>()
                    .is_ok_and(|name| it.len() == name.as_str().len() || name.server().is_none())
        };
        if let (Some(origin), Some(odd)) = (origin, tools.iter().find(|it| !is_pattern(it))) {
            let text =
                format!("`{odd}` is no tool; write `tool`, `server.tool`, `server.*` or `*`");
            notes.note(&origin, key, text);
        }
        tools
    }

    fn list(&mut self, key: &str, notes: &mut Notes) -> Vec<String> {
        let Some(node) = self.left.remove(key) else { return Vec::new() };
        let text =
            |row: &Node| if let Value::Text(text) = &row.value { Some(text.clone()) } else { None };
        let texts = if let Value::List(rows) = &node.value {
            rows.iter().map(text).collect::<Option<Vec<_>>>()
        } else {
            None
        };
        texts.unwrap_or_else(|| {
            notes.note(&node.origin, key, "must be a list of names in quotes");
            Vec::new()
        })
    }

    /// Under no code those for every language, then those of each.
    fn examples(&mut self, notes: &mut Notes) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        if let Some(node) = self.left.remove("examples") {
            all.extend(examples_of("examples", &node, notes).map(|it| (String::new(), it)));
        }
        let Some(node) = self.left.remove("examples_in") else { return all };
        let Value::Table(languages) = node.value else {
            notes.note(&node.origin, "examples_in", "must be a list of examples for each language");
            return all;
        };
        for (code, node) in languages {
            let key = format!("examples_in.{code}");
            // In TOML, what stands below the head of a table belongs to that table.
            if KEYS.contains(&code.as_str()) {
                let text = format!(
                    "`{code}` stands below `[examples_in]` and so counts as a language: move the line above \
                     `[examples_in]`"
                );
                notes.note(&node.origin, &key, text);
                continue;
            }
            if !Language::ALL.iter().any(|it| it.code() == code) {
                let known = Language::ALL.map(Language::code).join(", ");
                notes.note(&node.origin, &key, format!("is no language of ours: {known}"));
            }
            all.extend(examples_of(&key, &node, notes).map(|it| (code, it)));
        }
        all
    }

    fn flag(&mut self, key: &str, notes: &mut Notes) -> bool {
        let Some(node) = self.left.remove(key) else { return false };
        if let Value::Flag(flag) = node.value {
            return flag;
        }
        notes.note(&node.origin, key, "must be true or false");
        false
    }
}

fn examples_of(key: &str, node: &Node, notes: &mut Notes) -> Option<Vec<String>> {
    let is_good = |text: &str| {
        !text.trim().is_empty() && !text.contains('\n') && text.chars().count() <= EXAMPLE_CHARS_MAX
    };
    let good = |row: &Node| {
        let text = if let Value::Text(text) = &row.value { text } else { return None };
        is_good(text).then(|| text.trim().to_owned())
    };
    let rows = if let Value::List(rows) = &node.value { rows.as_slice() } else { &[] };
    let texts: Option<Vec<String>> = rows.iter().map(good).collect();
    let texts = texts.filter(|it| (1..=EXAMPLES_MAX).contains(&it.len()));
    if texts.is_none() {
        let text = format!(
            "must be a list of 1 to {EXAMPLES_MAX} lines in quotes, of at most {EXAMPLE_CHARS_MAX} characters"
        );
        notes.note(&node.origin, key, text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let found = read_text("a.toml", text).unwrap_err();
        found.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_agent_s_examples_are_those_of_the_language_or_those_for_all() {
        let text = "name = \"sage\"\ninstructions = \"Hi.\"\nexamples = [\" One \", \"Two\"]\n\
                    [examples_in]\nde = [\"Eins\"]";
        let agent = read_text("a.toml", text).unwrap();
        assert_eq!(agent.examples_in(Language::English), ["One", "Two"]);
        assert_eq!(agent.examples_in(Language::German), ["Eins"]);
        let head = "name = \"sage\"\ninstructions = \"Hi.\"\n";
        for (bad, why) in [
            ("examples = []", "a list of 1 to 3"),
            ("examples = [\"a\", \"b\", \"c\", \"d\"]", "a list of 1 to 3"),
            ("examples = [\"\"]", "a list of 1 to 3"),
            ("examples = \"a\"", "a list of 1 to 3"),
            ("examples_in = 3", "for each language"),
            ("[examples_in]\nfr = [\"un\"]", "no language of ours"),
        ] {
            let found = problems(&format!("{head}{bad}"));
            assert!(found.len() == 1 && found[0].contains(why), "{bad}: {found:?}");
        }
    }

    #[test]
    fn a_key_below_the_examples_of_languages_is_told_where_it_belongs() {
        let text = "name = \"sage\"\ninstructions = \"Hi.\"\n[examples_in]\nde = [\"Eins\"]\n\
                    may_ask = [\"coder\"]\ntools = [\"clock\"]\n";
        let expected = ["may_ask", "tools"].map(|key| {
            let line = if key == "tools" { 6 } else { 5 };
            format!(
                "a.toml:{line}: examples_in.{key}: `{key}` stands below `[examples_in]` and so counts as a \
                 language: move the line above `[examples_in]`"
            )
        });
        assert_eq!(problems(text), expected);
    }

    #[test]
    fn an_agent_is_read_with_its_usual_values() {
        let agent =
            read_text("a.toml", "name = \"sage\"\ninstructions = \"\"\"\nHi.\n\"\"\"").unwrap();
        assert_eq!((agent.name.as_str(), agent.instructions.as_str()), ("sage", "Hi."));
        assert!(agent.models.is_empty() && !agent.paused && agent.description.is_empty());
        assert!(agent.memory.is_none() && !agent.proposes_facts && agent.examples.is_empty());
        let more =
            "name = \"sage\"\ninstructions = \"Hi.\"\nmemory = \"team\"\nproposes_facts = true";
        let agent = read_text("a.toml", more).unwrap();
        assert_eq!(agent.memory.unwrap().as_str(), "team");
        assert!(agent.proposes_facts);
        assert_eq!(problems("name = \"sage\"\ninstructions = \"Hi.\"\nmemory = \"@\"").len(), 1);
    }

    #[test]
    fn all_problems_of_a_file_are_told_with_their_lines() {
        let text = "name = \"Sage\"\n\ninstruction = \"Hi.\"\nmodels = 3\npaused = \"no\"\n";
        let expected = [
            "a.toml:3: instruction: there is no such key; did you mean `instructions`?",
            "a.toml:1: name: an agent's name has 2 to 32 characters: small letters, digits and \
             underscores, and begins with a letter",
            "a.toml:4: models: must be a list of names in quotes",
            "a.toml:5: paused: must be true or false",
            "a.toml:1: instructions: is missing",
        ];
        assert_eq!(problems(text), expected);
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused_and_other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = "name = \"sage\"\ninstructions = \"Hi.\"\n";
        fs::write(folder.path().join("a.toml"), text).unwrap();
        fs::write(folder.path().join("README.md"), "no agent").unwrap();
        fs::write(folder.path().join(".b.toml"), "no agent").unwrap();
        assert_eq!(load(folder.path()).unwrap().len(), 1);
        fs::write(folder.path().join("b.toml"), text).unwrap();
        let found = load(folder.path()).unwrap_err().to_string();
        assert!(found.contains("b.toml: name: `sage` is the name of the agent in"), "{found}");
        assert!(load(&folder.path().join("none")).is_err());
    }

    #[test]
    fn the_agents_that_we_ship_are_good() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/agents");
        let agents = load(&folder).unwrap();
        let names: Vec<_> = agents.iter().map(|agent| agent.name.as_str()).collect();
        assert_eq!(names, ["coder", "sage", "scribe"]);
        for agent in agents {
            assert!(!agent.description.is_empty(), "{}", agent.name);
            let first = agent.instructions.lines().next().unwrap();
            assert!(first.len() < 200, "{} begins with its core: {first}", agent.name);
            assert!(agent.instructions.len() < 3_000, "{} leaves room for a talk", agent.name);
        }
    }
}
