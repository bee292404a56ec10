//! What a bot says that is one agent's own.

use protocol::{Agent, AgentName};

use super::{Notice, say};

/// Another agent was wanted.
pub(crate) fn only(own: &AgentName) -> Notice {
    say(format!("This bot is {own}'s own: nobody else answers here. Just write."))
}

/// Who is here.
pub(crate) fn card(agent: &Agent) -> Notice {
    let about = match agent.description.as_str() {
        "" => String::new(),
        text => format!(": {text}"),
    };
    let rest = if agent.paused { " It is resting." } else { " Just write." };
    say(format!("This bot is {}'s own{about}{rest}", agent.name))
}
