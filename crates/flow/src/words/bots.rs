//! What a bot says that is one agent's own.

use protocol::{Agent, AgentName, company::BotCut};

use super::{Notice, Text, say, text};

/// Another agent was wanted.
pub(crate) fn only(own: &AgentName) -> Notice {
    say(text!("bot-of-alone", agent = own))
}

/// Other bots are not answered any more until a person writes.
pub(crate) fn cut(why: BotCut) -> Notice {
    say(match why {
        BotCut::Hops => text!("bots-cut-hops"),
        BotCut::Pace => text!("bots-cut-pace"),
    })
}

/// Who is here.
pub(crate) fn card(agent: &Agent) -> Notice {
    let about = match agent.description.as_str() {
        "" => String::new(),
        text => format!(": {text}"),
    };
    let of = Text::concat(vec![text!("bot-of", agent = &agent.name), about.into()]);
    let rest = if agent.paused { text!("bot-rests") } else { text!("bot-awake") };
    say(Text::Joined(vec![of, rest], " "))
}
