//! Which language a person is spoken to in private: for what they are told there without having asked
//! just now, such as alerts, and for a private matter of theirs in a group.
//!
//! Owns      a language for each person who wrote in private since the start, at most `PEOPLE_MAX`.
//! On crash  is forgotten; what an officer chose with `/language` is read from the ledger again.
//!
//! Invariants: TONGUES-1 what is not known is told in the hall's usual language, and waits for nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use protocol::{
    BotId, ChatId, Language, Languages, PersonId, SessionKey,
    event::Event,
    ledger::{Ledger, Loaded, Stream},
};
use serde::Deserialize;

/// The most people whose language is known.
const PEOPLE_MAX: usize = 100_000;

/// Cheap to clone: all clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Tongues {
    languages: Languages,
    known: Arc<Mutex<HashMap<PersonId, Language>>>,
}

impl Tongues {
    /// Knows nobody yet.
    #[must_use]
    pub fn new(languages: Languages) -> Self {
        Self { languages, known: Arc::default() }
    }

    /// What a person is spoken to in private; the usual language where that is not known.
    #[must_use]
    pub fn of(&self, person: PersonId) -> Language {
        self.known(person).unwrap_or_else(|| self.languages.choose(None, None))
    }

    /// The same, if it is known.
    #[must_use]
    pub fn known(&self, person: PersonId) -> Option<Language> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&person).copied()
    }

    /// A person is spoken to in a language in private.
    pub fn spoken(&self, person: PersonId, language: Language) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < PEOPLE_MAX || known.contains_key(&person) {
            known.insert(person, language);
        }
    }

    /// A person is forgotten.
    pub fn forget(&self, person: PersonId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&person);
    }

    /// Reads what people chose in their private chats, of those who are not known yet. What cannot be
    /// read now is read when somebody asks again.
    pub async fn learn(&self, ledger: &dyn Ledger, bots: &[BotId], people: &[PersonId]) {
        for person in people.iter().filter(|it| self.known(**it).is_none()) {
            let (mut chosen, mut is_read) = (None, true);
            for bot in bots {
                let key = SessionKey { bot: *bot, chat: ChatId(person.0), topic: None };
                match ledger.load(Stream::Session(key)).await {
                    Ok(loaded) => chosen = chosen.or(chosen_in(&loaded)),
                    Err(_unreadable) => is_read = false,
                }
            }
            if is_read && self.known(*person).is_none() {
                self.spoken(*person, self.languages.choose(chosen, None));
            }
        }
    }
}

/// What a private conversation's state says of its language.
#[derive(Default, Deserialize)]
struct Chosen {
    #[serde(default, deserialize_with = "protocol::language::read")]
    language: Option<Language>,
}

/// What was chosen in a private conversation. What cannot be read of it says nothing.
fn chosen_in(loaded: &Loaded) -> Option<Language> {
    let state = loaded.snapshot.as_ref().and_then(|it| it.first());
    let state: Option<Chosen> = state.and_then(|it| serde_json::from_slice(&it.bytes).ok());
    let mut chosen = state.unwrap_or_default().language;
    for piece in &loaded.events {
        let events: Vec<Event> = serde_json::from_slice(&piece.bytes).unwrap_or_default();
        for event in events {
            if let Event::LanguageChosen { language } = event {
                chosen = language;
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use protocol::ledger::{Append, Owned, Seq};

    use super::*;
    use crate::testing::{FakeLedger, local};

    const ADA: PersonId = PersonId(1);
    const BEN: PersonId = PersonId(2);
    const HERE: [Language; 3] = [Language::German, Language::Spanish, Language::Arabic];

    #[test]
    fn tongues_1_what_is_not_known_is_told_in_the_usual_language() {
        let tongues = Tongues::new(Languages::of(&HERE));
        assert_eq!((tongues.known(ADA), tongues.of(ADA)), (None, Language::German));
        tongues.clone().spoken(ADA, Language::Arabic);
        assert_eq!((tongues.of(ADA), tongues.of(BEN)), (Language::Arabic, Language::German));
        tongues.forget(ADA);
        assert_eq!(tongues.known(ADA), None);
    }

    #[test]
    fn what_was_chosen_before_a_restart_is_read_and_what_is_said_now_goes_before_it() {
        let (ledger, tongues) = (FakeLedger::default(), Tongues::new(Languages::of(&HERE)));
        let bot = BotId(9);
        local(async {
            for (person, chosen) in [
                (ADA, vec![Some(Language::Arabic), Some(Language::Spanish)]),
                (BEN, vec![Some(Language::Arabic), None]),
                (PersonId(3), vec![Some(Language::Arabic)]),
            ] {
                let key = SessionKey { bot, chat: ChatId(person.0), topic: None };
                let event = |language| Event::LanguageChosen { language };
                let events: Vec<_> = chosen.into_iter().map(event).collect();
                let append = Append {
                    stream: Stream::Session(key),
                    expected: Seq(0),
                    events: vec![Owned::by(person, serde_json::to_vec(&events).unwrap())],
                    closes: vec![],
                };
                ledger.append(append).await.unwrap();
            }
            tongues.spoken(PersonId(3), Language::German);
            tongues.learn(&ledger, &[bot], &[ADA, BEN, PersonId(3), PersonId(4)]).await;
        });
        let known = [ADA, BEN, PersonId(3), PersonId(4)].map(|it| tongues.of(it).code());
        assert_eq!(known, ["es", "de", "de", "de"]);
    }
}
