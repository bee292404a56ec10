//! A bot that is one agent's own: through it nobody else answers. Pure.
//!
//! Invariants: BOUND-1 through a bot that is one agent's own no other agent is asked.

use protocol::SessionKey;

use super::Request;
use crate::{roster::View, words};

/// What is left of a request where the bot is one agent's own.
pub(super) fn within(request: Request, key: SessionKey, view: &View) -> Request {
    let Some(own) = view.bound(key.bot) else { return request };
    if let Request::Switch(name) | Request::Ask(Some(name), _) = &request
        && name != own
    {
        return Request::Say(words::bots::only(own));
    }
    if request == Request::ListAgents {
        return match view.agent(own) {
            Some(agent) => Request::Say(words::bots::card(agent)),
            None => Request::Say(words::nobody_here()),
        };
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{guard::Prompt, request::current_agent, roster::Founding};
    use protocol::{Agent, AgentName, BotId, ChatId};

    fn name(name: &str) -> AgentName {
        name.parse().unwrap()
    }

    fn view() -> View {
        let agent = |it: &str| Agent {
            name: name(it),
            description: format!("{it} helps"),
            instructions: "Be brief.".to_owned(),
            models: Vec::new(),
            paused: false,
            memory: None,
            proposes_facts: false,
            examples: [].into(),
            tools: Vec::new(),
            may_ask: Vec::new(),
            may_hand_to: Vec::new(),
        };
        let founding = Founding {
            agents: vec![agent("coder"), agent("sage")],
            bound: [(BotId(2), name("coder"))].into(),
            default_agent: Some(name("sage")),
            ..Founding::default()
        };
        View::founded(&founding, [].into())
    }

    #[test]
    fn bound_1_through_a_bot_of_its_own_only_one_agent_answers() {
        let view = view();
        let key = |bot| SessionKey { bot: BotId(bot), chat: ChatId(7), topic: None };
        let who = |bot| current_agent(Some(&name("sage")), key(bot), &view).unwrap().name.clone();
        assert_eq!((who(1), who(2)), (name("sage"), name("coder")));
        let ask = |it: &str| Request::Ask(Some(name(it)), Prompt::default());
        for request in [ask("sage"), Request::Switch(name("sage")), Request::ListAgents] {
            assert_eq!(within(request.clone(), key(1), &view), request);
            assert!(matches!(within(request, key(2), &view), Request::Say(_)));
        }
        assert_eq!(within(ask("coder"), key(2), &view), ask("coder"));
    }
}
