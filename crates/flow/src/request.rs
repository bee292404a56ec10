//! What a person wants, read from what they did. Pure; knows every command.
//!
//! Rights are decided here and nowhere else: a command that the person may not use is the same as
//! one that does not exist. REQUEST-1: the two answers are equal to the last letter.

mod alerts;
mod arrange;
mod aside;
mod bots;
mod bound;
mod desk;
mod files;
mod language;
mod officers;
mod own;
mod panel;
mod papers;
mod playbooks;
mod quota;
mod remember;
mod rule;
mod schedule;
mod tools;

use protocol::{
    Agent, AgentName, ChatId, Language, Languages, PersonId, SessionKey, Timestamp,
    inbound::{Command, Inbound, Person, Pressed, Replied, Said},
    memory::FactId,
};

pub(crate) use self::files::is_picture;
pub use self::{
    alerts::span,
    arrange::{Arrangement, Secret},
    desk::Errand,
    officers::Look,
    panel::{PanelPress, Step, Want},
    tools::Decision,
};
pub(crate) use self::{
    arrange::withdraw_button,
    aside::is_own_matter,
    officers::{attempted, older_button},
    panel::minute as panel_minute,
    remember::button as forget_button,
    schedule::{cancel_button, unschedule_button},
    tools::button as decision_button,
};
use crate::{
    alarm, alerter,
    guard::Prompt,
    right::{Governing, Granted, Operating, Order, Owning, Role},
    roster::{Standing, View},
    senses::Abilities,
    session::PaperWish,
    timekeeper,
    treasurer::time::Calendar,
    words::{self, Notice, Text},
};

/// A command as help and menu show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// Without the slash.
    pub name: &'static str,
    /// What to write after it.
    pub usage: &'static str,
    /// What it does.
    pub does: &'static str,
    /// The least role that may use it; `None`: everybody who may talk.
    pub needs: Option<Role>,
}

/// Commands that choose among agents: a bot that is one agent's own has none of them.
const CHOOSING: [&str; 3] = ["agents", "agent", "ask"];

impl MenuItem {
    /// What it does, in any language.
    #[must_use]
    pub fn does(&self) -> Text {
        Text::known(format!("cmd-{}", self.name), self.does)
    }

    /// What to write after it, in any language.
    #[must_use]
    pub fn usage(&self) -> Text {
        match self.usage {
            "" => Text::default(),
            usage => Text::known(format!("cmd-{}.usage", self.name), usage),
        }
    }

    /// True if it is for choosing among agents.
    #[must_use]
    pub fn chooses(&self) -> bool {
        CHOOSING.contains(&self.name)
    }

    /// True if it is about whoever gives it, and nobody else in a group shall see that.
    #[must_use]
    pub fn is_own_matter(&self) -> bool {
        self.needs.is_some() || aside::OWN.contains(&self.name)
    }

    /// True if somebody with this role may use it.
    #[must_use]
    pub fn is_for(&self, role: Option<Role>) -> bool {
        self.needs <= role
    }
}

const fn item(name: &'static str, usage: &'static str, does: &'static str) -> MenuItem {
    MenuItem { name, usage, does, needs: None }
}

const fn admin(name: &'static str, usage: &'static str, does: &'static str) -> MenuItem {
    MenuItem { name, usage, does, needs: Some(Role::Admin) }
}

const fn of(role: Role, it: MenuItem) -> MenuItem {
    MenuItem { needs: Some(role), ..it }
}

/// Every command, in the order of the menu.
pub const MENU: &[MenuItem] = &[
    item("start", "", "begin here"),
    item("agents", "", "see who is here and choose"),
    item("agent", "<name>", "talk to another agent"),
    item("ask", "<name> <text>", "ask an agent once, without switching"),
    item("panel", "<question>", "ask several agents at once, and see where they differ"),
    item("new", "", "begin a fresh conversation"),
    item("cancel", "", "stop the answer being written"),
    item("retry", "", "ask the last question again"),
    item("trace", "", "as a reply to an answer: how it came about"),
    item("remember", "<text>", "remember something about you"),
    item("memory", "", "see what is remembered, and delete it"),
    item("files", "", "see which of your files I keep, and delete them"),
    item("remind", "<when> <what>", "be reminded, once or again and again"),
    item("reminders", "", "see what you will be reminded of"),
    item("usage", "", "see what you used, and what is left"),
    item("status", "", "see whether all is well"),
    item("language", "[<language>]", "choose the language I speak"),
    item("privacy", "", "what is stored, and for what"),
    item("export", "", "get everything that is kept about you"),
    item("forget", "", "have everything about you erased"),
    item("help", "", "show this list"),
    admin("spawn", "<name> <instructions>", "bring in an agent"),
    admin("edit", "<name> <instructions>", "give an agent other instructions"),
    admin("model", "<name> <model>", "let an agent use another model"),
    admin("schedule", "<name> <when> here|<chat> <text>", "ask an agent something at set times"),
    admin("schedules", "", "see what agents are asked at set times"),
    of(Role::Operator, item("pause", "<name>", "let an agent rest")),
    of(Role::Operator, item("resume", "<name>", "wake an agent")),
    admin("retire", "<name>", "let an agent go"),
    admin("invite", "[<hours>]", "make a link that lets one person in"),
    admin("invites", "", "see the links that are open, and withdraw them"),
    admin("allow", "<id>", "let a person or group talk"),
    admin("deny", "<id>", "take a person or group off the list"),
    admin("block", "<id> [minutes]", "ignore a person or group"),
    admin("unblock", "<id>", "end a block"),
    admin(
        "quota",
        "[<id> | <agent> | hall] [<amount> | none | usual] [tokens | money] [day | month]",
        "see and set how much may be used of models",
    ),
    admin(
        "rule",
        "add <name> <action> <pattern> | test <name> [days] | shadow <name> | enforce <name> | \
         remove <name> | alarms | unmark <ref>",
        "see and change the guard's rules",
    ),
    of(Role::Operator, item("alerts", "", "see what is wrong, and who was told")),
    of(
        Role::Operator,
        item("silence", "<kind> <time>", "be told nothing of a kind of alert for a time"),
    ),
    of(
        Role::Operator,
        item(
            "playbooks",
            "[undo <number> | keep <number> | yes <number> | no <number> | close <number>]",
            "what the hall did by itself, and undo it",
        ),
    ),
    of(Role::Auditor, item("incidents", "[ack <number> | close <number>]", "what needs a look")),
    of(Role::Auditor, item("incident", "<number>", "one incident, with what was noted of it")),
    of(
        Role::Operator,
        item("quarantine", "[retry <ref> | drop <ref>]", "what was set aside, and put it back"),
    ),
    of(Role::Operator, item("backup", "[list]", "make a backup now")),
    admin("report", "<standard>", "hold the hall against a standard"),
    of(Role::Auditor, item("audit", "[number]", "what officers did, newest first")),
    of(Role::Owner, item("role", "give <id> <role> | take <id>", "see, give and take roles")),
];

/// What is to be done about an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Nothing.
    Ignore,
    /// Ask an agent: the named one, or whoever the person talks to.
    Ask(Option<AgentName>, Prompt),
    /// Ask several agents, and have it summed up.
    Convene(Prompt),
    /// Ask the last question again.
    Retry,
    /// This person agrees to the privacy notice.
    Accept(PersonId),
    /// This person says whether a tool may be called.
    Decide(Decision, PersonId),
    /// Greet.
    Greet {
        /// What the person is called.
        first_name: String,
    },
    /// Talk to another agent from now on.
    Switch(AgentName),
    /// Speak this language in this chat from now on; none: that of each person's app.
    Speak(Option<Language>),
    /// Begin a fresh conversation.
    Fresh,
    /// Stop the answer being written.
    Cancel,
    /// Answer with a fixed text.
    Say(Notice),
    /// List the agents.
    ListAgents,
    /// Say whether all is well.
    Status {
        /// With every actor's state.
        in_full: bool,
    },
    /// Show the panel: whether all is well, with buttons.
    Panel(Granted<Operating>),
    /// An officer pressed a button of the panel.
    PressPanel(PanelPress),
    /// Say what was used of models.
    Usage(UsageOf),
    /// Say how an answer came about.
    Trace {
        /// The message that the person answered with it; without one, the last answer.
        replied: Option<Replied>,
        /// Who wants to know.
        person: Option<PersonId>,
        /// With all that the guard said.
        in_full: bool,
    },
    /// Remember something.
    Remember {
        /// What.
        text: String,
        /// Who said so.
        by: PersonId,
    },
    /// List what is remembered.
    ListMemory {
        /// Who wants to see it.
        by: PersonId,
    },
    /// Forget a fact.
    ForgetFact {
        /// Which.
        fact: FactId,
        /// Who wants it forgotten.
        by: PersonId,
        /// True if they may have forgotten what others told.
        is_admin: bool,
    },
    /// See or delete what the person has brought to be read.
    Papers(PaperWish),
    /// See or change what is to be done when.
    Timetable(timekeeper::Order),
    /// List the rules that admins gave.
    ListRules(Granted<Governing>),
    /// Try a rule on the past.
    TryRule {
        /// Which.
        name: String,
        /// How many days of it.
        days: u32,
        /// Who.
        by: Granted<Governing>,
    },
    /// List what is marked as a false alarm.
    ListAlarms(Granted<Governing>),
    /// List who has which role.
    ListRoles(Granted<Owning>),
    /// Look at what happened, or say that it is seen to.
    Look(Look),
    /// An agent with a bot of its own, or a link that lets somebody in.
    Arrange(Arrangement),
    /// An admin pressed a button under a refusal.
    Judge {
        /// What for.
        ask: alarm::Ask,
        /// Which refusal.
        at: alarm::Pointer,
        /// Who.
        by: Granted<Governing>,
    },
    /// An officer wants something of the alerter.
    Alerts(alerter::Order, Granted<Operating>),
    /// Somebody pressed an officer's button. Nothing is done or said about it, and it is logged.
    PressDenied(PersonId),
    /// Send a person everything that is held of them.
    Export(PersonId),
    /// Erase everything that is held of a person.
    Forget(PersonId),
    /// Change the hall.
    Administer {
        /// What, with the proof that they may.
        order: Order,
        /// What to say when it is done.
        done: Text,
    },
    /// The person tried an officer's command without being one. Answered like an unknown command.
    Denied {
        /// Which, from the closed list of commands.
        command: &'static str,
        /// Who, if anybody.
        person: Option<PersonId>,
    },
}

impl Request {
    /// True if it was turned down and is logged when it is answered.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::PressDenied(_))
    }

    /// True for a question to an agent.
    #[must_use]
    pub fn asks(&self) -> bool {
        matches!(self, Self::Ask(..) | Self::Convene(_) | Self::Retry)
    }

    /// True for what is answered in the order of the conversation. The rest is answered at once,
    /// also while an agent is busy.
    #[must_use]
    pub fn takes_its_turn(&self) -> bool {
        match self {
            Self::Ask(..)
            | Self::Convene(_)
            | Self::Retry
            | Self::Accept(_)
            | Self::Decide(..)
            | Self::Greet { .. }
            | Self::Switch(_)
            | Self::Speak(_)
            | Self::Fresh
            | Self::Remember { .. } => true,
            Self::Ignore
            | Self::Cancel
            | Self::Say(_)
            | Self::ListAgents
            | Self::Status { .. }
            | Self::Panel(_)
            | Self::PressPanel(_)
            | Self::Usage(_)
            | Self::Trace { .. }
            | Self::ListMemory { .. }
            | Self::ForgetFact { .. }
            | Self::Papers(_)
            | Self::Timetable(_)
            | Self::ListRules(_)
            | Self::ListAlarms(_)
            | Self::ListRoles(_)
            | Self::Look(_)
            | Self::Arrange(_)
            | Self::Judge { .. }
            | Self::PressDenied(_)
            | Self::Alerts(..)
            | Self::TryRule { .. }
            | Self::Export(_)
            | Self::Forget(_)
            | Self::Administer { .. }
            | Self::Denied { .. } => false,
        }
    }
}

/// Whose usage of models is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageOf {
    /// A person's own.
    Person(PersonId),
    /// The whole hall's, with its people as keyed hashes.
    Everybody(Granted<Governing>),
}

/// What the fixed answers need to know about this installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct House {
    /// Who answers, in words for the privacy notice, e.g. "OpenAI (api.openai.com)".
    pub providers: Text,
    /// The languages that are spoken here.
    pub languages: Languages,
    /// How to reach whoever runs the hall, e.g. " (mail@example.org)", or nothing.
    pub contact: String,
    /// People must agree to the privacy notice before a model sees what they write.
    pub must_accept: bool,
    /// The calendar of the hall's time zone.
    pub calendar: Calendar,
    /// What it can make of files.
    pub abilities: Abilities,
}

/// Reads what a person wants.
#[must_use]
pub fn interpret(
    inbound: &Inbound,
    key: SessionKey,
    view: &View,
    house: &House,
    now: Timestamp,
) -> Request {
    let request = meant(inbound, key, view, house, now);
    bound::within(request, key, view)
}

fn meant(
    inbound: &Inbound,
    key: SessionKey,
    view: &View,
    house: &House,
    now: Timestamp,
) -> Request {
    match inbound {
        Inbound::Said(said) => of_message(said, key, view, house, now),
        Inbound::Edited(said) => of_edited(said, key, view, house, now),
        Inbound::Pressed(pressed) => of_press(pressed, key, view, house, now),
        Inbound::StopRequested { .. } => Request::Cancel,
        Inbound::Due(due) => schedule::of_due(due, key, view, now),
        Inbound::BotMade { owner, bot, username } => {
            arrange::of_bot_made(owner, (*bot, username), view)
        }
        Inbound::Membership { .. } | Inbound::Nothing => Request::Ignore,
    }
}

fn of_message(said: &Said, key: SessionKey, view: &View, house: &House, now: Timestamp) -> Request {
    // Rights may have changed between arrival and now.
    match view.standing(said.person.as_ref().map(|it| it.id), key.chat, now) {
        Standing::Stranger => return arrange::of_stranger(said, view, now),
        Standing::Blocked => return Request::Ignore,
        Standing::Admin | Standing::Guest => (),
    }
    if !said.addressed {
        return Request::Ignore;
    }
    if said.company.by_bot {
        return bots::of_bot(said, house);
    }
    if let Some(command) = &said.command {
        let request = of_command(command, said, view, house, now);
        return files::with_file(request, said, house);
    }
    if said.text.trim().is_empty() {
        return files::without_words(said, house);
    }
    // What somebody else wrote tells nothing about who passes it on.
    let own = said.forwarded_from.is_none();
    if let (Some(text), Some(person), true) = (remember::told(&said.text), &said.person, own) {
        return Request::Remember { text: text.to_owned(), by: person.id };
    }
    files::with_file(Request::Ask(None, prompt_of(&said.text, said)), said, house)
}

/// What is written anew can be a question anew, and nothing else: no command, no order, no fact.
fn of_edited(said: &Said, key: SessionKey, view: &View, house: &House, now: Timestamp) -> Request {
    let is_order = said.command.is_some() || said.text.trim_start().starts_with('/');
    // Bots write their answers by editing them.
    if is_order || said.company.by_bot {
        return Request::Ignore;
    }
    let meant = of_message(said, key, view, house, now);
    if matches!(meant, Request::Ask(None, _)) { meant } else { Request::Ignore }
}

/// A question with everything that came with it.
fn prompt_of(text: &str, said: &Said) -> Prompt {
    Prompt {
        text: text.to_owned(),
        quoted: said.quoted.clone(),
        forwarded_from: said.forwarded_from.clone(),
        beside: said.beside.clone(),
        file: None,
        more: None,
    }
}

/// What a piece of an album adds to the question that it belongs to: its file, if anything can be made of that.
pub(crate) fn piece_of(said: &Said, house: &House) -> Prompt {
    if let Request::Ask(_, prompt) = files::without_words(said, house) {
        return prompt;
    }
    Prompt::default()
}

fn of_press(
    pressed: &Pressed,
    key: SessionKey,
    view: &View,
    house: &House,
    now: Timestamp,
) -> Request {
    match view.standing(Some(pressed.person.id), key.chat, now) {
        Standing::Stranger | Standing::Blocked => return Request::Ignore,
        Standing::Admin | Standing::Guest => (),
    }
    let (data, whose) = words::chosen::read(&pressed.data);
    if whose.is_some_and(|it| it != pressed.person.id) {
        return Request::Ignore;
    }
    if let Some(name) = data.strip_prefix("ag:").and_then(|it| it.parse().ok()) {
        return Request::Switch(name);
    }
    if pressed.data == words::ACCEPT {
        return Request::Accept(pressed.person.id);
    }
    if let Some(decision) = tools::pressed(&pressed.data) {
        return Request::Decide(decision, pressed.person.id);
    }
    if let Some((ask, at)) = alarm::Ask::read(&pressed.data) {
        let by = pressed.person.id;
        return match view.grant(by).filter(|_| pressed.private) {
            Some(by) => Request::Judge { ask, at, by },
            None => Request::PressDenied(by),
        };
    }
    if let Some(before) = officers::pressed(&pressed.data) {
        let by = pressed.person.id;
        return match view.grant(by).filter(|_| pressed.private) {
            Some(by) => Request::Look(Look::Audit { before, by }),
            None => Request::PressDenied(by),
        };
    }
    if let Some(request) = alerts::of_press(pressed, view) {
        return request;
    }
    if let Some(request) = panel::of_press(pressed, view, now) {
        return request;
    }
    if let Some(request) = playbooks::of_press(pressed, view) {
        return request;
    }
    if let Some(request) = arrange::of_press(pressed, view) {
        return request;
    }
    if let Some(request) = desk::of_press(pressed, view) {
        return request;
    }
    if let Some(request) = schedule::of_press(pressed, view) {
        return request;
    }
    if let Some(asked) = pressed.data.strip_prefix(own::FORGET) {
        return own::of_press(asked, pressed, now);
    }
    if let Some(fact) = remember::pressed(&pressed.data, pressed.person.id) {
        let is_admin = view.is_admin(pressed.person.id);
        return match fact {
            Some(fact) => Request::ForgetFact { fact, by: pressed.person.id, is_admin },
            None => Request::Say(words::fact_of_another()),
        };
    }
    if let Some(request) = papers::of_press(pressed) {
        return request;
    }
    if let Some(request) = language::of_press(pressed, view, house) {
        return request;
    }
    match words::pressed_example(data, view) {
        Some((agent, text)) => Request::Ask(agent, Prompt { text, ..Prompt::default() }),
        None => Request::Ignore,
    }
}

fn of_command(
    command: &Command,
    said: &Said,
    view: &View,
    house: &House,
    now: Timestamp,
) -> Request {
    let person = said.person.as_ref();
    let by = person.map(|it| it.id);
    let role = by.and_then(|it| view.role(it));
    let arguments = command.arguments.as_str();
    let known = MENU.iter().find(|it| it.name == command.name);
    if let Some(item) = known.filter(|it| it.needs.is_some()) {
        let meant = by
            .filter(|_| item.is_for(role))
            .and_then(|by| officers::of_command(item, (arguments, said.private), (by, view), now));
        return meant.unwrap_or(Request::Denied { command: item.name, person: by });
    }
    match command.name.as_str() {
        "start" => match arguments.strip_prefix(ASK_LINK).and_then(|it| it.parse().ok()) {
            Some(name) => Request::Switch(name),
            None => Request::Greet { first_name: first_name(person) },
        },
        "help" | "settings" => {
            let about = words::help_about(arguments, role);
            Request::Say(about.unwrap_or_else(|| words::help(role)))
        }
        "privacy" => Request::Say(words::privacy(&house.providers, &house.contact)),
        "export" | "forget" => own::of_command(command, said, now),
        "language" => language::of_command(arguments, said, view, house),
        "agents" => Request::ListAgents,
        "agent" => match arguments.parse() {
            Ok(name) => Request::Switch(name),
            Err(_) if arguments.is_empty() => Request::ListAgents,
            Err(_) => Request::Say(words::no_such_agent(arguments)),
        },
        "ask" => of_ask(arguments, said),
        "panel" if arguments.is_empty() => Request::Say(words::usage("panel", "<question>", "")),
        "panel" => Request::Convene(prompt_of(arguments, said)),
        "new" | "reset" => Request::Fresh,
        "cancel" | "stop" => Request::Cancel,
        "retry" => Request::Retry,
        "remember" | "memory" => remember::of_command(&command.name, arguments, person),
        "files" => papers::of_command(person),
        "remind" | "reminders" => schedule::of_command(&command.name, arguments, person),
        "usage" => quota::of_usage(arguments, said, view),
        "status" => match by.and_then(|it| view.grant(it)).filter(|_| said.private) {
            Some(by) => Request::Panel(by),
            None => Request::Status { in_full: role.is_some() },
        },
        "trace" => Request::Trace {
            replied: said.replied,
            person: person.map(|it| it.id),
            // In a group everybody reads along.
            in_full: Some(Role::Admin) <= role && said.private,
        },
        _ => Request::Say(words::unknown_command()),
    }
}

/// What `t.me/<bot>?start=…` carries where it leads to an agent.
const ASK_LINK: &str = "ask_";

fn first_name(person: Option<&Person>) -> String {
    person.map(|it| it.first_name.clone()).unwrap_or_default()
}

fn of_ask(arguments: &str, said: &Said) -> Request {
    let (name, text) = split_word(arguments);
    match name.parse::<AgentName>() {
        Ok(name) if !text.is_empty() => Request::Ask(Some(name), prompt_of(text, said)),
        Ok(_) | Err(_) => Request::Say(words::usage("ask", "<name> <text>", "")),
    }
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim())
}

/// Who a person talks to: the one they chose, if it is still here, or the one who greets.
#[must_use]
pub fn current_agent<'v>(
    chosen: Option<&AgentName>,
    key: SessionKey,
    view: &'v View,
) -> Option<&'v std::sync::Arc<Agent>> {
    // BOUND-1: what was chosen before the bot was bound does not count.
    let chosen = chosen.filter(|_| view.bound(key.bot).is_none());
    chosen.and_then(|it| view.agent(it)).or_else(|| view.greeter(key.bot))
}

/// The chat that messages of a session go to now.
#[must_use]
pub fn destination(key: SessionKey, view: &View) -> ChatId {
    view.destination(key.chat)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::roster::{Change, Founding};
    use protocol::{BotId, MessageId};

    const ADMIN: PersonId = PersonId(1);
    const GUEST: PersonId = PersonId(2);
    const KEY: SessionKey = SessionKey { bot: BotId(9), chat: ChatId(2), topic: None };

    fn view() -> View {
        let founding = Founding {
            roles: [(ADMIN, Role::Admin)].into(),
            allowed: [GUEST.0].into(),
            ..Founding::default()
        };
        View::founded(&founding, Arc::from([]))
    }

    fn said(person: Option<PersonId>, text: &str) -> Said {
        let person = person.map(|id| Person { id, first_name: "Ada".to_owned(), language: None });
        let command = text.strip_prefix('/').map(|it| {
            let (name, arguments) = split_word(it);
            Command { name: name.to_owned(), arguments: arguments.to_owned() }
        });
        Said {
            person,
            message: MessageId(1),
            private: true,
            addressed: true,
            text: text.to_owned(),
            command,
            quoted: None,
            replied: None,
            forwarded_from: None,
            beside: Vec::new(),
            attachment: None,
            album: None,
            written: Timestamp(0),
            replied_file: None,
            company: Default::default(),
        }
    }

    fn read(person: Option<PersonId>, text: &str) -> Request {
        let inbound = Inbound::Said(said(person, text));
        interpret(&inbound, KEY, &view(), &House::default(), Timestamp(1_000))
    }

    #[test]
    fn every_admin_command_is_denied_to_everybody_else() {
        for item in MENU.iter().filter(|it| it.needs.is_some()) {
            let text = format!("/{} sage 1", item.name);
            for person in [Some(GUEST), None] {
                // A message of nobody only comes in through an allowed group.
                let mut view = view();
                if person.is_none() {
                    view = View::founded(
                        &Founding { allowed: [KEY.chat.0].into(), ..Founding::default() },
                        Arc::from([]),
                    );
                }
                let inbound = Inbound::Said(said(person, &text));
                let read = interpret(&inbound, KEY, &view, &House::default(), Timestamp(0));
                assert_eq!(read, Request::Denied { command: item.name, person }, "{text}");
            }
        }
    }

    #[test]
    fn admin_commands_become_changes() {
        let sage: AgentName = "sage".parse().unwrap();
        let Request::Administer { order, .. } = read(Some(ADMIN), "/spawn sage Be\nwise.") else {
            panic!("not administered")
        };
        assert_eq!(order.by(), ADMIN);
        assert_eq!(
            *order.change(),
            Change::Spawned { name: sage, instructions: "Be\nwise.".to_owned() },
            "line breaks in instructions are kept"
        );
        let Request::Administer { order, .. } = read(Some(ADMIN), "/block 5 10") else {
            panic!("not administered")
        };
        assert_eq!(*order.change(), Change::Blocked { id: 5, until: Some(Timestamp(601_000)) });
    }

    #[test]
    fn malformed_commands_are_answered_with_how_to_use_them() {
        let bad = ["/spawn", "/spawn X y", "/allow bob", "/block 5 soon", "/block 5 0", "/model a"];
        for text in bad {
            let Request::Say(notice) = read(Some(ADMIN), text) else { panic!("{text}") };
            assert!(notice.part().plain.contains("Use it like this"), "{text}: {notice:?}");
        }
        assert!(matches!(read(Some(GUEST), "/ask sage"), Request::Say(_)));
    }

    #[test]
    fn a_link_leads_to_the_agent_that_it_names_and_any_other_to_the_greeting() {
        let start = |payload: &str| read(Some(GUEST), &format!("/start {payload}"));
        assert_eq!(start("ask_sage"), Request::Switch("sage".parse().unwrap()));
        for payload in ["", "ask_", "ask_../x", "sage", "inv_1"] {
            let greeted = matches!(start(payload), Request::Greet { .. });
            assert!(greeted, "{payload}");
        }
    }

    #[test]
    fn strangers_and_unaddressed_messages_are_ignored() {
        assert_eq!(
            read(Some(PersonId(77)), "hi"),
            Request::Ask(None, Prompt { text: "hi".to_owned(), ..Prompt::default() },),
            "the chat itself is on the list"
        );
        let inbound = Inbound::Said(said(Some(PersonId(77)), "hi"));
        let key = SessionKey { chat: ChatId(77), ..KEY };
        let read = interpret(&inbound, key, &view(), &House::default(), Timestamp(0));
        assert_eq!(read, Request::Ignore);
        let mut quiet = said(Some(GUEST), "hi");
        quiet.addressed = false;
        let inbound = Inbound::Said(quiet);
        let read = interpret(&inbound, KEY, &view(), &House::default(), Timestamp(0));
        assert_eq!(read, Request::Ignore);
    }

    #[test]
    fn buttons_carry_only_what_we_put_there() {
        let press = |data: &str| {
            let person = Person { id: GUEST, first_name: String::new(), language: None };
            let pressed = Pressed {
                person,
                query: "q".to_owned(),
                data: data.to_owned(),
                private: true,
                message: None,
            };
            of_press(&pressed, KEY, &view(), &House::default(), Timestamp(0))
        };
        assert_eq!(press("ag:sage"), Request::Switch("sage".parse().unwrap()));
        assert!(matches!(press("ex:1"), Request::Ask(None, _)));
        let Request::Ask(None, prompt) = press("ex:1:de") else { panic!("not asked") };
        assert!(prompt.text.contains("Himmel"), "in the language of the button: {}", prompt.text);
        for forged in [
            "ag:../x",
            "ag:",
            "admin:1",
            "",
            "ex:9",
            "ex:0",
            "ex:1:xx",
            "ex:sage:1:en",
            "lang:",
            "lang:xx",
        ] {
            assert_eq!(press(forged), Request::Ignore, "{forged}");
        }
    }
}
