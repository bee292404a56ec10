//! Everything the hall says in its own words.
//!
//! A [`Notice`] can only be made here, so that the outbox knows: this was not written by a model
//! and not by a stranger. Each says what happened, that nothing was lost, and what to do next.

mod alerts;
pub mod home;
mod money;
pub(crate) mod officers;
pub(crate) mod panel;
pub mod playbooks;
mod trace;

pub(crate) use self::alerts::{ACKNOWLEDGE, alert, alerts, obeyed, trials};
pub use self::money::usage as usage_statement;
pub(crate) use self::money::{cap_neared, over_cap, quota, quota_set, quotas, used_today};
pub(crate) use self::trace::{
    alarms, cannot_trace, held_back, marked, nothing_to_trace, refusal, trace,
};
use crate::{right::Role, roster::OwnRules};
use protocol::{
    Agent, AgentName, PersonId, RefId,
    event::{Button, Part},
    memory::{Fact, FactOrigin},
};

/// A fixed text of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice(Part);

impl Notice {
    /// The message.
    #[must_use]
    pub fn part(&self) -> &Part {
        &self.0
    }

    /// The message, for good.
    #[must_use]
    pub fn into_part(self) -> Part {
        self.0
    }
}

fn say(text: impl Into<String>) -> Notice {
    Notice(Part::plain(text))
}

/// The longest list in one message, in bytes: Telegram takes 4,096 characters.
const LIST_CHARS_MAX: usize = 3_000;

/// Button data of the three examples under `/start`.
pub(crate) const EXAMPLES: [(&str, &str, &str); 3] = [
    ("ex:1", "💡 Explain something", "Explain in three sentences why the sky is blue."),
    ("ex:2", "✍️ Write something", "Write a friendly two-line thank-you note to a colleague."),
    ("ex:3", "🧭 Plan something", "Give me a short plan for a calm and useful morning."),
];

/// `/start`: who is here, what is kept, what to try.
pub(crate) fn greeting(
    first_name: &str,
    agent: Option<&Agent>,
    notice: &str,
    must_accept: bool,
) -> Notice {
    let name: String = first_name.chars().filter(|c| !c.is_control()).take(40).collect();
    let hello = if name.is_empty() { "Hello!".to_owned() } else { format!("Hello, {name}!") };
    let host = match agent {
        Some(agent) => format!(
            "You are talking to {}.{}\nJust write. /agents shows everyone who is here.",
            agent.name,
            about(agent)
        ),
        None => "No agent is here yet. An admin can bring one in with /spawn.".to_owned(),
    };
    let text = format!("{hello} {host}\n\n{notice}\n\nTry one of these:");
    let button = |(data, label, _): &(&str, &str, &str)| {
        vec![Button { label: (*label).to_owned(), data: (*data).to_owned() }]
    };
    let examples = EXAMPLES.iter().map(button);
    let buttons = must_accept.then(accept_button).into_iter().chain(examples).collect();
    Notice(Part { html: None, plain: text, buttons })
}

/// Button data of the agreement to the privacy notice.
pub(crate) const ACCEPT: &str = "accept";

fn accept_button() -> Vec<Button> {
    vec![Button { label: "✅ I agree".to_owned(), data: ACCEPT.to_owned() }]
}

/// The short form of the privacy notice, where people must agree to it first.
pub(crate) fn accept_first(notice: &str, is_held: bool) -> Notice {
    let then = match is_held {
        true => "Your question is kept; press the button, and it will be answered.",
        false => "Press the button, and send your question again.",
    };
    let plain = format!("{notice}\n\nBefore I answer, please say that you agree. {then}");
    Notice(Part { html: None, plain, buttons: vec![accept_button()] })
}

/// A channel or an anonymous admin asked, where everybody must agree for themselves.
pub(crate) fn accept_as_yourself() -> Notice {
    say(
        "Here I answer only people who have agreed to the privacy notice. Please write as yourself.",
    )
}

/// Somebody agreed, and nothing waited for it.
pub(crate) fn accepted() -> Notice {
    say("Thank you. Just write, and you will be answered.")
}

/// The short form of the privacy notice, shown before the first model call.
pub(crate) fn first_notice(notice: &str) -> Notice {
    say(notice)
}

/// What is stored, who sees it, how to have it erased: in one sentence each.
#[must_use]
pub fn privacy_notice(providers: &str, contact: &str) -> String {
    format!(
        "🔒 What you write is stored encrypted on this server so that conversations survive \
         restarts, until you erase it with /forget. To answer, it is sent to {providers}. \
         /privacy says more{contact}."
    )
}

/// `/privacy`.
pub(crate) fn privacy(providers: &str, contact: &str) -> Notice {
    say(format!(
        "🔒 Your privacy\n\n\
         What is stored: your messages, the answers, your Telegram id and which agent you talk to.\n\
         How: encrypted, with a key that is kept apart from the data. Logs hold no text and no ids.\n\
         Who sees it: to answer you, your message, the recent conversation, what sums up the rest and \
         what you had remembered go to {providers}.\n\
         What it is used for: answering you. It is never used to train a model here.\n\
         How long: until you erase it, or as long as the person who runs this bot{contact} keeps it.\n\
         /new makes an agent forget the conversation so far when it answers; /memory shows and \
         deletes what it remembers beside it. \
         /export sends you everything that is kept about you. /forget erases it."
    ))
}

/// `/export` or `/forget` where others read along.
pub(crate) fn only_in_private() -> Notice {
    say("That is between you and me: please use this command in our private chat.")
}

/// `/forget`: what will go, and a button that confirms.
pub(crate) fn forget_offer(data: String) -> Notice {
    let text = "Erase everything about you?\n\n\
        What goes: your messages, the answers you got, what agents remember of you, in this chat \
        and in groups, and everything that waits to be answered. The key that your data is sealed \
        with is destroyed, so copies and backups cannot be read any more either.\n\
        What stays: whether you may use this bot, logs without texts and names, and what Telegram \
        itself keeps in this chat.\n\n\
        It cannot be undone. /export first sends you a copy. You get a signed receipt.";
    let button = Button { label: "Erase everything".to_owned(), data };
    Notice(Part { html: None, plain: text.to_owned(), buttons: vec![vec![button]] })
}

/// A person was forgotten.
pub(crate) fn forgotten(receipt: &str) -> Notice {
    say(format!(
        "Everything about you is erased. Keep this receipt if you like; whoever runs this bot can \
         check it with `guildhall person receipt`.\n\n{receipt}"
    ))
}

/// `/export` is done.
pub(crate) fn exported() -> Notice {
    say("That is everything that is kept about you: one file for programs, one to read. \
         /forget erases it.")
}

/// There is too much for a chat.
pub(crate) fn too_much_to_export() -> Notice {
    say("There is more than fits into a file here. Please ask the person who runs this bot: \
         they can make the same copy with `guildhall person export`.")
}

/// `/help` for everybody; officers see their commands too.
pub(crate) fn help(role: Option<Role>) -> Notice {
    let mut text = String::from("Just write, and an agent answers. You can also use:\n\n");
    for entry in crate::request::MENU.iter().filter(|it| it.is_for(role)) {
        let usage =
            if entry.usage.is_empty() { String::new() } else { format!(" {}", entry.usage) };
        text.push_str(&format!("/{}{usage} — {}\n", entry.name, entry.does));
    }
    text.push_str("\nIn a group, mention me, reply to me, or use a command.");
    say(text)
}

/// `/agents`: a keyboard to choose from.
pub(crate) fn agents(all: &[&Agent], current: Option<&AgentName>) -> Notice {
    if all.is_empty() {
        return say("No agent is here yet. An admin can bring one in with /spawn.");
    }
    let mut text = String::from("Who is here:\n\n");
    let mut buttons = Vec::new();
    for agent in all {
        let here =
            if Some(&agent.name) == current { " ← you are talking to this one" } else { "" };
        let rest = if agent.paused { " (resting)" } else { "" };
        let about = if agent.description.is_empty() {
            String::new()
        } else {
            format!(": {}", agent.description)
        };
        text.push_str(&format!("• {}{rest}{about}{here}\n", agent.name));
        if !agent.paused && Some(&agent.name) != current {
            let label = format!("Talk to {}", agent.name);
            buttons.push(vec![Button { label, data: format!("ag:{}", agent.name) }]);
        }
    }
    // Telegram takes at most 100 buttons; a screen of twelve is what a person reads.
    buttons.truncate(12);
    Notice(Part { html: None, plain: text.trim_end().to_owned(), buttons })
}

/// The person now talks to another agent.
pub(crate) fn switched(agent: &Agent) -> Notice {
    say(format!("You are now talking to {}.{}", agent.name, about(agent)))
}

/// What an agent is good for, as a sentence to go on with.
fn about(agent: &Agent) -> String {
    let text = agent.description.trim();
    let dot = if text.is_empty() || text.ends_with(['.', '!', '?']) { "" } else { "." };
    if text.is_empty() { String::new() } else { format!(" {text}{dot}") }
}

/// Nobody of that name.
pub(crate) fn no_such_agent(name: &str) -> Notice {
    let name: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(32).collect();
    say(format!("There is no agent called “{name}” here. /agents shows who is."))
}

/// The agent rests.
pub(crate) fn agent_paused(name: &AgentName) -> Notice {
    say(format!("{name} is resting at the moment. /agents shows who else is here."))
}

/// No agent at all.
pub(crate) fn nobody_here() -> Notice {
    say("No agent is here yet. An admin can bring one in with /spawn.")
}

/// `/new`.
pub(crate) fn fresh(agent: &AgentName) -> Notice {
    say(format!("A fresh conversation with {agent}. What was said before is not used any more."))
}

/// `/cancel` with something to stop.
pub(crate) fn stopped() -> Notice {
    say("Stopped. /retry asks the same again.")
}

/// `/cancel` with nothing to stop.
pub(crate) fn nothing_to_stop() -> Notice {
    say("Nothing is being written at the moment.")
}

/// `/retry` with nothing asked before.
pub(crate) fn nothing_to_retry() -> Notice {
    say("There is no earlier question to ask again. Just write one.")
}

/// A command that does not exist, or not for this person.
pub(crate) fn unknown_command() -> Notice {
    say("I do not know that command. /help shows what I understand.")
}

/// A command with missing or wrong words.
pub(crate) fn usage(name: &str, usage: &str, why: &str) -> Notice {
    let why = if why.is_empty() { String::new() } else { format!("{why}\n") };
    say(format!("{why}Use it like this: /{name} {usage}"))
}

/// A message without text that we could read.
pub(crate) fn cannot_read_files() -> Notice {
    say("I can only read text so far. Please write what you would like to know.")
}

/// The guard refused what the person wrote. Teaches nothing to an attacker.
pub(crate) fn refused_prompt() -> Notice {
    say("I would rather not answer this one. Please put it in other words.")
}

/// The guard refused what the model wrote.
pub(crate) fn refused_draft(reference: RefId) -> Notice {
    say(format!(
        "The answer was held back because it contained something that must not be shown. \
         Please ask in another way, or press /retry. (ref {reference})"
    ))
}

/// No model answered.
pub(crate) fn apology(reference: RefId) -> Notice {
    say(format!(
        "Sorry, I could not get an answer just now. Your message is not lost: \
         /retry asks again. (ref {reference})"
    ))
}

/// It took too long.
pub(crate) fn too_slow(reference: RefId) -> Notice {
    say(format!(
        "Sorry, this took too long and I stopped waiting. Your message is not lost: \
         /retry asks again. (ref {reference})"
    ))
}

/// Everything is busy.
pub(crate) fn busy(reference: RefId) -> Notice {
    say(format!(
        "Very many people are asking at once. Your message is not lost: \
         please press /retry in a minute. (ref {reference})"
    ))
}

/// Handling the message failed again and again.
pub(crate) fn quarantined(reference: RefId) -> Notice {
    say(format!(
        "Sorry, something about this message makes me stumble, so I have set it aside and told \
         the people who run me. You can go on writing. (ref {reference})"
    ))
}

/// Too many messages wait in one conversation.
pub(crate) fn one_at_a_time() -> Notice {
    say("One at a time, please: I am still busy with your earlier messages.")
}

/// The sender is not on the allowlist. Shown once an hour at most.
pub(crate) fn stranger(person: PersonId) -> Notice {
    say(format!(
        "This bot is private. If you should have access, send this number to the person who runs \
         it: {person}. Nothing you wrote was stored."
    ))
}

/// The sender writes too fast. Shown once.
pub(crate) fn slow_down() -> Notice {
    say(
        "That was a lot at once. I did not take the last message: please wait a moment and send it again.",
    )
}

/// The sender keeps flooding. Shown once.
pub(crate) fn ignored_for(minutes: u64) -> Notice {
    say(format!(
        "I will not react to your messages for the next {minutes} minutes, to stay fair to everyone."
    ))
}

/// An admin command was carried out.
pub(crate) fn done(what: &str) -> Notice {
    say(format!("✅ {what}"))
}

/// An admin command could not be carried out.
pub(crate) fn not_done(why: &str) -> Notice {
    say(format!("⚠️ {why}"))
}

/// `/rule`: the rules that admins gave, and how far each has come.
pub(crate) fn own_rules(rules: &OwnRules) -> Notice {
    let mut text = String::new();
    for (rule, left_out) in rules.each() {
        let action = screening::Verdict::from(rule.action).as_str();
        let pattern: String = rule.pattern.chars().take(60).collect();
        let dots = if pattern.len() < rule.pattern.len() { "…" } else { "" };
        let line = match left_out {
            None => {
                format!("• {} ({}, {action}): {pattern}{dots}\n", rule.name, rule.mode.as_str())
            }
            Some(why) => {
                let why: String = why.chars().take(200).collect();
                format!("• {} (left out, {why})\n", rule.name)
            }
        };
        if LIST_CHARS_MAX < text.len() + line.len() {
            text.push_str("• … and more\n");
            break;
        }
        text.push_str(&line);
    }
    if text.is_empty() {
        text.push_str(
            "No rule was given here yet. /rule add <name> <action> <pattern> notes one.\n",
        );
    }
    say(format!("Rules given by admins:\n\n{text}\nRules in files: guildhall rules check."))
}

/// `/status`, already put into words.
pub(crate) fn status(text: String) -> Notice {
    say(text)
}

// === What is remembered. Facts passed the guard when they were stored. ===

/// The longest fact in a list, in characters.
const LISTED_FACT_CHARS: usize = 120;
/// Buttons under one list.
const FORGET_BUTTONS_MAX: usize = 40;

/// A fact is remembered now.
pub(crate) fn fact_remembered(text: &str) -> Notice {
    say(format!("📝 I will remember: “{text}”. /memory shows and deletes what I remember."))
}

/// A model's proposals are remembered now. Sent under its answer.
pub(crate) fn facts_noted(agent: &AgentName, count: usize) -> Notice {
    let what = if count == 1 { "something".to_owned() } else { format!("{count} things") };
    say(format!("📝 {agent} has noted {what} about you. /memory shows and deletes it."))
}

/// It is remembered already.
pub(crate) fn fact_known() -> Notice {
    say("I remember that already. /memory shows everything.")
}

/// No room for more facts.
pub(crate) fn facts_full(max: usize) -> Notice {
    say(format!(
        "I remember {max} things already, which is the most. /memory deletes some of them."
    ))
}

/// The fact is too long.
pub(crate) fn fact_too_long(chars_max: usize) -> Notice {
    say(format!("That is too long to remember: at most {chars_max} characters, please."))
}

/// Nobody to remember anything about: a channel, or an anonymous admin.
pub(crate) fn nobody_to_remember() -> Notice {
    say("I can only remember things for a person who writes under their own name.")
}

/// `/memory`: what the person has had remembered in this chat, with a button to delete each; and
/// how much others have.
pub(crate) fn memory(facts: &[&Fact], of_others: usize, by: PersonId) -> Notice {
    let others = match of_others {
        0 => String::new(),
        1 => "\nSomebody else has had something remembered here, too.".to_owned(),
        more => format!("\nOthers have had {more} things remembered here, too."),
    };
    if facts.is_empty() {
        return say(format!(
            "I remember nothing about you here. Write “remember that …” or use /remember <text>.\
             {others}"
        ));
    }
    let (mut text, mut buttons) = (String::from("What I remember here:\n\n"), Vec::new());
    for (at, fact) in facts.iter().enumerate() {
        let number = at + 1;
        let from = match &fact.origin {
            FactOrigin::Told => String::new(),
            FactOrigin::Proposed(agent) => format!(", noted by {agent}"),
        };
        let what = crate::context::beginning(&fact.text, LISTED_FACT_CHARS);
        let line = format!("{number}. {what} ({}{from})\n", fact.space.name());
        if LIST_CHARS_MAX < text.len() + line.len() || FORGET_BUTTONS_MAX <= buttons.len() {
            text.push_str("… and more: delete some to see the rest.\n");
            break;
        }
        text.push_str(&line);
        let data = crate::request::forget_button(fact.id, by);
        buttons.push(Button { label: format!("🗑 {number}"), data });
    }
    text.push_str(&others);
    let rows = buttons.chunks(4).map(<[Button]>::to_vec).collect();
    Notice(Part { html: None, plain: text.trim_end().to_owned(), buttons: rows })
}

/// A fact was forgotten. Its text is shown to whoever told it.
pub(crate) fn fact_forgotten(text: Option<&str>) -> Notice {
    let text = text.map(|it| crate::context::beginning(it, LISTED_FACT_CHARS));
    let text = text.map(|it| format!(": “{it}”")).unwrap_or_default();
    say(format!("🗑 Forgotten{text}. It is not used any more."))
}

/// The fact is not there (any more).
pub(crate) fn fact_gone() -> Notice {
    say("That is forgotten already.")
}

/// The fact is somebody else's.
pub(crate) fn fact_of_another() -> Notice {
    say("Only the person who said it can have it forgotten. /memory shows your own buttons.")
}
