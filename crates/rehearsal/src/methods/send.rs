//! Methods that make something appear in a chat.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::rich::{self, InputRich};
use super::{ephemeral, yes};
use crate::json::put;
use crate::keyboard;
use crate::params::Value;
use crate::refusal::Refusal;
use crate::text::{self, CAPTION_UNITS_MAX, Entity, Formatted, TEXT_UNITS_MAX, units};
use crate::world::{Author, Call, ChatKey, Document, Draft, Form, Payload, Sent, State};

/// How long a draft is shown.
const DRAFT_LIFETIME: Duration = Duration::from_secs(30);
/// The largest file a bot may send.
const UPLOAD_BYTES_MAX: usize = 50 << 20;
/// Drafts one chat may show at the same time.
const DRAFTS_PER_CHAT_MAX: usize = 16;

const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

/// The fields of `ReplyParameters` that matter here.
#[derive(Deserialize)]
struct ReplyParameters {
    message_id: Option<i64>,
    #[serde(default)]
    allow_sending_without_reply: bool,
}

/// Where a message goes.
struct Target {
    key: ChatKey,
    thread: Option<i64>,
    reply_to: Option<i64>,
    only_for: Option<i64>,
}

pub(super) fn chat_of(state: &State, call: &Call<'_>) -> Result<ChatKey, Refusal> {
    let chat = call.params.text("chat_id").unwrap_or_default();
    state.target(call.bot, &chat)
}

fn target(state: &State, call: &Call<'_>) -> Result<Target, Refusal> {
    let key = chat_of(state, call)?;
    let chat = state.chat(key);
    let thread = call.params.integer("message_thread_id").filter(|thread| *thread != 0);
    // Telegram refuses the General topic's own id in sends.
    if thread.is_some_and(|thread| thread == 1 || !chat.topics.contains_key(&thread)) {
        return Err(Refusal::bad("message thread not found"));
    }
    let mut reply_to = None;
    if let Some(reply) = call.params.object::<ReplyParameters>("reply_parameters")?
        && let Some(id) = reply.message_id
    {
        if chat.message(id).is_some() {
            reply_to = Some(id);
        } else if !reply.allow_sending_without_reply {
            return Err(Refusal::bad("message to be replied not found"));
        }
    }
    let only_for = ephemeral::receiver(state, call, key)?;
    Ok(Target { key, thread, reply_to, only_for })
}

/// The text of a call, parsed and within the limit; may be empty.
pub(super) fn body(
    call: &Call<'_>,
    [text, entities]: [&str; 2],
    units_max: usize,
    too_long: &str,
) -> Result<Formatted, Refusal> {
    let source = call.params.text(text).unwrap_or_default();
    let mode = call.params.text("parse_mode");
    let entities = match &mode {
        None => call.params.object::<Vec<Entity>>(entities)?,
        Some(_) => None,
    };
    let body = text::parse(&source, mode.as_deref(), entities)?;
    if units(&body.text) > units_max {
        return Err(Refusal::bad(too_long));
    }
    Ok(body)
}

pub(super) fn text_body(call: &Call<'_>) -> Result<Formatted, Refusal> {
    let body = body(call, ["text", "entities"], TEXT_UNITS_MAX, "message is too long")?;
    if body.text.is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    Ok(body)
}

/// Posts the message, ends the drafts it replaces, and tells whoever watches.
fn post(
    state: &mut State,
    call: &Call<'_>,
    target: &Target,
    payload: Payload,
) -> Result<Vec<u8>, Refusal> {
    let chat = target.key.id();
    state.admit(chat)?;
    let text = payload.body.text.clone();
    let Target { key, thread, reply_to, only_for } = *target;
    let author = Author::Bot(call.bot);
    let id = state.post_for(key, only_for, author, (thread, reply_to), payload);
    end_drafts(state, call, chat);
    state.tell_bots(call.bot, key, id);
    state.accepted(call, chat, id, &text, reply_to);
    let bot = state.bot(call.bot).id;
    state.sent(&Sent { bot, chat, message_id: id, text: &text, reply_to });
    Ok(state.message_json(key, id).unwrap_or_default())
}

pub(super) fn message(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let target = target(state, call)?;
    let body = text_body(call)?;
    let markup = keyboard::read(call.params)?;
    post(state, call, &target, Payload { body, markup, ..Payload::default() })
}

pub(super) fn rich(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let target = target(state, call)?;
    let (body, rich) = rich_body(call)?;
    let markup = keyboard::read(call.params)?;
    post(
        state,
        call,
        &target,
        Payload { body, markup, rich: Some(Arc::new(rich)), ..Payload::default() },
    )
}

fn rich_body(call: &Call<'_>) -> Result<(Formatted, serde_json::Value), Refusal> {
    let input = call.params.object::<InputRich>("rich_message")?;
    rich::read(&input.ok_or_else(|| Refusal::bad("rich message is empty"))?)
}

pub(super) fn document(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    file(state, call, "document", Form::Document)
}

/// Telegram shows other files than OGG with OPUS as music or as files; they are refused here, so that a test
/// sees it.
pub(super) fn voice(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let upload = call.params.upload("voice");
    if upload.is_some_and(|it| !it.bytes.starts_with(b"OggS")) {
        return Err(Refusal::bad("a voice message must be OGG"));
    }
    let seconds = call.params.integer("duration").unwrap_or_default();
    file(state, call, "voice", Form::Voice { seconds: seconds.unsigned_abs() })
}

fn file(
    state: &mut State,
    call: &Call<'_>,
    field: &'static str,
    form: Form,
) -> Result<Vec<u8>, Refusal> {
    let target = target(state, call)?;
    let names = ["caption", "caption_entities"];
    let body = body(call, names, CAPTION_UNITS_MAX, "message caption is too long")?;
    let markup = keyboard::read(call.params)?;
    let document: Document = match call.params.upload(field) {
        Some(upload) if upload.bytes.is_empty() => {
            return Err(Refusal::bad("file must be non-empty"));
        }
        Some(upload) if upload.bytes.len() > UPLOAD_BYTES_MAX => {
            return Err(Refusal::new(413, "Request Entity Too Large"));
        }
        Some(upload) => {
            let upload = upload.clone();
            (&state.keep_file(&upload.name, form.folder(), upload.bytes)).into()
        }
        None => {
            let id = call.params.get(field).and_then(Value::text).unwrap_or_default();
            let file = state.file(|file| file.id == id);
            file.ok_or_else(|| Refusal::bad("wrong file identifier/HTTP URL specified"))?.into()
        }
    };
    let document = Document { form, ..document };
    let payload = Payload { body, markup, document: Some(document), ..Payload::default() };
    post(state, call, &target, payload)
}

pub(super) fn action(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = chat_of(state, call)?;
    let action = call.params.text("action").unwrap_or_default();
    if !ACTIONS.contains(&action.as_ref()) {
        return Err(Refusal::bad("wrong parameter action in request"));
    }
    let thread = call.params.integer("message_thread_id");
    if thread.is_some_and(|thread| !state.chat(key).topics.contains_key(&thread)) {
        return Err(Refusal::bad("message thread not found"));
    }
    state.announce(key, "action", &json!({"action": action}));
    Ok(yes())
}

pub(super) fn draft(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let body = body(call, ["text", "entities"], TEXT_UNITS_MAX, "message is too long")?;
    show_draft(state, call, &body, None)
}

pub(super) fn rich_draft(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let (body, rich) = rich_body(call)?;
    show_draft(state, call, &body, Some(&rich))
}

fn show_draft(
    state: &mut State,
    call: &Call<'_>,
    body: &Formatted,
    rich: Option<&serde_json::Value>,
) -> Result<Vec<u8>, Refusal> {
    let key = chat_of(state, call)?;
    let ChatKey::Private { bot, person } = key else {
        return Err(Refusal::bad("method is available only in private chats"));
    };
    let id = call.params.integer("draft_id").unwrap_or_default();
    if id == 0 {
        return Err(Refusal::bad("draft_id must be non-zero"));
    }
    let draft = Draft {
        id,
        thread: call.params.integer("message_thread_id"),
        keep_on_stop: call.params.flag("keep_on_stop"),
        expires: Instant::now() + DRAFT_LIFETIME,
    };
    let drafts = state.bot_mut(bot).drafts.entry(person).or_default();
    drafts.retain(|known| known.id != id);
    if drafts.len() >= DRAFTS_PER_CHAT_MAX {
        return Err(Refusal::bad("too many drafts"));
    }
    drafts.push(draft);
    let text = if body.text.is_empty() { "Thinking…" } else { &body.text };
    let mut event = json!({
        "draft_id": id,
        "text": text,
        "entities": body.entities,
        "can_stop": call.params.flag("can_stop"),
    });
    if let Some(rich) = rich {
        put(&mut event, "rich_message", rich);
    }
    state.announce(key, "draft", &event);
    state.accepted(call, person, 0, &body.text, None);
    Ok(yes())
}

fn end_drafts(state: &mut State, call: &Call<'_>, chat: i64) {
    if state.bot(call.bot).drafts.is_empty() {
        return;
    }
    for draft in state.bot_mut(call.bot).drafts.remove(&chat).unwrap_or_default() {
        state.announce_draft_end(call.bot, chat, draft.id);
    }
}
