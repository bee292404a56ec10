//! The sink that is always there: the private chats of operators, admins and owners.
//!
//! It writes to the bot itself and not through its outbox, which would keep a message until Telegram is
//! there again: here somebody waits to hear that it is not, and tells others meanwhile.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use protocol::{
    ChatId, PersonId,
    alert::{Notification, Sink, TellError},
    messenger::{Address, Messenger, MessengerError},
};

use super::Needs;
use crate::{roster::Shared, tongues::Tongues, words};

/// How long one message may take.
const SEND_TIME_MAX: Duration = Duration::from_secs(15);

/// Writes to everybody who may take care of alerts.
pub(super) struct Chats {
    messenger: Arc<dyn Messenger>,
    hall: Shared,
    pseudonym: Arc<dyn Fn(PersonId) -> String + Send + Sync>,
    languages: Tongues,
    /// Who has got which version already, so that a second try leaves them alone.
    reached: Mutex<(String, BTreeSet<PersonId>)>,
}

impl Chats {
    pub(super) fn new(messenger: Arc<dyn Messenger>, needs: &Needs) -> Self {
        let (hall, pseudonym) = (Arc::clone(&needs.hall), Arc::clone(&needs.pseudonym));
        let languages = needs.languages.clone();
        Self { messenger, hall, pseudonym, languages, reached: Mutex::default() }
    }

    fn reached(&self, key: &str) -> BTreeSet<PersonId> {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.0 == key { reached.1.clone() } else { BTreeSet::new() }
    }

    fn keep(&self, key: String, reached: BTreeSet<PersonId>) {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = (key, reached);
    }
}

/// What became of one of them.
enum Reached {
    Yes,
    /// They never wrote to the bot, or have blocked it: there is no way to them.
    Never(String),
    NotNow(TellError),
}

#[async_trait]
impl Sink for Chats {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn gap(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn tell(&self, notification: &Notification) -> Result<(), TellError> {
        let key = notification.key();
        let mut reached = self.reached(&key);
        let mut failed = None;
        let mut never = None;
        let hall = self.hall.load_full();
        let of_run = |run| Some(words::playbooks::summary(hall.runs().get(run)?, &*self.pseudonym));
        let notice = words::alert(notification, &of_run);
        let left: Vec<PersonId> = hall.operators().filter(|it| !reached.contains(it)).collect();
        for person in left {
            let notice = notice.clone().in_language(self.languages.of(person));
            match self.write_to(person, &notice).await {
                Reached::Yes => drop(reached.insert(person)),
                Reached::Never(why) => never = Some(why),
                Reached::NotNow(error) => failed = Some(error),
            }
        }
        self.keep(key, reached.clone());
        match (failed, reached.is_empty()) {
            (Some(error), _) => Err(error),
            (None, false) => Ok(()),
            (None, true) => Err(TellError::new(match never {
                Some(why) => format!("no operator could be written to: {why}"),
                None => "no operator and no admin is named in the configuration".to_owned(),
            })),
        }
    }
}

impl Chats {
    async fn write_to(&self, person: PersonId, notice: &words::Notice) -> Reached {
        let to = Address { chat: ChatId(person.0), topic: None };
        let sending = self.messenger.send(to, notice.part(), None);
        let sent = match tokio::time::timeout(SEND_TIME_MAX, sending).await {
            Ok(sent) => sent,
            Err(_elapsed) => return Reached::NotNow(TellError::new("Telegram does not answer")),
        };
        match sent {
            Ok(_) => Reached::Yes,
            Err(
                error @ (MessengerError::Forbidden
                | MessengerError::Migrated { .. }
                | MessengerError::Rejected { .. }),
            ) => Reached::Never(error.to_string()),
            Err(MessengerError::Flooded { retry_after }) => Reached::NotNow(TellError {
                why: "Telegram asks to wait".to_owned(),
                retry_after: Some(retry_after),
            }),
            Err(
                error @ (MessengerError::Conflict
                | MessengerError::Unauthorized
                | MessengerError::Unreachable(_)
                | MessengerError::Broken { .. }),
            ) => Reached::NotNow(TellError::new(error.to_string())),
        }
    }
}
