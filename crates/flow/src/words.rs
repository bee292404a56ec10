//! Everything the hall says in its own words.
//!
//! A [`Notice`] can only be made here, so that the outbox knows: this was not written by a model
//! and not by a stranger. Each says what happened, that nothing was lost, and what to do next. What it
//! says stands in `config/locales`, once for each language; see [`language`].

mod alerts;
pub(crate) mod approval;
pub(crate) mod arrange;
pub(crate) mod bots;
mod changes;
pub(crate) mod chosen;
pub(crate) mod desk;
mod examples;
mod help;
pub mod home;
mod known;
pub mod language;
#[cfg(test)]
mod locales_tests;
pub mod media;
mod memory;
mod money;
pub(crate) mod officers;
pub(crate) mod panel;
pub mod papers;
pub mod playbooks;
mod replayed;
pub(crate) mod schedules;
mod spoken;
mod state;
pub(crate) mod tools;
mod trace;

pub(crate) use self::alerts::{ACKNOWLEDGE, alert, alerts, not_obeyed, obeyed, trials};
pub(crate) use self::changes::why_not;
pub(crate) use self::examples::pressed as pressed_example;
pub(crate) use self::help::{help, help_about};
pub(crate) use self::language::text;
pub use self::language::{Text, let_languages_go};
pub(crate) use self::memory::{
    fact_forgotten, fact_gone, fact_known, fact_of_another, fact_remembered, fact_too_long,
    facts_full, facts_noted, memory, nobody_to_remember,
};
pub use self::money::usage as usage_statement;
pub(crate) use self::money::{cap_neared, moment, over_cap, quota, quota_set, quotas, used_today};
pub(crate) use self::replayed::{not_tried, tried};
pub(crate) use self::spoken::{
    LANGUAGE, language_asked, language_is_the_officers, language_set, language_unknown,
};
pub(crate) use self::state::{State, in_full as state_in_full, of_hall as state_of_hall};
pub(crate) use self::trace::{
    alarms, cannot_trace, held_back, marked, nothing_to_trace, refusal, trace,
};
use crate::{request::MENU, roster::OwnRules};
use protocol::{
    Agent, AgentName, Language, PersonId, RefId,
    event::{Button, Part},
};

/// A fixed text of ours. It is English until it is put into another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    part: Part,
    /// Boxed: it is looked at where another language is spoken.
    said: Box<Said>,
}

/// What a notice says, in no language.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    text: Text,
    labels: Vec<Vec<Text>>,
    dress: Dress,
}

/// How a notice is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dress {
    /// As it is.
    Plain,
    /// As a quote that opens when it is touched.
    Folded,
    /// Its first sign calls somebody, who is told of it.
    Calling(PersonId),
}

impl Dress {
    /// As HTML, where it needs that.
    fn html(self, plain: &str) -> Option<String> {
        match self {
            Self::Plain => None,
            Self::Folded => Some(format!("<blockquote expandable>{}</blockquote>", escaped(plain))),
            Self::Calling(person) => {
                // Before the sign may stand a mark that keeps the line to the right.
                let at = plain.find(|it: char| it != language::RIGHT_TO_LEFT_MARK)?;
                let (mark, plain) = plain.split_at(at);
                let sign = plain.chars().next()?;
                let rest = plain.get(sign.len_utf8()..)?;
                let link = format!("{mark}<a href=\"tg://user?id={person}\">{sign}</a>");
                Some(link + &escaped(rest))
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Notice {
    /// A text with buttons under it: what they say, and what they carry.
    fn with(text: impl Into<Text>, buttons: Vec<Vec<(Text, String)>>) -> Self {
        let label = |row: &Vec<(Text, String)>| row.iter().map(|(it, _)| it.clone()).collect();
        let labels = buttons.iter().map(label).collect();
        let button = |(label, data): (Text, String)| Button {
            label: label.in_language(Language::English),
            data,
        };
        let row = |it: Vec<(Text, String)>| it.into_iter().map(button).collect();
        let buttons = buttons.into_iter().map(row).collect();
        let text = text.into();
        let plain = text.in_language(Language::English);
        let said = Box::new(Said { text, labels, dress: Dress::Plain });
        Self { part: Part { buttons, ..Part::plain(plain) }, said }
    }

    /// The same, shown so.
    fn dressed(mut self, dress: Dress) -> Self {
        self.part.html = dress.html(&self.part.plain);
        self.said.dress = dress;
        self
    }

    /// The same in a language. The session does it where the text becomes part of an answer; it is rare
    /// beside what models write.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        if language == Language::English {
            return self;
        }
        self.part.plain = cut(self.said.text.in_language(language));
        self.part.html = self.said.dress.html(&self.part.plain);
        for (row, labels) in self.part.buttons.iter_mut().zip(&self.said.labels) {
            for (button, label) in row.iter_mut().zip(labels) {
                button.label = label.in_language(language);
            }
        }
        self
    }

    /// The same, in a group: the buttons that choose for a person are that person's.
    #[must_use]
    pub(crate) fn bound_to(mut self, person: Option<PersonId>) -> Self {
        let Some(person) = person else { return self };
        for button in self.part.buttons.iter_mut().flatten() {
            button.data = chosen::bound(&button.data, person);
        }
        self
    }

    /// The message.
    #[must_use]
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// The message, for good.
    #[must_use]
    pub fn into_part(self) -> Part {
        self.part
    }
}

fn say(text: impl Into<Text>) -> Notice {
    Notice::with(text, Vec::new())
}

/// The most that Telegram takes, in its own units.
const TEXT_UNITS_MAX: usize = 4_096;

/// A list that is longer in another language than in English ends with an ellipsis.
fn cut(text: String) -> String {
    if text.encode_utf16().count() <= TEXT_UNITS_MAX {
        return text;
    }
    let mut units = 0;
    let fits = |it: &char| {
        units += it.len_utf16();
        units < TEXT_UNITS_MAX
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The longest list in one message, in bytes: Telegram takes 4,096 characters.
const LIST_CHARS_MAX: usize = 3_000;

/// `/start`: who is here, what they can do, what is kept, what to try.
pub(crate) fn greeting(
    first_name: &str,
    agent: Option<&Agent>,
    notice: &Text,
    must_accept: bool,
    language: Language,
) -> Notice {
    let name: String = first_name.chars().filter(|c| !c.is_control()).take(40).collect();
    let hello = if name.is_empty() { text!("hello-nameless") } else { text!("hello", name = name) };
    let host = match agent {
        Some(agent) => text!("greeting-host", agent = &agent.name, about = about(agent)),
        None => text!("nobody-here"),
    };
    let hello = Text::Joined(vec![hello, host], " ");
    let of_itself = Text::lines(vec![
        text!("greeting-can"),
        text!("greeting-cannot"),
        text!("greeting-remembers"),
    ]);
    let text = vec![hello, of_itself, notice.clone(), text!("greeting-try")];
    let agree = must_accept.then(accept_button);
    let buttons = agree.into_iter().chain(examples::buttons(agent, language)).collect();
    Notice::with(Text::Joined(text, "\n\n"), buttons)
}

/// Button data of the agreement to the privacy notice.
pub(crate) const ACCEPT: &str = "accept";

fn accept_button() -> Vec<(Text, String)> {
    vec![(text!("agree-button"), ACCEPT.to_owned())]
}

/// The short form of the privacy notice, where people must agree to it first.
pub(crate) fn accept_first(notice: &Text, is_held: bool) -> Notice {
    let then = match is_held {
        true => text!("accept-first-kept"),
        false => text!("accept-first-again"),
    };
    Notice::with(Text::Joined(vec![notice.clone(), then], "\n\n"), vec![accept_button()])
}

/// A channel or an anonymous admin asked, where everybody must agree for themselves.
pub(crate) fn accept_as_yourself() -> Notice {
    say(text!("accept-as-yourself"))
}

/// Somebody agreed, and nothing waited for it.
pub(crate) fn accepted() -> Notice {
    say(text!("accepted"))
}

/// The short form of the privacy notice, shown before the first model call.
pub(crate) fn first_notice(notice: &Text) -> Notice {
    say(notice)
}

/// What is stored, who sees it, how to have it erased: in one sentence each.
#[must_use]
pub fn privacy_notice(providers: &Text, contact: &str) -> Text {
    text!("privacy-notice", providers = providers, contact = contact)
}

/// `/privacy`.
pub(crate) fn privacy(providers: &Text, contact: &str) -> Notice {
    say(text!("privacy", providers = providers, contact = contact))
}

/// Who gets people's text, for the privacy notice: names of hosts, and `None` for a model in this process.
#[must_use]
pub fn providers(hosts: &[Option<String>]) -> Text {
    let name = |it: &Option<String>| match it {
        Some(host) => Text::from(host),
        None => text!("provider-local"),
    };
    let names = hosts.iter().map(name);
    let either = |one: Text, other: Text| text!("either", one = one, other = other);
    names.reduce(either).unwrap_or_else(|| text!("provider-none"))
}

/// `/export` or `/forget` where others read along.
pub(crate) fn only_in_private() -> Notice {
    say(text!("only-in-private"))
}

/// `/forget`: what will go, and a button that confirms.
pub(crate) fn forget_offer(data: String) -> Notice {
    Notice::with(text!("forget-offer"), vec![vec![(text!("forget-button"), data)]])
}

/// A person was forgotten.
pub(crate) fn forgotten(receipt: &str) -> Notice {
    say(Text::Joined(vec![text!("forgotten"), receipt.into()], "\n\n"))
}

/// `/export` is done.
pub(crate) fn exported() -> Notice {
    say(text!("exported"))
}

/// There is too much for a chat.
pub(crate) fn too_much_to_export() -> Notice {
    say(text!("too-much-to-export"))
}

/// `/agents`: a keyboard to choose from.
pub(crate) fn agents(all: &[&Agent], current: Option<&AgentName>) -> Notice {
    if all.is_empty() {
        return nobody_here();
    }
    let (mut lines, mut buttons) = (Vec::new(), Vec::new());
    for agent in all {
        let mut line = vec![Text::from(format!("• {}", agent.name))];
        if agent.paused {
            line.extend([" ".into(), text!("agent-rests")]);
        }
        if !agent.description.is_empty() {
            line.push(format!(": {}", agent.description).into());
        }
        if Some(&agent.name) == current {
            line.extend([" ".into(), text!("agent-here")]);
        }
        lines.push(Text::concat(line));
        if !agent.paused && Some(&agent.name) != current {
            let label = text!("talk-to", agent = &agent.name);
            buttons.push(vec![(label, format!("ag:{}", agent.name))]);
        }
    }
    // Telegram takes at most 100 buttons; a screen of twelve is what a person reads.
    buttons.truncate(12);
    let text = Text::Joined(vec![text!("agents-head"), Text::lines(lines)], "\n\n");
    Notice::with(text, buttons)
}

/// The person now talks to another agent.
pub(crate) fn switched(agent: &Agent) -> Notice {
    say(text!("switched", agent = &agent.name, about = about(agent)))
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
    say(text!("no-such-agent", name = name))
}

/// The agent rests.
pub(crate) fn agent_paused(name: &AgentName) -> Notice {
    say(text!("agent-paused", agent = name))
}

/// No agent at all.
pub(crate) fn nobody_here() -> Notice {
    say(text!("nobody-here"))
}

/// `/new`.
pub(crate) fn fresh(agent: &AgentName) -> Notice {
    say(text!("fresh", agent = agent))
}

/// `/cancel` with something to stop.
pub(crate) fn stopped() -> Notice {
    say(text!("stopped"))
}

/// `/cancel` with nothing to stop.
pub(crate) fn nothing_to_stop() -> Notice {
    say(text!("nothing-to-stop"))
}

/// `/retry` with nothing asked before.
pub(crate) fn nothing_to_retry() -> Notice {
    say(text!("nothing-to-retry"))
}

/// A command that does not exist, or not for this person.
pub(crate) fn unknown_command() -> Notice {
    say(text!("unknown-command"))
}

/// A command with missing or wrong words.
pub(crate) fn usage(name: &str, usage: &'static str, why: impl Into<Text>) -> Notice {
    let why: Text = why.into();
    let words = MENU.iter().find(|it| it.name == name && it.usage == usage);
    let words = words.map_or_else(|| usage.into(), |it| it.usage());
    let command = Text::concat(vec![format!("/{name} ").into(), words]);
    let how = text!("usage", command = command);
    say(if why.is_empty() { how } else { Text::lines(vec![why, how]) })
}

/// The guard refused what the person wrote. Teaches nothing to an attacker.
pub(crate) fn refused_prompt() -> Notice {
    say(text!("refused-prompt"))
}

/// The guard refused what the model wrote.
pub(crate) fn refused_draft(reference: RefId) -> Notice {
    say(text!("refused-draft", reference = reference))
}

/// No model answered.
pub(crate) fn apology(reference: RefId) -> Notice {
    say(text!("apology", reference = reference))
}

/// It took too long.
pub(crate) fn too_slow(reference: RefId) -> Notice {
    say(text!("too-slow", reference = reference))
}

/// Everything is busy.
pub(crate) fn busy(reference: RefId) -> Notice {
    say(text!("busy", reference = reference))
}

/// Handling the message failed again and again.
pub(crate) fn quarantined(reference: RefId) -> Notice {
    say(text!("quarantined", reference = reference))
}

/// Too many messages wait in one conversation.
pub(crate) fn one_at_a_time() -> Notice {
    say(text!("one-at-a-time"))
}

/// The sender is not on the allowlist. Shown once an hour at most.
pub(crate) fn stranger(person: PersonId) -> Notice {
    say(text!("stranger", person = person.to_string()))
}

/// The sender writes too fast. Shown once.
pub(crate) fn slow_down() -> Notice {
    say(text!("slow-down"))
}

/// The sender keeps flooding. Shown once.
pub(crate) fn ignored_for(minutes: u64) -> Notice {
    say(text!("ignored-for", minutes = minutes))
}

/// An admin command was carried out.
pub(crate) fn done(what: impl Into<Text>) -> Notice {
    say(Text::concat(vec!["✅ ".into(), what.into()]))
}

/// An admin command could not be carried out.
pub(crate) fn not_done(why: impl Into<Text>) -> Notice {
    say(Text::concat(vec!["⚠️ ".into(), why.into()]))
}

/// `/rule`: the rules that admins gave, and how far each has come.
pub(crate) fn own_rules(rules: &OwnRules) -> Notice {
    let (mut lines, mut length) = (Vec::new(), 0);
    for (rule, left_out) in rules.each() {
        let action = screening::Verdict::from(rule.action).as_str();
        let pattern: String = rule.pattern.chars().take(60).collect();
        let dots = if pattern.len() < rule.pattern.len() { "…" } else { "" };
        let line = match left_out {
            None => {
                let mode = rule.mode.as_str();
                format!("• {} ({mode}, {action}): {pattern}{dots}", rule.name).into()
            }
            Some(why) => {
                let why: String = why.chars().take(200).collect();
                text!("rule-left-out", rule = &rule.name, why = why)
            }
        };
        length += line.len() + 1;
        if LIST_CHARS_MAX < length {
            lines.push(text!("list-more"));
            break;
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(text!("rules-none"));
    }
    let parts = vec![text!("rules-head"), Text::lines(lines), text!("rules-foot")];
    say(Text::Joined(parts, "\n\n"))
}

/// `/status`, already put into words.
pub(crate) fn status(text: Text) -> Notice {
    say(text)
}
