//! Speech to text and back, as OpenAI's endpoints do it, without hearing or speaking anything.
//!
//! A recording says what stands in it between `[said:` and `]`; without that it says how long it is. What is
//! spoken is such a recording.

use axum::{
    Json,
    body::Bytes,
    extract::{Multipart, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Here, fault::Fault, request::Protocol, respond};

/// The largest upload that OpenAI takes.
pub(super) const UPLOAD_BYTES_MAX: usize = 25 << 20;
/// The longest text that OpenAI speaks, in characters.
const INPUT_CHARS_MAX: usize = 4_096;

/// The fields of a transcription that matter.
#[derive(Default)]
struct Asked {
    file: Option<(String, Bytes)>,
    model: String,
    language: String,
    format: String,
}

/// `POST /v1/audio/transcriptions`.
pub(super) async fn transcriptions(
    State(world): Here,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response {
    let refuse = |status, words: &str| respond::refuse(Protocol::OpenAi, status, None, words);
    if !world.lets_in(&headers) {
        return refuse(401, "Incorrect API key provided.");
    }
    let mut asked = Asked::default();
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let Ok(bytes) = field.bytes().await else { return refuse(413, "The file is too large.") };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "file" => asked.file = file_name.map(|it| (it, bytes)),
            "model" => asked.model = text,
            "language" => asked.language = text,
            "response_format" => asked.format = text,
            _ => return refuse(400, "Unknown parameter."),
        }
    }
    let Some((name, bytes)) = asked.file else { return refuse(400, "you must provide a file") };
    let endings = ["flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "oga", "wav", "webm"];
    if !name.rsplit_once('.').is_some_and(|(_, it)| endings.contains(&it)) {
        return refuse(400, "Invalid file format.");
    }
    if asked.model.is_empty() || !matches!(asked.format.as_str(), "" | "json") {
        return refuse(400, "you must provide a model parameter");
    }
    let length = bytes.len();
    let record = json!({"file": name, "bytes": length, "language": asked.language});
    if let Some(fault) = world.took_sound("transcription", &asked.model, &record.to_string()) {
        return failed(&fault);
    }
    let said = said_in(&bytes).unwrap_or_else(|| format!("A recording of {length} bytes."));
    Json(json!({"text": said})).into_response()
}

/// What `POST /v1/audio/speech` takes.
#[derive(Deserialize)]
pub(super) struct Speech {
    model: String,
    input: String,
    voice: String,
    response_format: Option<String>,
}

/// `POST /v1/audio/speech`.
pub(super) async fn speech(
    State(world): Here,
    headers: HeaderMap,
    Json(asked): Json<Speech>,
) -> Response {
    let refuse = |status, words: &str| respond::refuse(Protocol::OpenAi, status, None, words);
    if !world.lets_in(&headers) {
        return refuse(401, "Incorrect API key provided.");
    }
    let chars = asked.input.chars().count();
    if !(1..=INPUT_CHARS_MAX).contains(&chars) || asked.voice.is_empty() {
        return refuse(400, "Invalid input or voice.");
    }
    if asked.response_format.as_deref() != Some("opus") {
        return refuse(400, "only opus is rehearsed");
    }
    let record = json!({"input": asked.input, "voice": asked.voice});
    if let Some(fault) = world.took_sound("speech", &asked.model, &record.to_string()) {
        return failed(&fault);
    }
    let bytes = format!("OggS[said:{}]", asked.input.replace(']', ")"));
    ([(header::CONTENT_TYPE, "audio/ogg")], bytes).into_response()
}

fn said_in(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let (_, said) = text.split_once("[said:")?;
    Some(said.split_once(']')?.0.to_owned())
}

/// What goes wrong with a whole answer in JSON; the rest is for streams.
fn failed(fault: &Fault) -> Response {
    match fault {
        Fault::Status { code, retry_after_s } => {
            respond::refuse(Protocol::OpenAi, *code, *retry_after_s, "Not now.")
        }
        Fault::EmptyAnswer => Json(json!({"text": ""})).into_response(),
        Fault::HugeAnswer => Json(json!({"text": super::huge(super::HUGE_BYTES)})).into_response(),
        Fault::HangBeforeHeaders
        | Fault::WrongContentType
        | Fault::BadJson
        | Fault::TruncatedSse
        | Fault::HangMidStream
        | Fault::CutMidStream
        | Fault::SlowDrip { .. } => (StatusCode::OK, "{\"text\":").into_response(),
    }
}
