//! The raw pump: the least work a bot can do. No state, no checks, no order: the ceiling to compare a bot with.
//!
//! Receives  updates in batches of 100, by long polling.
//! Sends     one completion request and one `sendMessage` for each text, over connections that are kept open.
//! On crash  whatever was in flight is gone; that is what makes it the ceiling and not a bot.

use std::{borrow::Cow, sync::Arc, time::Duration};

use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

/// Messages that may be worked on at once.
const IN_FLIGHT_MAX: usize = 512;
/// Wait after a failed poll, so that a server that is gone is not hammered.
const POLL_PAUSE: Duration = Duration::from_millis(200);
/// How long one request may take, a long poll included.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);

/// Where the pump pumps.
#[derive(Clone, Debug)]
pub struct PumpConfig {
    /// Base URL of the Bot API, without a slash at its end.
    pub telegram_url: String,
    /// The bot's token.
    pub token: String,
    /// Base URL of the chat completions protocol, `…/v1`.
    pub openai_url: String,
    /// The model to ask for.
    pub model: String,
}

/// Why the pump could not start.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// A variable of the environment is missing.
    #[error("the environment variable {0} is not set")]
    NoVariable(&'static str),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

impl PumpConfig {
    /// Reads `TELEGRAM_API_URL`, `TELEGRAM_BOT_TOKEN`, `OPENAI_BASE_URL` and, if it is there, `OPENAI_MODEL`.
    ///
    /// # Errors
    /// When one of the first three is not set.
    pub fn from_env() -> Result<Self, PumpError> {
        let get = |name| std::env::var(name).ok().ok_or(PumpError::NoVariable(name));
        let url = |name| get(name).map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self {
            telegram_url: url("TELEGRAM_API_URL")?,
            token: get("TELEGRAM_BOT_TOKEN")?,
            openai_url: url("OPENAI_BASE_URL")?,
            model: get("OPENAI_MODEL").unwrap_or_else(|_none| "rehearsal-1".to_owned()),
        })
    }
}

#[derive(Deserialize)]
struct Updates<'a> {
    #[serde(borrow)]
    result: Vec<Update<'a>>,
}

#[derive(Deserialize)]
struct Update<'a> {
    update_id: i64,
    #[serde(borrow)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    chat: Chat,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
}

#[derive(Serialize)]
struct Ask<'a> {
    model: &'a str,
    messages: [Said<'a>; 1],
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Content<'a>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Serialize)]
struct Send<'a> {
    chat_id: i64,
    text: &'a str,
}

struct Pump {
    client: Client,
    completions: String,
    send_message: String,
    model: String,
}

/// Pumps until it is dropped; returns only when it cannot start.
///
/// # Errors
/// When the HTTP client cannot be made.
pub async fn pump(config: &PumpConfig) -> Result<std::convert::Infallible, PumpError> {
    let client = Client::builder().no_proxy().timeout(REQUEST_TIME_MAX);
    let client = client.tcp_nodelay(true).build().map_err(PumpError::Client)?;
    let bot = format!("{}/bot{}", config.telegram_url, config.token);
    let pump = Arc::new(Pump {
        client,
        completions: format!("{}/chat/completions", config.openai_url),
        send_message: format!("{bot}/sendMessage"),
        model: config.model.clone(),
    });
    let mut at_work = JoinSet::new();
    let mut offset = 0;
    loop {
        let url = format!("{bot}/getUpdates?limit=100&timeout=30&offset={offset}");
        let Some(batch) = pump.get(&url).await else {
            tokio::time::sleep(POLL_PAUSE).await;
            continue;
        };
        let Ok(updates) = serde_json::from_slice::<Updates<'_>>(&batch) else {
            tokio::time::sleep(POLL_PAUSE).await;
            continue;
        };
        for update in updates.result {
            offset = update.update_id + 1;
            let Some(Message { chat, text: Some(text) }) = update.message else { continue };
            let (pump, text) = (pump.clone(), text.into_owned());
            at_work.spawn(async move { pump.answer(chat.id, &text).await });
            if at_work.len() > IN_FLIGHT_MAX {
                at_work.join_next().await;
            }
        }
        while at_work.try_join_next().is_some() {}
    }
}

impl Pump {
    /// Answers one message. A failure anywhere loses it: a raw pump tries nothing twice.
    async fn answer(&self, chat_id: i64, text: &str) -> Option<()> {
        let ask = Ask { model: &self.model, messages: [Said { role: "user", content: text }] };
        let body = self.post(&self.completions, &ask).await?;
        let answer: Answer<'_> = serde_json::from_slice(&body).ok()?;
        let text = &answer.choices.first()?.message.content;
        self.post(&self.send_message, &Send { chat_id, text }).await?;
        Some(())
    }

    async fn get(&self, url: &str) -> Option<bytes::Bytes> {
        self.client.get(url).send().await.ok()?.error_for_status().ok()?.bytes().await.ok()
    }

    async fn post<T: Serialize + Sync>(&self, url: &str, body: &T) -> Option<bytes::Bytes> {
        let call = self.client.post(url).json(body);
        call.send().await.ok()?.error_for_status().ok()?.bytes().await.ok()
    }
}
