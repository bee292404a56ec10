//! Messages in a group that one person alone sees. A bot may send one to somebody who wrote or pressed something there
//! within the last fifteen seconds.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::send::chat_of;
use super::yes;
use crate::clock::unix;
use crate::refusal::Refusal;
use crate::world::{Author, Call, ChatKey, State};

/// How long after what a person did a bot may answer them so.
const ANSWER_SECONDS_MAX: i64 = 15;

/// The fields of `EphemeralMessageParameters` that matter here.
#[derive(Deserialize)]
struct Parameters {
    receiver_user_id: i64,
    callback_query_id: Option<String>,
}

/// Who alone is to see what a call sends. A server that does not know the parameter leaves it out.
pub(super) fn receiver(
    state: &State,
    call: &Call<'_>,
    key: ChatKey,
) -> Result<Option<i64>, Refusal> {
    let name = "ephemeral_message_parameters";
    let Some(parameters) = call.params.object::<Parameters>(name)?.filter(|_| !state.is_older)
    else {
        return Ok(None);
    };
    let Parameters { receiver_user_id: person, callback_query_id } = parameters;
    let chat = state.chat(key);
    if key.is_private() || !chat.members.contains(&person) {
        return Err(Refusal::bad("USER_NOT_PARTICIPANT"));
    }
    let since = unix() - ANSWER_SECONDS_MAX;
    let mut written = chat.messages().rev().take_while(|it| since <= it.date);
    let wrote = written.any(|it| it.author == Author::Person(person));
    let pressed = || {
        let number = callback_query_id.as_deref().and_then(|it| it.parse::<u64>().ok())?;
        let press = state.callbacks.get(&number)?;
        let life = Duration::from_secs(ANSWER_SECONDS_MAX.unsigned_abs());
        Some(press.person == person && Instant::now() <= press.at + life)
    };
    if wrote || pressed().unwrap_or(false) {
        return Ok(Some(person));
    }
    Err(Refusal::bad("EPHEMERAL_MESSAGE_TOO_LATE"))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = chat_of(state, call)?;
    let id = call.params.integer("ephemeral_message_id").unwrap_or_default();
    let person = call.params.integer("receiver_user_id");
    let message = state.chat(key).message(id);
    let is_it = message.is_some_and(|it| {
        it.only_for.is_some() && it.only_for == person && it.author == Author::Bot(call.bot)
    });
    if !is_it {
        return Err(Refusal::bad("message to delete not found"));
    }
    state.chat_mut(key).remove(id);
    Ok(yes())
}

#[cfg(test)]
mod tests {
    use crate::world::{Press, Say, World};
    use crate::{Config, GroupSeed};

    const ADA: i64 = 1001;
    const BEN: i64 = 1002;
    const GROUP: i64 = -5;

    fn world() -> (World, String) {
        let groups = vec![GroupSeed {
            id: GROUP,
            title: "Room".to_owned(),
            members: vec![ADA, BEN],
            admins: Vec::new(),
            topics: Vec::new(),
        }];
        let config = Config { groups, ..Config::default() };
        let token = config.bots.first().map(|bot| bot.token.clone()).unwrap_or_default();
        (World::new(config), token)
    }

    #[tokio::test]
    async fn one_person_alone_sees_it_and_only_if_they_wrote_there_just_now() {
        let (world, token) = world();
        let send = format!(
            r#"{{"chat_id":{GROUP},"text":"psst","ephemeral_message_parameters":{{"receiver_user_id":{BEN}}}}}"#
        );
        assert!(world.call(&token, "sendMessage", &send).is_err(), "Ben wrote nothing");
        let text = "/usage@guildhall_bot".to_owned();
        world.say(&Say { person: BEN, chat: Some(GROUP), text, ..Say::default() }).unwrap();
        let sent = world.call(&token, "sendMessage", &send).unwrap();
        assert!(String::from_utf8_lossy(&sent).contains("ephemeral_message_id"));
        let page = |person| world.lock().snapshot(person).data.to_string();
        assert!(page(BEN).contains("psst") && !page(ADA).contains("psst"));
        let press = |person| {
            let data = "d".to_owned();
            world.press(&Press { person, chat: Some(GROUP), message_id: 2, data })
        };
        assert!(press(ADA).is_err() && press(BEN).is_ok());
        let delete =
            format!(r#"{{"chat_id":{GROUP},"receiver_user_id":{BEN},"ephemeral_message_id":2}}"#);
        world.call(&token, "deleteEphemeralMessage", &delete).unwrap();
        assert!(!page(BEN).contains("psst"));
    }

    #[tokio::test]
    async fn an_older_server_shows_it_to_everybody() {
        let (world, token) = world();
        world.set_older(true);
        let send = format!(
            r#"{{"chat_id":{GROUP},"text":"psst","ephemeral_message_parameters":{{"receiver_user_id":{BEN}}}}}"#
        );
        world.call(&token, "sendMessage", &send).unwrap();
        assert!(world.lock().snapshot(ADA).data.contains("psst"));
        let delete =
            format!(r#"{{"chat_id":{GROUP},"receiver_user_id":{BEN},"ephemeral_message_id":0}}"#);
        let refusal = world.call(&token, "deleteEphemeralMessage", &delete).unwrap_err();
        assert_eq!(refusal.code, 404);
    }
}
