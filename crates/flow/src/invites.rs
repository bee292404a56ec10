//! Links that let one person in, once: pure.
//!
//! A link carries a random token, of which the hall keeps only a hash. Whoever opens it first may talk, as by
//! `/allow`; after that, after its time, or when an admin has withdrawn it, it is a piece of paper.
//!
//! Invariants: INVITE-1 a link lets in one person at most. INVITE-2 the hall keeps no token.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::{Timestamp, inbound::Inbound};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What stands before a token in `t.me/<bot>?start=…`.
const PREFIX: &str = "inv_";
/// Random bytes of a token.
pub(crate) const TOKEN_BYTES: usize = 16;
/// Links that are open at a time.
pub const OPEN_MAX: usize = 100;
/// Links that are known, so that it can be said what became of one. Past that, the oldest go.
const KNOWN_MAX: usize = 1_000;

/// What happens to a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "invite", rename_all = "snake_case")]
pub enum InviteChange {
    /// It is made.
    Made {
        /// Its number.
        number: u64,
        /// The hash of its token.
        mark: String,
        /// It is open until then.
        until: Timestamp,
    },
    /// Somebody opened it, and may talk.
    Used {
        /// Its number.
        number: u64,
        /// Who.
        id: i64,
    },
    /// An admin withdrew it.
    Withdrawn {
        /// Its number.
        number: u64,
    },
}

impl InviteChange {
    /// Which link it is about.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Made { number, .. } | Self::Used { number, .. } | Self::Withdrawn { number } => {
                *number
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Invite {
    mark: String,
    until: Timestamp,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Used,
    Withdrawn,
}

/// Why a link lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Somebody has opened it.
    Used,
    /// Its time is over, or an admin withdrew it.
    Over,
    /// There never was one, or so long ago that nobody knows.
    Unknown,
}

/// All links that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invites(BTreeMap<u64, Invite>);

impl Invites {
    /// The number of the next one.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.0.keys().next_back().map_or(1, |it| it + 1)
    }

    /// Those that are open, with their ends.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = (u64, Timestamp)> {
        let is_open = move |it: &Invite| it.state == State::Open && now < it.until;
        self.0.iter().filter(move |(_, it)| is_open(it)).map(|(number, it)| (*number, it.until))
    }

    /// The open one that a token is of.
    ///
    /// # Errors
    /// Why it lets nobody in.
    pub fn find(&self, token: &str, now: Timestamp) -> Result<u64, Closed> {
        let mark = mark_of(token);
        let found = self.0.iter().find(|(_, it)| it.mark == mark).ok_or(Closed::Unknown)?;
        match found.1.state {
            State::Used => Err(Closed::Used),
            State::Open if now < found.1.until => Ok(*found.0),
            State::Open | State::Withdrawn => Err(Closed::Over),
        }
    }

    /// True if a change can be made. INVITE-1.
    #[must_use]
    pub fn takes(&self, change: &InviteChange) -> bool {
        let is_open = |it: &u64| self.0.get(it).is_some_and(|it| it.state == State::Open);
        match change {
            InviteChange::Made { number, .. } => !self.0.contains_key(number),
            InviteChange::Used { number, .. } | InviteChange::Withdrawn { number } => {
                is_open(number)
            }
        }
    }

    pub(crate) fn apply(&mut self, change: InviteChange) {
        match change {
            InviteChange::Made { number, mark, until } => {
                self.0.insert(number, Invite { mark, until, state: State::Open });
                while KNOWN_MAX < self.0.len() {
                    self.0.pop_first();
                }
            }
            InviteChange::Used { number, .. } => self.set(number, State::Used),
            InviteChange::Withdrawn { number } => self.set(number, State::Withdrawn),
        }
    }

    fn set(&mut self, number: u64, state: State) {
        if let Some(invite) = self.0.get_mut(&number) {
            invite.state = state;
        }
    }
}

/// A token of random bytes, as it stands in a link.
pub(crate) fn payload(random: [u8; TOKEN_BYTES]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
}

/// What the hall keeps of a token. INVITE-2.
pub(crate) fn mark_of(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The token with which somebody opens their private chat, as it stands in the link.
#[must_use]
pub fn token_in(inbound: &Inbound) -> Option<&str> {
    let Inbound::Said(said) = inbound else { return None };
    let command = said.command.as_ref().filter(|it| said.private && it.name == "start")?;
    Some(command.arguments.as_str()).filter(|it| it.starts_with(PREFIX))
}

/// True if bytes may hold a link's token: whoever has none need not be looked at more closely.
#[must_use]
pub fn may_hold_token(raw: &[u8]) -> bool {
    memchr::memmem::find(raw, PREFIX.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);
    const END: Timestamp = Timestamp(2_000);

    #[test]
    fn invite_1_a_link_lets_one_person_in_until_it_is_over_or_withdrawn() {
        let mut invites = Invites::default();
        let tokens = [payload([1; 16]), payload([2; 16])];
        for (number, token) in (1..).zip(&tokens) {
            let made = InviteChange::Made { number, mark: mark_of(token), until: END };
            assert!(invites.takes(&made));
            invites.apply(made.clone());
            assert!(!invites.takes(&made), "a number is given once");
        }
        assert_eq!((invites.find(&tokens[0], NOW), invites.next()), (Ok(1), 3));
        assert_eq!(invites.find(&tokens[0], END), Err(Closed::Over));
        assert_eq!(invites.find("inv_x", NOW), Err(Closed::Unknown));
        let used = InviteChange::Used { number: 1, id: 7 };
        assert!(invites.takes(&used));
        invites.apply(used.clone());
        assert!(!invites.takes(&used));
        assert_eq!(invites.find(&tokens[0], NOW), Err(Closed::Used));
        invites.apply(InviteChange::Withdrawn { number: 2 });
        assert_eq!(invites.find(&tokens[1], NOW), Err(Closed::Over));
        assert_eq!(invites.open(NOW).count(), 0);
    }

    #[test]
    fn invite_2_a_payload_fits_a_link_and_is_not_what_is_kept() {
        let payload = payload([255; 16]);
        assert!(payload.len() <= 64 && payload.starts_with(PREFIX));
        assert!(payload.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-')));
        assert!(!mark_of(&payload).contains(&payload[4..]) && may_hold_token(payload.as_bytes()));
    }

    #[test]
    fn only_the_newest_links_are_remembered() {
        let mut invites = Invites::default();
        for number in 1..=1_200 {
            invites.apply(InviteChange::Made { number, mark: number.to_string(), until: END });
        }
        assert_eq!((invites.0.len(), invites.next()), (KNOWN_MAX, 1_201));
    }
}
