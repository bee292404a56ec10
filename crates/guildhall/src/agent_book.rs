//! The agents of the hall as an operator sees and changes them: asked of the hall that runs over its console; a ledger
//! that nobody holds is opened here.
//!
//! Invariants: AGENTS-1 a change stands in the audit log before it is made. AGENTS-2 what is exported is read back as
//! `hall.agents_dir` reads it, and is the same agent, or nothing is handed out.

use std::{sync::Arc, time::Duration};

use flow::{
    right::{CONSOLE, Order},
    roster::{self, Change, View},
    tree::Doors,
};
use kit::ask;
use protocol::{
    Agent, Clock as _,
    audit::Doer,
    ledger::{Append, Ledger as _, Owned, Stream},
};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::{
    agents,
    ask_console::{self, ErrandError},
    audit,
    build::{self, BuildError},
    config::Loaded,
    person,
    run::{SystemClock, store_folder},
};

/// Where the console takes these questions.
const PATH: &str = "/agents";
/// How long the hall may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// What is asked of the hall that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// Who is there.
    List,
    /// Somebody is to be brought in, changed or let go.
    Change {
        /// How.
        change: Change,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentsError {
    /// The ledger cannot be opened, or the hall that holds it does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// The change cannot be made.
    #[error("{0}")]
    Refused(String),
}

fn unavailable(why: impl ToString) -> AgentsError {
    AgentsError::Unavailable(why.to_string())
}

fn in_words(error: &(dyn std::error::Error + 'static)) -> AgentsError {
    AgentsError::Unavailable(BuildError::of(error).to_string())
}

/// True for what an operator may do with agents here. Nothing else of the hall is changed so.
fn is_of_agents(change: &Change) -> bool {
    match change {
        Change::Spawned { .. }
        | Change::Edited { .. }
        | Change::ModelSet { .. }
        | Change::Retired { .. } => true,
        Change::Paused { .. }
        | Change::Resumed { .. }
        | Change::Allowed { .. }
        | Change::Denied { .. }
        | Change::Blocked { .. }
        | Change::Unblocked { .. }
        | Change::Migrated { .. }
        | Change::RoleGiven { .. }
        | Change::RoleTaken { .. }
        | Change::Ruled(_)
        | Change::Invited(_)
        | Change::Bots(_)
        | Change::Alarmed(_)
        | Change::Aside(_)
        | Change::QuotaSet { .. }
        | Change::Played(_) => false,
    }
}

/// The answer of the hall that runs, as JSON. The roster notes what it changes. AGENTS-1.
///
/// # Errors
/// Why there is none, in words.
pub(crate) async fn answer(
    hall: roster::Shared,
    doors: Doors,
    question: &[u8],
) -> Result<String, String> {
    let question: Question =
        serde_json::from_slice(question).map_err(|error| format!("no question: {error}"))?;
    // Before it has read its stream the hall does not know who is there.
    let roster = doors.roster().ok_or("the hall is still starting")?;
    match question {
        Question::List => {
            let view = hall.load();
            let agents: Vec<&Agent> = view.agents().collect();
            serde_json::to_string(&agents).map_err(|error| error.to_string())
        }
        Question::Change { change } if is_of_agents(&change) => {
            let order = Order::by_operator(change);
            let changed = ask(&roster, |reply| roster::Msg::Administer { order, reply }).await;
            let changed = changed.map_err(|error| format!("the roster is away: {error}"))?;
            changed.map_err(|why| why.to_string())?;
            Ok("\"done\"".to_owned())
        }
        Question::Change { .. } => Err("that is no change of an agent".to_owned()),
    }
}

/// Who is there: by the configuration and what officers and operators have changed of it.
///
/// # Errors
/// Why it cannot be said.
pub fn all(loaded: &Loaded) -> Result<Vec<Agent>, AgentsError> {
    if !store_folder(&loaded.config).exists() {
        // Nobody has changed anything yet.
        return agents::load(&loaded.config.hall.agents_dir).map_err(|it| in_words(&it));
    }
    let Some(store) = person::open(loaded).map_err(unavailable)? else {
        let answer = errand(loaded, &Question::List)?;
        return serde_json::from_str(&answer).map_err(unavailable);
    };
    let read = kit::block_on(view(loaded, &store));
    store.close().map_err(|it| in_words(&it))?;
    Ok(read?.0.agents().cloned().collect())
}

/// Makes a change: by the hall that runs, or here.
///
/// # Errors
/// Why it was not made.
pub fn change(loaded: &Loaded, change: Change) -> Result<(), AgentsError> {
    let Some(store) = person::open(loaded).map_err(unavailable)? else {
        return errand(loaded, &Question::Change { change }).map(drop);
    };
    let changed = change_here(loaded, &store, change);
    store.close().map_err(|it| in_words(&it))?;
    changed
}

fn change_here(loaded: &Loaded, store: &Store, change: Change) -> Result<(), AgentsError> {
    let (view, at) = kit::block_on(view(loaded, store))?;
    view.check(&change).map_err(|why| AgentsError::Refused(why.to_string()))?;
    let now = SystemClock.now();
    let deed = change.deed(now, Doer::Operator);
    let events = vec![Owned::halls(roster::entry(change, CONSOLE, now))];
    let append = Append { stream: Stream::Hall, expected: at, events, closes: Vec::new() };
    let work = || {
        let done = kit::block_on(store.append(append));
        done.map(drop).map_err(|error| BuildError::of(&error).to_string())
    };
    audit::noted(&loaded.config, store, deed, work).map_err(unavailable)
}

async fn view(
    loaded: &Loaded,
    store: &Store,
) -> Result<(View, protocol::ledger::Seq), AgentsError> {
    let hall = store.load(Stream::Hall).await.map_err(|it| in_words(&it))?;
    let founding = build::founding(&loaded.config, &[]).map_err(unavailable)?;
    let models: Arc<[String]> = loaded.config.models.iter().map(|it| it.name.clone()).collect();
    let view = roster::view_with_models(&founding, models, &hall.events);
    Ok((view.map_err(|it| in_words(&it))?, hall.at))
}

fn errand(loaded: &Loaded, question: &Question) -> Result<String, AgentsError> {
    let question = serde_json::to_string(question).map_err(unavailable)?;
    let answer = ask_console::errand(&loaded.config, PATH, question, TIME_MAX);
    answer.map_err(|error| match error {
        ErrandError::NoHall(why) => {
            unavailable(format!("another process holds the ledger, and {why}"))
        }
        ErrandError::Refused(why) => AgentsError::Refused(why),
    })
}

/// An agent as the text of a file that `hall.agents_dir` takes. AGENTS-2.
///
/// # Errors
/// If there is no such text.
pub fn exported(agent: &Agent) -> Result<String, AgentsError> {
    let mut table = toml::Table::try_from(agent).map_err(|it| in_words(&it))?;
    if let Some(toml::Value::Table(mut examples)) = table.remove("examples") {
        let of_all = examples.remove("");
        table.extend(of_all.map(|it| ("examples".to_owned(), it)));
        if !examples.is_empty() {
            table.insert("examples_in".to_owned(), examples.into());
        }
    }
    let text = toml::to_string_pretty(&table).map_err(|it| in_words(&it))?;
    let file = format!("{}.toml", agent.name);
    let read = agents::read_text(&file, &text).map_err(|it| in_words(&it))?;
    if read != *agent {
        let why = format!("{} cannot be written as a file: it would be another agent", agent.name);
        return Err(AgentsError::Refused(why));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(instructions: &str) -> Agent {
        Agent {
            name: "sage".parse().unwrap(),
            description: "Answers \"anything\".".to_owned(),
            instructions: instructions.to_owned(),
            models: vec!["small".to_owned(), "large".to_owned()],
            paused: true,
            memory: Some("team".parse().unwrap()),
            proposes_facts: true,
            examples: [("", "Why is the sky blue?"), ("de", "Warum ist der Himmel blau?")]
                .map(|(code, it)| (code.to_owned(), vec![it.to_owned()]))
                .into(),
            tools: vec!["calculator".to_owned(), "files.*".to_owned()],
            may_ask: vec!["coder".parse().unwrap()],
            may_hand_to: vec!["scribe".parse().unwrap()],
        }
    }

    #[test]
    fn agents_2_an_exported_agent_reads_back_as_the_same() {
        let long =
            "Be \"kind\".\n\n'''Quotes''' and \\ back\tslashes, ünïcode, \u{1f}.\nname = \"no\"";
        for agent in [agent("Be kind."), agent(long), Agent { memory: None, ..agent("x") }] {
            let text = exported(&agent).unwrap();
            assert_eq!(agents::read_text("sage.toml", &text).unwrap(), agent, "{text}");
        }
        // A file is read without the blanks around its instructions.
        assert!(matches!(exported(&agent(" x ")), Err(AgentsError::Refused(_))));
    }

    #[test]
    fn nothing_but_agents_is_changed_so() {
        assert!(is_of_agents(&Change::Retired { name: "sage".parse().unwrap() }));
        assert!(!is_of_agents(&Change::Allowed { id: 5 }));
        assert!(!is_of_agents(&Change::RoleTaken { id: 5 }));
    }
}
