//! Decides who has signed in. Knows no HTTP; time comes in as a value.
//!
//! Invariants: LOGIN-1 tokens and sessions are compared in constant time. LOGIN-2 after too many bad
//! tries nobody signs in for a while, whatever the token; open sessions go on.

use std::{collections::VecDeque, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::Instant;
use tracing::{info, warn};

/// Bad tries before the lock-out.
const BAD_TRIES_MAX: u32 = 10;
/// How long a lock-out lasts.
const LOCKED_OUT_FOR: Duration = Duration::from_secs(15 * 60);
/// Sessions at a time. One more ends the oldest.
const SESSIONS_MAX: usize = 16;
/// How long a session lasts.
pub(crate) const SESSION_TIME: Duration = Duration::from_secs(12 * 60 * 60);

/// A fresh secret of 256 random bits, as hex: a login token, a session, a form token.
///
/// # Errors
/// If the system has no randomness to give.
pub fn mint_token() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
}

/// Equal, without telling by the time it takes where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// What came of a try to sign in.
#[derive(Debug)]
pub(crate) enum Tried {
    /// Signed in, with this session.
    Opened(SecretString),
    /// The token is wrong or spent.
    Refused,
    /// Too many bad tries, the last one not long ago.
    LockedOut,
}

/// Whose token a program holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Sees the status and sends errands.
    Operator,
    /// Sees the status.
    Reader,
}

/// The login token and the open sessions.
#[derive(Debug)]
pub(crate) struct Login {
    token: Option<SecretString>,
    /// Of those who only look.
    reader: Option<SecretString>,
    once: bool,
    bad_tries: u32,
    locked_until: Option<Instant>,
    sessions: VecDeque<Session>,
}

#[derive(Debug)]
struct Session {
    secret: SecretString,
    ends: Instant,
}

impl Login {
    /// With `once` a token is spent by the first who signs in with it.
    pub(crate) fn new(token: Option<SecretString>, once: bool) -> Self {
        let sessions = VecDeque::new();
        Self { token, reader: None, once, bad_tries: 0, locked_until: None, sessions }
    }

    /// Lets those in who only look, with a token of their own.
    pub(crate) fn with_reader(self, reader: Option<SecretString>) -> Self {
        Self { reader, ..self }
    }

    /// Whose token this is. Both are compared, whichever it is.
    fn holder(&self, tried: &str) -> Option<Holder> {
        let is = |token: &Option<SecretString>| {
            token.as_ref().is_some_and(|token| same(token.expose_secret(), tried))
        };
        match (is(&self.token), is(&self.reader)) {
            (true, _) => Some(Holder::Operator),
            (false, true) => Some(Holder::Reader),
            (false, false) => None,
        }
    }

    /// Replaces the token and ends a lock-out: whoever asks for this is on the inside. Sessions go on.
    pub(crate) fn renew(&mut self, token: SecretString) {
        self.token = Some(token);
        self.bad_tries = 0;
        self.locked_until = None;
    }

    /// Tries a token. `fresh` becomes the session if it is right.
    pub(crate) fn try_token(&mut self, tried: &str, fresh: SecretString, now: Instant) -> Tried {
        if self.locked_until.is_some_and(|until| now < until) {
            warn!(event.action = "console_login", event.outcome = "failure", "login locked out");
            return Tried::LockedOut;
        }
        let Some(holder) = self.holder(tried) else {
            self.note_bad_try(now);
            return Tried::Refused;
        };
        if self.once && holder == Holder::Operator {
            self.token = None;
        }
        self.bad_tries = 0;
        self.sessions.retain(|session| now < session.ends);
        if SESSIONS_MAX <= self.sessions.len() {
            self.sessions.pop_front();
        }
        self.sessions.push_back(Session { secret: fresh.clone(), ends: now + SESSION_TIME });
        info!(event.action = "console_login", event.outcome = "success", "operator signed in");
        Tried::Opened(fresh)
    }

    /// Whose token this is: for programs, which send it with every request. Bad tries count.
    pub(crate) fn admits(&mut self, tried: &str, now: Instant) -> Option<Holder> {
        if self.locked_until.is_some_and(|until| now < until) {
            return None;
        }
        let holder = self.holder(tried);
        if holder.is_none() {
            self.note_bad_try(now);
        }
        holder
    }

    /// True if this session is open.
    pub(crate) fn knows(&self, session: &str, now: Instant) -> bool {
        let open = |known: &&Session| now < known.ends;
        // No early return: how many there are is no secret, which one it is may be.
        self.sessions
            .iter()
            .filter(open)
            .fold(false, |found, known| found | same(known.secret.expose_secret(), session))
    }

    /// Ends a session.
    pub(crate) fn close(&mut self, session: &str) {
        self.sessions.retain(|known| !same(known.secret.expose_secret(), session));
    }

    fn note_bad_try(&mut self, now: Instant) {
        self.bad_tries += 1;
        warn!(
            event.action = "console_login",
            event.outcome = "failure",
            labels.bad_tries = self.bad_tries,
            "login refused"
        );
        if BAD_TRIES_MAX <= self.bad_tries {
            self.bad_tries = 0;
            self.locked_until = Some(now + LOCKED_OUT_FOR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_it(login: &mut Login, token: &str, now: Instant) -> Tried {
        login.try_token(token, mint_token().unwrap(), now)
    }

    fn open(login: &mut Login, now: Instant) -> SecretString {
        match try_it(login, "right", now) {
            Tried::Opened(session) => session,
            refused @ (Tried::Refused | Tried::LockedOut) => panic!("not opened: {refused:?}"),
        }
    }

    #[test]
    fn a_token_is_good_once() {
        let (mut login, now) = (Login::new(Some("right".into()), true), Instant::now());
        let session = open(&mut login, now);
        assert!(login.knows(session.expose_secret(), now));
        assert!(matches!(try_it(&mut login, "right", now), Tried::Refused));
        login.renew("right".into());
        open(&mut login, now);
    }

    #[test]
    fn a_fixed_token_is_good_again() {
        let (mut login, now) = (Login::new(Some("right".into()), false), Instant::now());
        open(&mut login, now);
        open(&mut login, now);
    }

    #[test]
    fn without_a_token_nobody_signs_in() {
        let (mut login, now) = (Login::new(None, true), Instant::now());
        assert!(matches!(try_it(&mut login, "", now), Tried::Refused));
        assert!(!login.knows("", now));
    }

    #[test]
    fn login_1_only_the_exact_words_pass() {
        let (mut login, now) = (Login::new(Some("right".into()), true), Instant::now());
        for wrong in ["", "righ", "rightt", "Right"] {
            assert!(matches!(try_it(&mut login, wrong, now), Tried::Refused), "{wrong}");
        }
        let session = open(&mut login, now);
        assert!(!login.knows("", now) && !login.knows("right", now));
        login.close("other");
        assert!(login.knows(session.expose_secret(), now));
        login.close(session.expose_secret());
        assert!(!login.knows(session.expose_secret(), now));
    }

    #[test]
    fn login_2_ten_bad_tries_lock_the_door_and_leave_sessions_open() {
        let (mut login, now) = (Login::new(Some("right".into()), false), Instant::now());
        let session = open(&mut login, now);
        for _ in 0..BAD_TRIES_MAX {
            assert!(matches!(try_it(&mut login, "wrong", now), Tried::Refused));
        }
        for _ in 0..90 {
            assert!(matches!(try_it(&mut login, "right", now), Tried::LockedOut));
        }
        assert!(login.knows(session.expose_secret(), now));
        open(&mut login, now + LOCKED_OUT_FOR);
    }

    #[test]
    fn login_2_a_renewed_token_ends_the_lock_out() {
        let (mut login, now) = (Login::new(Some("old".into()), true), Instant::now());
        for _ in 0..=BAD_TRIES_MAX {
            try_it(&mut login, "wrong", now);
        }
        assert!(matches!(try_it(&mut login, "old", now), Tried::LockedOut));
        login.renew("right".into());
        open(&mut login, now);
    }

    #[test]
    fn a_session_ends_after_its_time() {
        let (mut login, now) = (Login::new(Some("right".into()), true), Instant::now());
        let session = open(&mut login, now);
        let last = now + SESSION_TIME - Duration::from_secs(1);
        assert!(login.knows(session.expose_secret(), last));
        assert!(!login.knows(session.expose_secret(), now + SESSION_TIME));
    }

    #[test]
    fn too_many_sessions_end_the_oldest() {
        let (mut login, now) = (Login::new(Some("right".into()), false), Instant::now());
        let sessions: Vec<_> = (0..=SESSIONS_MAX).map(|_| open(&mut login, now)).collect();
        let known = |session: &SecretString| login.knows(session.expose_secret(), now);
        let open: Vec<bool> = sessions.iter().map(known).collect();
        assert_eq!(open.iter().filter(|open| **open).count(), SESSIONS_MAX);
        assert_eq!(open.first(), Some(&false));
    }

    #[test]
    fn a_program_comes_in_with_the_token_and_its_bad_tries_count() {
        let now = Instant::now();
        let mut login = Login::new(Some("0123456789abcdef".to_owned().into()), false);
        assert_eq!(login.admits("0123456789abcdef", now), Some(Holder::Operator));
        for _ in 0..BAD_TRIES_MAX {
            assert_eq!(login.admits("guess", now), None);
        }
        assert_eq!(login.admits("0123456789abcdef", now), None, "locked out");
    }

    #[test]
    fn a_reader_has_a_token_of_their_own_that_is_not_spent() {
        let now = Instant::now();
        let mut login = Login::new(Some("right".into()), true).with_reader(Some("look".into()));
        assert_eq!(login.admits("look", now), Some(Holder::Reader));
        for _ in 0..2 {
            assert!(matches!(try_it(&mut login, "look", now), Tried::Opened(_)));
        }
        assert_eq!(login.admits("right", now), Some(Holder::Operator), "it is not spent by them");
        assert_eq!(Login::new(Some("right".into()), true).holder("look"), None);
    }

    #[test]
    fn minted_tokens_are_long_and_differ() {
        let (one, other) = (mint_token().unwrap(), mint_token().unwrap());
        assert_eq!(one.expose_secret().len(), 64);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
