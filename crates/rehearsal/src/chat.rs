//! `/chat/*`: what the chat page of a person asks for.
//!
//! A private chat carries the bot's id here, as in the person's own app; a group carries its own.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::control::{BODY_BYTES_MAX, Edit, SendFile};
use crate::json::put;
use crate::telegram::respond;
use crate::world::{ChatKey, PersonEvent, Press, Say, World, WorldError};

pub(crate) fn routes(world: World) -> Router {
    Router::new()
        .route("/chat/people", get(people))
        .route("/chat/commands", get(commands))
        .route("/chat/events", get(events))
        .route("/chat/send", post(send))
        .route("/chat/edit", post(edit))
        .route("/chat/press", post(press))
        .route("/chat/link", post(link))
        .route("/chat/stop", post(stop))
        .route("/chat/file/{id}", get(file))
        .route("/chat/file", post(send_file).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .with_state(world)
}

async fn people(Shared(world): Shared<World>) -> Json<Value> {
    let state = world.lock();
    let people: Vec<Value> = state
        .people
        .values()
        .map(|person| {
            let seed = &person.seed;
            json!({
                "id": seed.id,
                "name": seed.first_name,
                "username": seed.username,
                "role": seed.role,
            })
        })
        .collect();
    let bots: Vec<Value> = state
        .bots
        .iter()
        .map(|bot| json!({"id": bot.id, "username": bot.seed.username, "name": bot.seed.name}))
        .collect();
    let mut answer = json!({"people": people, "bots": bots});
    let suggestions = &state.config.suggestions;
    if !suggestions.is_empty() {
        put(&mut answer, "suggestions", suggestions);
    }
    if let Some(desk) = &state.config.desk {
        put(&mut answer, "desk", desk.json());
    }
    if let Some(console) = &state.config.console_url {
        put(&mut answer, "console", console);
    }
    Json(answer)
}

#[derive(Deserialize)]
struct Where {
    person: i64,
    chat: Option<i64>,
}

async fn commands(
    Shared(world): Shared<World>,
    Query(at): Query<Where>,
) -> Result<Json<Value>, WorldError> {
    let mut state = world.lock();
    let key = state.place(at.person, at.chat)?;
    let commands: Vec<_> = match key {
        ChatKey::Private { bot, .. } => state.menu(bot, key, at.person).to_vec(),
        ChatKey::Group(_) => {
            state.bot_indices().flat_map(|bot| state.menu(bot, key, at.person).to_vec()).collect()
        }
    };
    Ok(Json(json!({"commands": commands})))
}

async fn send(
    Shared(world): Shared<World>,
    Json(say): Json<Say>,
) -> Result<Json<Value>, WorldError> {
    Ok(Json(json!(world.say(&say)?)))
}

async fn edit(
    Shared(world): Shared<World>,
    Json(edit): Json<Edit>,
) -> Result<Json<Value>, WorldError> {
    Ok(Json(json!(edit.make(&world)?)))
}

async fn send_file(
    Shared(world): Shared<World>,
    Query(file): Query<SendFile>,
    bytes: Bytes,
) -> Result<Json<Value>, WorldError> {
    Ok(Json(json!(file.send(&world, bytes)?)))
}

async fn press(
    Shared(world): Shared<World>,
    Json(press): Json<Press>,
) -> Result<Json<Value>, WorldError> {
    Ok(Json(json!({"callback_query_id": world.press(&press)?})))
}

#[derive(Deserialize)]
struct Link {
    person: i64,
    link: String,
}

async fn link(
    Shared(world): Shared<World>,
    Json(Link { person, link }): Json<Link>,
) -> Result<Json<Value>, WorldError> {
    world.open_link(person, &link)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Stop {
    person: i64,
    chat: Option<i64>,
    draft_id: i64,
}

async fn stop(
    Shared(world): Shared<World>,
    Json(stop): Json<Stop>,
) -> Result<Json<Value>, WorldError> {
    world.stop(stop.person, stop.chat, stop.draft_id)?;
    Ok(Json(json!({})))
}

async fn file(Shared(world): Shared<World>, Path(id): Path<String>) -> Response {
    let state = world.lock();
    let Some(file) = state.file(|file| file.id == id) else {
        return respond(StatusCode::NOT_FOUND, "text/plain", "no such file".into());
    };
    // Always a download: a file from a chat must never run as a page of this server.
    let name: String = file.name.chars().filter(|c| c.is_ascii_graphic() && *c != '"').collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, file.bytes.clone()).into_response()
}

async fn events(
    Shared(world): Shared<World>,
    Query(at): Query<Where>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, WorldError> {
    let (snapshot, receiver) = world.lock().open_page(at.person)?;
    let feed = Feed { world, person: at.person, receiver, first: Some(snapshot) };
    let stream = futures::stream::unfold(feed, |mut feed| async {
        let event = feed.next().await?;
        Some((Ok(Event::default().event(event.name).data(&*event.data)), feed))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// One open page.
struct Feed {
    world: World,
    person: i64,
    receiver: Receiver<PersonEvent>,
    first: Option<PersonEvent>,
}

impl Feed {
    async fn next(&mut self) -> Option<PersonEvent> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(_)) => {
                // The page was too slow: it starts over from what is true now.
                self.receiver = self.receiver.resubscribe();
                Some(self.world.lock().snapshot(self.person))
            }
        }
    }
}
