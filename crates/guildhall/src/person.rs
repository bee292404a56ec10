//! What an operator does about one person: export, forget, block, unblock. Asked of the hall that
//! runs over its console; a ledger that nobody holds is opened here.

use std::{path::Path, sync::Arc};

use flow::{
    export::{self, Export},
    keeper::{self, Forget},
    right::{CONSOLE, Order},
    roster::{self, Change, View},
    tree::Doors,
};
use kit::ask;
use protocol::{
    Clock as _, PersonId, Timestamp,
    audit::{Action, Doer, Target},
    ledger::{Append, Ledger, Owned, Seq, Stream},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{OpenError, Store};
use tracing::info;

use crate::{
    audit,
    build::{self, BuildError},
    config::Loaded,
    master, residency,
    run::{SystemClock, store_config, store_folder},
};

/// What is to be done, as the hall that runs is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What.
    pub deed: Deed,
    /// To whom: a person, or a group.
    pub id: i64,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Hand over everything that is held of them.
    Export,
    /// Destroy their key.
    Forget,
    /// Ignore them.
    Block {
        /// Until when; `None` for good.
        until: Option<Timestamp>,
    },
    /// And no longer.
    Unblock,
}

impl Deed {
    /// As the audit log has it.
    fn action(self) -> Action {
        match self {
            Self::Export => Action::PersonExported,
            Self::Forget => Action::PersonForgotten,
            Self::Block { .. } => Action::AccessBlocked,
            Self::Unblock => Action::AccessUnblocked,
        }
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// Everything that is held of them.
    Exported {
        /// For programs.
        json: Value,
        /// To read.
        markdown: String,
    },
    /// Their key is destroyed: the receipt. `None` if nothing was held.
    Forgotten {
        /// Signed.
        receipt: Option<String>,
    },
    /// The hall's list says so.
    Listed,
}

/// Whose data a question asks for, if it asks for any.
pub(crate) fn read(question: &[u8]) -> Option<PersonId> {
    let Question { deed, id } = serde_json::from_slice(question).ok()?;
    match deed {
        Deed::Export => Some(PersonId(id)),
        Deed::Forget | Deed::Block { .. } | Deed::Unblock => None,
    }
}

/// The answer of the hall that runs, as JSON.
///
/// # Errors
/// Why there is none, in words.
pub(crate) async fn answer(
    ledger: Arc<dyn Ledger>,
    hall: roster::Shared,
    doors: Doors,
    question: &[u8],
) -> Result<String, String> {
    let Question { deed, id } =
        serde_json::from_slice(question).map_err(|error| format!("no question: {error}"))?;
    let person = PersonId(id);
    let done = match deed {
        Deed::Export => exported(&*ledger, person, &hall.load()).await?,
        Deed::Forget => {
            let keeper = doors.keeper().ok_or("the hall is still starting")?;
            let forgotten = ask(&keeper, |reply| {
                keeper::Msg::Forget(Forget {
                    person,
                    told_by: None,
                    language: None,
                    reply: Some(reply),
                })
            });
            let receipt =
                forgotten.await.map_err(|error| format!("the keeper is away: {error}"))?;
            let receipt = receipt.map_err(|error| BuildError::of(&error).to_string())?;
            Done::Forgotten { receipt: receipt.map(|it| it.text) }
        }
        Deed::Block { .. } | Deed::Unblock => {
            let roster = doors.roster().ok_or("the hall is still starting")?;
            let order = Order::by_operator(change_of(deed, id));
            let changed = ask(&roster, |reply| roster::Msg::Administer { order, reply }).await;
            let changed = changed.map_err(|error| format!("the roster is away: {error}"))?;
            changed.map_err(|why| why.to_string())?;
            Done::Listed
        }
    };
    serde_json::to_string(&done).map_err(|error| error.to_string())
}

/// Opens the ledger here and does it. `None` if a hall that runs holds it.
///
/// # Errors
/// Why it cannot be done, in words.
pub fn do_offline(loaded: &Loaded, question: Question) -> Result<Option<Done>, String> {
    let Some(store) = open(loaded)? else { return Ok(None) };
    let deed = audit::deed(Doer::Operator, question.deed.action(), Target::Person(question.id));
    let done = audit::noted(&loaded.config, &store, deed, || {
        kit::block_on(offline(loaded, &store, question))
    });
    store.close().map_err(|error| BuildError::of(&error).to_string())?;
    done.map(Some)
}

/// Opens the ledger. `None` if a hall that runs holds it.
///
/// # Errors
/// Why it does not open, in words.
pub fn open(loaded: &Loaded) -> Result<Option<Store>, String> {
    let config = &loaded.config;
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let folder = store_folder(config);
    if !folder.exists() {
        return Err(format!("there is no ledger in {} yet", folder.display()));
    }
    residency::check(config).map_err(|error| words(&error))?;
    let keys = master::keys(config).map_err(|error| words(&error))?;
    match Store::open(store_config(config), keys) {
        Err(OpenError::Locked) => Ok(None),
        opened => opened.map(Some).map_err(|error| words(&error)),
    }
}

async fn offline(loaded: &Loaded, store: &Store, question: Question) -> Result<Done, String> {
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let (person, now) = (PersonId(question.id), SystemClock.now());
    let hall = store.load(Stream::Hall).await.map_err(|error| words(&error))?;
    let founding = build::founding(&loaded.config, &[]).map_err(|error| error.to_string())?;
    let view = roster::view_of(&founding, &hall.events).map_err(|error| words(&error))?;
    match question.deed {
        Deed::Export => exported(store, person, &view).await,
        Deed::Forget => {
            let receipt = store.forget(person, now, None).await.map_err(|error| words(&error))?;
            Ok(Done::Forgotten { receipt: receipt.map(|it| it.text) })
        }
        Deed::Block { .. } | Deed::Unblock => {
            let change = change_of(question.deed, question.id);
            view.check(&change).map_err(|why| why.to_string())?;
            append(store, hall.at, roster::entry(change, CONSOLE, now)).await?;
            Ok(Done::Listed)
        }
    }
}

async fn append(store: &Store, expected: Seq, entry: Vec<u8>) -> Result<(), String> {
    let events = vec![Owned::halls(entry)];
    let append = Append { stream: Stream::Hall, expected, events, closes: Vec::new() };
    let done = store.append(append).await;
    done.map(drop).map_err(|error| BuildError::of(&error).to_string())
}

fn change_of(deed: Deed, id: i64) -> Change {
    match deed {
        Deed::Block { until } => Change::Blocked { id, until },
        Deed::Export | Deed::Forget | Deed::Unblock => Change::Unblocked { id },
    }
}

async fn exported(ledger: &dyn Ledger, person: PersonId, view: &View) -> Result<Done, String> {
    let read = |from| ledger.held(person, from);
    let export = export::gather(Export::of_any_size(), read).await;
    let export = export.map_err(|why| why.to_string())?;
    let now = SystemClock.now();
    info!(event.action = "person_exported", "an operator exported what is held of a person");
    let (json, markdown) = (export.json(person, view, now), export.markdown(person, view, now));
    Ok(Done::Exported { json, markdown })
}

/// The key with which this hall signs receipts. The hall may run meanwhile.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn receipt_key(loaded: &Loaded) -> Result<String, String> {
    let config = &loaded.config;
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let keys = master::keys(config).map_err(|error| words(&error))?;
    store::receipt_key(&config.keyring_file(), &keys).map_err(|error| words(&error))
}

/// Changes the master key here, in its place or for one that lies elsewhere. `false` if a hall that runs holds the ledger.
///
/// # Errors
/// Why it was not changed, in words.
pub fn rotate_offline(loaded: &Loaded, to: Option<&Path>) -> Result<bool, String> {
    let Some(store) = open(loaded)? else { return Ok(false) };
    let deed = audit::deed(Doer::Operator, Action::KeyRotated, Target::Nothing);
    let work = async {
        let Some(to) = to else { return master::rotate(&store, &loaded.config).await };
        let rotated = store::rotate_to(&store, to, master::place(&loaded.config)).await;
        rotated.map_err(|error| BuildError::of(&error).to_string())
    };
    let rotated = audit::noted(&loaded.config, &store, deed, || kit::block_on(work));
    store.close().map_err(|error| BuildError::of(&error).to_string())?;
    rotated.map(|()| true)
}
