//! What is said about agents with bots of their own, and about links that let people in.

use protocol::{AgentName, PersonId, Timestamp};

use super::{Notice, Text, alerts, say, text};
use crate::{invites::Closed, request::withdraw_button};

/// The longest name of a bot, in characters, and what it must end with.
const BOT_NAME_CHARS_MAX: usize = 32;

/// What Telegram shall call an agent's bot, unless its owner likes another name better.
fn suggested(agent: &AgentName, manager: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '_' };
    let agent: String = agent.as_str().chars().map(plain).collect();
    let whole = format!("{agent}_{manager}");
    if whole.len() <= BOT_NAME_CHARS_MAX && manager.to_ascii_lowercase().ends_with("bot") {
        return whole;
    }
    let room = BOT_NAME_CHARS_MAX - "_bot".len();
    format!("{}_bot", agent.chars().take(room).collect::<String>())
}

/// The bot has to be made in Telegram: by whom, and how.
pub(crate) fn make_bot(agent: &AgentName, manager: &str) -> Notice {
    let suggested = suggested(agent, manager);
    let link = format!("https://t.me/newbot/{manager}/{suggested}?name={agent}");
    say(text!("own-bot-make", agent = agent, link = link))
}

/// The server does not know how, or the bot may not.
pub(crate) fn cannot_make_bots(manager: &str) -> Notice {
    say(text!("own-bot-cannot", bot = format!("@{manager}")))
}

/// A bot was made, and no agent waits for one.
pub(crate) fn bot_of_nobody(username: &str) -> Notice {
    say(text!("own-bot-of-nobody", bot = format!("@{username}")))
}

/// Telegram does not give the bot's token.
pub(crate) fn no_token(username: &str) -> Notice {
    say(text!("own-bot-no-token", bot = format!("@{username}")))
}

/// An agent has a bot of its own.
pub(crate) fn bot_given(agent: &AgentName, username: &str) -> Notice {
    let link = format!("https://t.me/{username}");
    say(text!("own-bot-given", agent = agent, link = link))
}

/// An agent with a bot of its own is let go: what becomes of the bot.
pub(crate) fn retired_with_bot(agent: &AgentName, username: &str) -> Text {
    text!("done-retired-with-bot", agent = agent, bot = format!("@{username}"))
}

/// A link is made.
pub(crate) fn invited(number: u64, link: &str, until: Timestamp) -> Notice {
    let time = until_when(until);
    let text = text!("invite-made", link = link, time = time, number = number.to_string());
    Notice::with(text, vec![vec![(withdraw_label(number), withdraw_button(number))]])
}

/// A moment without its zone, which the texts name.
fn until_when(at: Timestamp) -> String {
    alerts::minute(at).trim_end_matches(" UTC").to_owned()
}

fn withdraw_label(number: u64) -> Text {
    text!("button-withdraw", number = number.to_string())
}

/// The links that are open, each with a button.
pub(crate) fn invites(open: Vec<(u64, Timestamp)>) -> Notice {
    if open.is_empty() {
        return say(text!("invites-none"));
    }
    let line = |(number, until): &(u64, Timestamp)| {
        text!("invite-line", number = number.to_string(), time = until_when(*until))
    };
    let lines = Text::lines(open.iter().map(line).collect());
    let button =
        |(number, _): &(u64, Timestamp)| (withdraw_label(*number), withdraw_button(*number));
    let buttons = open.chunks(2).map(|it| it.iter().map(button).collect()).collect();
    Notice::with(Text::Joined(vec![text!("invites-head"), lines], "\n\n"), buttons)
}

/// A link lets nobody in any more.
pub(crate) fn withdrawn(number: u64) -> Notice {
    say(text!("invite-withdrawn", number = number.to_string()))
}

/// Somebody came in with a link.
pub(crate) fn welcome(first_name: &str) -> Notice {
    let name: String = first_name.chars().filter(|it| !it.is_control()).take(40).collect();
    let hello = if name.is_empty() { text!("hello-nameless") } else { text!("hello", name = name) };
    say(Text::Joined(vec![hello, text!("invite-welcome")], "\n\n"))
}

/// A link lets nobody in: why, and what to do.
pub(crate) fn closed(why: Closed, person: PersonId) -> Notice {
    let why = match why {
        Closed::Used => text!("invite-used"),
        Closed::Over => text!("invite-over"),
        Closed::Unknown => text!("invite-unknown"),
    };
    say(Text::Joined(vec![why, text!("invite-ask-anew", person = person.to_string())], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_name_is_one_that_telegram_takes() {
        let name = |it: &str| it.parse::<AgentName>().unwrap();
        assert_eq!(suggested(&name("bard"), "hall_bot"), "bard_hall_bot");
        for (agent, manager) in [("bard", "a_very_long_name_of_a_hall_bot"), ("a_b", "Hall")] {
            let it = suggested(&name(agent), manager);
            assert!(it.len() <= 32 && it.ends_with("bot"), "{it}");
        }
    }
}
