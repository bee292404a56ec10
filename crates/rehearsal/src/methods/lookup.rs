//! Methods that look something up, and leaving.

use serde_json::{Value, json};

use super::send::chat_of;
use super::{json as to_json, yes};
use crate::json::put;
use crate::refusal::Refusal;
use crate::world::{Call, ChatKey, State};

/// The largest file a bot may download.
pub(crate) const DOWNLOAD_BYTES_MAX: usize = 20 << 20;

pub(super) fn me(state: &State, call: &Call<'_>) -> Vec<u8> {
    let bot = state.bot(call.bot);
    let mut me = json!({
        "id": bot.id,
        "is_bot": true,
        "first_name": bot.seed.name,
        "username": bot.seed.username,
        "can_join_groups": true,
        "can_read_all_group_messages": bot.seed.reads_all_group_messages,
        "supports_inline_queries": false,
        "can_connect_to_business": false,
        "has_main_web_app": false,
        "has_topics_enabled": false,
    });
    // Before Bot API 9.6 nobody knew of such bots.
    if !state.is_older {
        put(&mut me, "can_manage_bots", bot.seed.manages_bots);
    }
    to_json(&me)
}

pub(super) fn chat(state: &State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = chat_of(state, call)?;
    let mut full: Value =
        serde_json::from_str(state.chat(key).json.get()).unwrap_or_else(|_| json!({}));
    put(&mut full, "accent_color_id", 0);
    put(&mut full, "max_reaction_count", 11);
    put(
        &mut full,
        "accepted_gift_types",
        json!({
            "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false,
            "premium_subscription": false, "gifts_from_channels": false,
        }),
    );
    let pinned = state.chat(key).pinned.iter().rev();
    if let Some(message) = pinned.filter_map(|it| state.message_json(key, *it)).next() {
        let message: Value = serde_json::from_slice(&message).unwrap_or_else(|_| json!({}));
        put(&mut full, "pinned_message", message);
    }
    if !key.is_private() {
        put(&mut full, "permissions", json!({"can_send_messages": true}));
    }
    Ok(to_json(&full))
}

pub(super) fn member(state: &State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = chat_of(state, call)?;
    let id = call.params.integer("user_id").unwrap_or_default();
    let chat = state.chat(key);
    let bot = state.bot_with_id(id);
    let person = state.people.get(&id);
    let user = match (bot, person) {
        (Some(bot), _) => &state.bot(bot).user,
        (None, Some(person)) => &person.user,
        (None, None) => return Err(Refusal::bad("member not found")),
    };
    let status = if bot.is_some_and(|bot| chat.left.contains(&bot)) {
        "left"
    } else if bot.is_some() || (chat.members.contains(&id) && !chat.admins.contains(&id)) {
        "member"
    } else if chat.admins.contains(&id) {
        "administrator"
    } else {
        "left"
    };
    let mut member = json!({"status": status});
    put(&mut member, "user", user);
    if status == "administrator" {
        for right in ADMIN_RIGHTS {
            put(&mut member, right, right != "can_be_edited" && right != "is_anonymous");
        }
    }
    Ok(to_json(&member))
}

/// The fields that `ChatMemberAdministrator` must have.
const ADMIN_RIGHTS: [&str; 13] = [
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
];

pub(super) fn file(state: &State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let id = call.params.text("file_id").unwrap_or_default();
    let file = state.file(|file| file.id == id);
    let file = file.ok_or_else(|| Refusal::bad("invalid file_id"))?;
    if file.bytes.len() > DOWNLOAD_BYTES_MAX {
        return Err(Refusal::bad("file is too big"));
    }
    Ok(to_json(&json!({
        "file_id": file.id,
        "file_unique_id": format!("u{}", file.id),
        "file_size": file.bytes.len(),
        "file_path": file.path,
    })))
}

pub(super) fn leave(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    match chat_of(state, call)? {
        ChatKey::Private { .. } => {
            Err(Refusal::bad("chat member status can't be changed in private chats"))
        }
        key @ ChatKey::Group(id) => {
            state.chat_mut(key).left.insert(call.bot);
            state.accepted(call, id, 0, "", None);
            Ok(yes())
        }
    }
}
