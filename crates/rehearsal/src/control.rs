//! `/ctl/*`: what tests and operators of the rehearsal may order. JSON in, JSON out.

use axum::extract::{DefaultBodyLimit, Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{GroupSeed, PersonSeed};
use crate::faults::{Faults, FloodLimits};
use crate::telegram::respond;
use crate::world::{Form, Press, Said, Say, World, WorldError};

/// The largest order, which is a file.
pub(crate) const BODY_BYTES_MAX: usize = 50 << 20;

/// The routes, by what they order:
///
/// | route | body | gives |
/// |---|---|---|
/// | `POST /ctl/text` | `{person, chat?, topic?, text, reply_to?}` | `{message_id, updates}` |
/// | `POST /ctl/edit` | the same and `message_id` | `{message_id, updates}` |
/// | `POST /ctl/press` | `{person, chat?, message_id, data}` | `{callback_query_id}` |
/// | `POST /ctl/push?bot=` | an update, with or without `update_id` | `{update_id, queued}` |
/// | `POST /ctl/raw?bot=&update_id=` | any bytes, handed out as an update | `{}` |
/// | `POST /ctl/jump?bot=&update_id=` | | `{}` |
/// | `POST /ctl/file?person=&chat=&name=&text=&kind=&seconds=&width=&height=` | the file, sent as a `document`, `voice`, `audio` or `photo` | `{message_id, updates}` |
/// | `GET` or `POST /ctl/faults` | [`Faults`] | `{}` |
/// | `POST /ctl/flood` | [`FloodLimits`] | `{}` |
/// | `POST /ctl/block` | `{person, bot?, blocked}` | `{}` |
/// | `POST /ctl/older` | `{older}`: whether it knows no ephemeral messages | `{}` |
/// | `POST /ctl/migrate` | `{chat}` | `{chat}`, the new id |
/// | `POST /ctl/person`, `/ctl/group` | a seed | `{}` |
/// | `GET /ctl/history`, `GET /ctl/stats` | | records, counters |
/// | `POST /ctl/history` | `{record}` | `{}`; forgets what was recorded |
/// | `GET /ctl/pending?bot=` | | `{pending}` |
/// | `GET /ctl/sent/<chat>` | | what bots sent there, oldest first |
/// | `GET /ctl/health` | | `{ok}` |
pub(crate) fn routes(world: World) -> Router {
    Router::new()
        .route("/ctl/text", post(say))
        .route("/ctl/edit", post(edit))
        .route("/ctl/press", post(press))
        .route("/ctl/push", post(push))
        .route("/ctl/raw", post(push_raw))
        .route("/ctl/jump", post(jump))
        .route("/ctl/file", post(send_file))
        .route("/ctl/faults", get(faults).post(set_faults))
        .route("/ctl/flood", post(set_flood))
        .route("/ctl/block", post(block))
        .route("/ctl/older", post(set_older))
        .route("/ctl/migrate", post(migrate))
        .route("/ctl/person", post(add_person))
        .route("/ctl/group", post(add_group))
        .route("/ctl/history", get(history).post(restart_history))
        .route("/ctl/stats", get(stats))
        .route("/ctl/pending", get(pending))
        .route("/ctl/health", get(|| async { Json(json!({"ok": true})) }))
        .route("/ctl/sent/{person}", get(sent))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(world)
}

impl IntoResponse for WorldError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::BadUpdate(_) => StatusCode::BAD_REQUEST,
            Self::NoSuchPerson(_)
            | Self::NoSuchBot
            | Self::NoSuchChat(_)
            | Self::NoSuchMessage(_) => StatusCode::NOT_FOUND,
        };
        let body = json!({"error": self.to_string()}).to_string();
        respond(status, "application/json", body.into())
    }
}

type Answer = Result<Json<Value>, WorldError>;

fn done() -> Answer {
    Ok(Json(json!({})))
}

/// Names a bot; the first one when nothing is named.
#[derive(Deserialize)]
struct WhichBot {
    bot: Option<i64>,
    update_id: Option<i64>,
}

impl WhichBot {
    fn id(&self, world: &World) -> i64 {
        self.bot.unwrap_or_else(|| world.first_bot_id())
    }
}

async fn say(Shared(world): Shared<World>, Json(say): Json<Say>) -> Answer {
    Ok(Json(json!(world.say(&say)?)))
}

#[derive(Deserialize)]
pub(crate) struct Edit {
    person: i64,
    chat: Option<i64>,
    message_id: i64,
    text: String,
}

impl Edit {
    /// Edits it.
    pub(crate) fn make(self, world: &World) -> Result<Said, WorldError> {
        let Self { person, chat, message_id, text } = self;
        world.edit(&Say { person, chat, text, ..Say::default() }, message_id)
    }
}

async fn edit(Shared(world): Shared<World>, Json(edit): Json<Edit>) -> Answer {
    Ok(Json(json!(edit.make(&world)?)))
}

async fn press(Shared(world): Shared<World>, Json(press): Json<Press>) -> Answer {
    Ok(Json(json!({"callback_query_id": world.press(&press)?})))
}

async fn push(
    Shared(world): Shared<World>,
    Query(which): Query<WhichBot>,
    Json(update): Json<Value>,
) -> Answer {
    Ok(Json(json!(world.push_update(which.id(&world), &update)?)))
}

async fn push_raw(
    Shared(world): Shared<World>,
    Query(which): Query<WhichBot>,
    update: Bytes,
) -> Answer {
    world.push_raw(which.id(&world), which.update_id.unwrap_or_default(), update)?;
    done()
}

async fn jump(Shared(world): Shared<World>, Query(which): Query<WhichBot>) -> Answer {
    world.jump_update_id(which.id(&world), which.update_id.unwrap_or_default())?;
    done()
}

#[derive(Deserialize)]
pub(crate) struct SendFile {
    person: i64,
    chat: Option<i64>,
    name: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    kind: FileKind,
    #[serde(default)]
    seconds: u64,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
}

/// As what a file is sent.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FileKind {
    #[default]
    Document,
    Voice,
    Audio,
    Photo,
}

impl SendFile {
    /// Sends it.
    pub(crate) fn send(self, world: &World, bytes: Bytes) -> Result<Said, WorldError> {
        let Self { person, chat, name, text, kind, seconds, width, height } = self;
        let form = match kind {
            FileKind::Document => Form::Document,
            FileKind::Voice => Form::Voice { seconds },
            FileKind::Audio => Form::Audio { seconds },
            FileKind::Photo => Form::Photo { width, height },
        };
        let say = Say { person, chat, text, ..Say::default() };
        world.send_as(&say, &name, bytes, form)
    }
}

async fn send_file(
    Shared(world): Shared<World>,
    Query(file): Query<SendFile>,
    bytes: Bytes,
) -> Answer {
    Ok(Json(json!(file.send(&world, bytes)?)))
}

async fn faults(Shared(world): Shared<World>) -> Json<Faults> {
    Json(world.faults())
}

async fn set_faults(Shared(world): Shared<World>, Json(faults): Json<Faults>) -> Answer {
    world.set_faults(faults);
    done()
}

async fn set_flood(Shared(world): Shared<World>, Json(limits): Json<FloodLimits>) -> Answer {
    world.set_flood(limits);
    done()
}

#[derive(Deserialize)]
struct Block {
    person: i64,
    bot: Option<i64>,
    blocked: bool,
}

async fn block(Shared(world): Shared<World>, Json(block): Json<Block>) -> Answer {
    let bot = block.bot.unwrap_or_else(|| world.first_bot_id());
    world.block(block.person, bot, block.blocked)?;
    done()
}

#[derive(Deserialize)]
struct Older {
    older: bool,
}

async fn set_older(Shared(world): Shared<World>, Json(order): Json<Older>) -> Answer {
    world.set_older(order.older);
    done()
}

#[derive(Deserialize)]
struct Migrate {
    chat: i64,
}

async fn migrate(Shared(world): Shared<World>, Json(group): Json<Migrate>) -> Answer {
    Ok(Json(json!({"chat": world.migrate(group.chat)?})))
}

async fn add_person(Shared(world): Shared<World>, Json(seed): Json<PersonSeed>) -> Answer {
    world.add_person(seed);
    done()
}

async fn add_group(Shared(world): Shared<World>, Json(seed): Json<GroupSeed>) -> Answer {
    world.add_group(&seed);
    done()
}

async fn history(Shared(world): Shared<World>) -> Response {
    Json(world.history()).into_response()
}

#[derive(Deserialize)]
struct Record {
    record: bool,
}

async fn restart_history(Shared(world): Shared<World>, Json(order): Json<Record>) -> Answer {
    world.restart_history(order.record);
    done()
}

async fn stats(Shared(world): Shared<World>) -> Response {
    Json(world.stats()).into_response()
}

async fn pending(Shared(world): Shared<World>, Query(which): Query<WhichBot>) -> Answer {
    Ok(Json(json!({"pending": world.pending(which.id(&world))?})))
}

/// The messages bots sent to a chat, oldest first, out of the history.
async fn sent(Shared(world): Shared<World>, Path(chat): Path<i64>) -> Json<Value> {
    Json(json!(world.sent_to(chat)))
}
