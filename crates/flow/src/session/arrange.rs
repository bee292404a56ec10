//! What the shell does for agents with bots of their own and for links that let people in. The roster notes each
//! change before it is made; a token goes from Telegram into the hall's stream and nowhere else.

use std::rc::Rc;

use kit::{Cx, ask};
use protocol::{
    AgentName, BotId, SessionKey, UpdateId,
    audit::{Action, Deed, Doer, Target},
};
use tracing::{info, warn};

use super::{Input, Peers, SessionActor};
use crate::{
    invites::{self, InviteChange, OPEN_MAX, TOKEN_BYTES},
    managed::BotChange,
    request::Arrangement,
    right::{Governing, Granted, Order},
    roster::{self, AdministerError, Change},
    words::{self, Notice, arrange},
};

impl SessionActor {
    pub(super) fn arrange(&self, update: UpdateId, it: Arrangement, cx: &mut Cx<'_, Self>) {
        let work = run(Rc::clone(&self.peers), self.key, it);
        cx.when(work, move |actor, notice, cx| actor.input(Input::Looked(update, notice), cx));
    }
}

/// Arranges it, and says what came of it.
async fn run(peers: Rc<Peers>, key: SessionKey, it: Arrangement) -> Notice {
    let done = match it {
        Arrangement::OwnBot { name, instructions, by } => {
            want_bot(&peers, (name, instructions), by).await
        }
        Arrangement::BotMade { bot, username, by } => {
            take_bot(&peers, key, (bot, username), by).await
        }
        Arrangement::Invite { span, by } => invite(&peers, span, by).await,
        Arrangement::Invites(by) => {
            let now = peers.clock.now();
            let target = Target::Thing("invites".to_owned());
            let deed = Deed::done(now, Doer::Person(by.by()), Action::AuditRead, target);
            if let Err(error) = peers.audit.record(deed).await {
                return words::officers::not_shown(error);
            }
            Ok(arrange::invites(peers.hall.load().invites().open(now).collect()))
        }
        Arrangement::Withdraw { number, by } => {
            let change = Change::Invited(InviteChange::Withdrawn { number });
            order(&peers, by, change).await.map(|()| arrange::withdrawn(number))
        }
        Arrangement::Enter { token, person } => {
            let order = peers.hall.load().entry(person.id, &token.0, peers.clock.now());
            match order {
                Ok(order) => match administer(&peers, order).await {
                    Ok(()) => Ok(arrange::welcome(&person.first_name)),
                    // Somebody else was first.
                    Err(AdministerError::InviteGone) => {
                        Ok(arrange::closed(invites::Closed::Used, person.id))
                    }
                    Err(why) => Err(why),
                },
                Err(why) => Ok(arrange::closed(why, person.id)),
            }
        }
    };
    done.unwrap_or_else(|why| words::not_done(words::why_not(&why)))
}

async fn administer(peers: &Peers, order: Order) -> Result<(), AdministerError> {
    let asked = ask(&peers.roster, |reply| roster::Msg::Administer { order, reply }).await;
    asked.unwrap_or(Err(AdministerError::NotStored))
}

async fn order(
    peers: &Peers,
    by: Granted<Governing>,
    change: Change,
) -> Result<(), AdministerError> {
    let order = peers.hall.load().order(by.by(), change);
    administer(peers, order.ok_or(AdministerError::NotAllowed)?).await
}

/// As after a crash in between: what is so already is done.
fn or_so_already(done: Result<(), AdministerError>) -> Result<(), AdministerError> {
    match done {
        Err(AdministerError::SoAlready) => Ok(()),
        done => done,
    }
}

/// An admin wants a bot for an agent: Telegram asks them.
async fn want_bot(
    peers: &Peers,
    (name, instructions): (AgentName, Option<String>),
    by: Granted<Governing>,
) -> Result<Notice, AdministerError> {
    let identity = peers.messenger.identity();
    if !identity.manages_bots {
        return Ok(arrange::cannot_make_bots(&identity.username));
    }
    if let Some(instructions) = instructions {
        let hall = peers.hall.load_full();
        let is_here = hall.agent(&name).is_some_and(|it| it.instructions == instructions);
        if !is_here {
            order(peers, by, Change::Spawned { name: name.clone(), instructions }).await?;
        }
    }
    let (owner, wanted) = (by.by().0, name.clone());
    let change = Change::Bots(BotChange::Wanted { name: wanted, owner });
    or_so_already(order(peers, by, change).await)?;
    Ok(arrange::make_bot(&name, &identity.username))
}

/// A bot is there that an admin wanted for an agent, or it has another token: that is fetched and kept. The program
/// connects what is in the hall's state.
async fn take_bot(
    peers: &Peers,
    key: SessionKey,
    (bot, username): (BotId, String),
    by: Granted<Governing>,
) -> Result<Notice, AdministerError> {
    let hall = peers.hall.load_full();
    let Some(name) = hall.managed().meant(bot, by.by()).cloned() else {
        return Ok(arrange::bot_of_nobody(&username));
    };
    let token = match peers.messenger.managed_token(bot).await {
        Ok(token) => token,
        Err(error) => {
            warn!(
                labels.bot = %bot, error.message = %error,
                event.action = "managed_token_refused", "an agent's own bot gives no token"
            );
            return Ok(arrange::no_token(&username));
        }
    };
    let (bot, manager, owner) = (bot.0, key.bot.0, by.by().0);
    let (agent, called) = (name.clone(), username.clone());
    let given = BotChange::Given { name: agent, bot, username: called, owner, manager, token };
    or_so_already(order(peers, by, Change::Bots(given)).await)?;
    info!(labels.bot = bot, event.action = "managed_bot_given", "an agent has a bot of its own");
    Ok(arrange::bot_given(&name, &username))
}

/// A link with a random token, of which the hall keeps a hash.
async fn invite(
    peers: &Peers,
    span: std::time::Duration,
    by: Granted<Governing>,
) -> Result<Notice, AdministerError> {
    let (hall, now) = (peers.hall.load_full(), peers.clock.now());
    if OPEN_MAX <= hall.invites().open(now).count() {
        return Err(AdministerError::TooManyInvites(OPEN_MAX));
    }
    let mut random = [0; TOKEN_BYTES];
    if getrandom::fill(&mut random).is_err() {
        return Err(AdministerError::NotStored);
    }
    let (token, number, until) = (invites::payload(random), hall.invites().next(), now.plus(span));
    let mark = invites::mark_of(&token);
    order(peers, by, Change::Invited(InviteChange::Made { number, mark, until })).await?;
    let bot = &peers.messenger.identity().username;
    Ok(arrange::invited(number, &format!("https://t.me/{bot}?start={token}"), until))
}
