//! The examples under `/start`: those of the agent who greets, or general ones.

use protocol::{Agent, AgentName, Language};

use super::{Text, text};
use crate::roster::View;

/// What the buttons carry before the agent, the number and the language that they were shown in.
const EXAMPLE: &str = "ex:";
/// The longest label of a button, in characters: more is cut on a phone.
const LABEL_CHARS_MAX: usize = 48;

/// A row for each.
pub(super) fn buttons(agent: Option<&Agent>, language: Language) -> Vec<Vec<(Text, String)>> {
    let own = agent.map_or(&[][..], |it| it.examples_in(language));
    if let (Some(agent), false) = (agent, own.is_empty()) {
        let button = |(number, example): (usize, &String)| {
            let label = Text::from(shortened(example));
            vec![(label, format!("{EXAMPLE}{}:{number}:{language}", agent.name))]
        };
        return (1..).zip(own).map(button).collect();
    }
    let button = |(number, (label, _)): (usize, (Text, Text))| {
        vec![(label, format!("{EXAMPLE}{number}:{language}"))]
    };
    (1..).zip(general()).map(button).collect()
}

fn shortened(example: &str) -> String {
    crate::context::beginning(example, LABEL_CHARS_MAX)
}

/// What the buttons say, and what they ask.
fn general() -> [(Text, Text); 3] {
    [
        (text!("example-explain"), text!("example-explain.prompt")),
        (text!("example-write"), text!("example-write.prompt")),
        (text!("example-plan"), text!("example-plan.prompt")),
    ]
}

/// What a pressed example asks, and whom, if the agent itself gave it. A button that nobody was shown,
/// or whose agent gives other examples by now, asks nothing.
pub(crate) fn pressed(data: &str, view: &View) -> Option<(Option<AgentName>, String)> {
    let words: Vec<&str> = data.strip_prefix(EXAMPLE)?.split(':').collect();
    let nth = |number: &str| number.parse::<usize>().ok()?.checked_sub(1);
    match words.as_slice() {
        // As they were shown before there were languages.
        [number] => Some((None, in_general(nth(number)?, Language::English)?)),
        [number, language] => Some((None, in_general(nth(number)?, Language::of_tag(language)?)?)),
        [name, number, language] => {
            let agent = view.agent(&name.parse().ok()?)?;
            let examples = agent.examples_in(Language::of_tag(language)?);
            Some((Some(agent.name.clone()), examples.get(nth(number)?)?.clone()))
        }
        _ => None,
    }
}

fn in_general(at: usize, language: Language) -> Option<String> {
    general().get(at).map(|(_, prompt)| prompt.in_language(language))
}
