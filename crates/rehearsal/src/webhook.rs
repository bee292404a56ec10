//! Webhooks: setting them, and delivering updates to them.
//!
//! Receives  `setWebhook` and its like; the bot's queue through its bell.
//! Sends     each update as a POST: in order within a chat, chats side by side up to `max_connections`.
//! On crash  nothing is lost: an update leaves the queue only after a 2xx.
//!
//! Invariants: WEBHOOK-1 two updates of one chat are never on their way at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::api::Api;
use crate::clock::unix;
use crate::config::Config;
use crate::json::put;
use crate::params::Params;
use crate::queue::UPDATE_LIFETIME;
use crate::refusal::Refusal;
use crate::world::{BotIndex, Call, State, World};

/// Connections a bot may ask for, and what it gets when it does not ask.
const CONNECTIONS_MAX: i64 = 100;
const CONNECTIONS_DEFAULT: i64 = 40;
/// The longest `Retry-After` that is honoured.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// How long an endpoint may answer 410 before it is forgotten.
const GONE_TIME_MAX: Duration = Duration::from_secs(23 * 3600);
/// How long one delivery may take.
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(60);
/// The largest answer that is read for a method call in it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Where a bot wants its updates.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    url: String,
    secret: Option<String>,
    max_connections: usize,
    /// Counts `setWebhook`s, so that a delivery knows whether it is still wanted.
    number: u64,
    last_error: Option<(i64, String)>,
    gone_since: Option<Instant>,
}

pub(crate) fn set(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let params = call.params;
    let url = params.text("url").unwrap_or_default().into_owned();
    if url.is_empty() {
        return delete(state, call);
    }
    let bad = |reason: &str| Refusal::bad(format!("bad webhook: {reason}"));
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
        return Err(bad("An HTTPS URL must be provided for webhook"));
    }
    let secret = params.text("secret_token").map(|secret| secret.into_owned());
    let secret = secret.filter(|secret| !secret.is_empty());
    if let Some(secret) = &secret {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if secret.len() > 256 {
            return Err(Refusal::bad("secret token is too long"));
        }
        if !secret.bytes().all(fits) {
            return Err(Refusal::bad("secret token contains unallowed characters"));
        }
    }
    let connections = params.integer("max_connections").unwrap_or(CONNECTIONS_DEFAULT);
    let connections = connections.clamp(1, CONNECTIONS_MAX);
    let kinds = params.object::<Vec<String>>("allowed_updates")?;
    if params.flag("drop_pending_updates") {
        state.bot_mut(call.bot).queue.clear();
    }
    let bot = state.bot_mut(call.bot);
    if let Some(names) = kinds {
        bot.kinds = Api::get().kinds_named(&names);
    }
    bot.webhook = Some(Webhook {
        url,
        secret,
        max_connections: usize::try_from(connections).unwrap_or(1),
        number: bot.webhook.as_ref().map_or(1, |webhook| webhook.number + 1),
        last_error: None,
        gone_since: None,
    });
    bot.queue.open_lanes();
    bot.wake.notify_waiters();
    Ok(b"true".to_vec())
}

pub(crate) fn delete(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let drop_pending = call.params.flag("drop_pending_updates");
    let bot = state.bot_mut(call.bot);
    bot.webhook = None;
    bot.queue.close_lanes();
    if drop_pending {
        bot.queue.clear();
    }
    bot.wake.notify_waiters();
    Ok(b"true".to_vec())
}

pub(crate) fn info(state: &State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let bot = state.bot(call.bot);
    let mut info = json!({
        "url": "",
        "has_custom_certificate": false,
        "pending_update_count": bot.queue.len(),
    });
    if let Some(webhook) = &bot.webhook {
        put(&mut info, "url", &webhook.url);
        put(&mut info, "max_connections", webhook.max_connections);
        if let Some((date, message)) = &webhook.last_error {
            put(&mut info, "last_error_date", date);
            put(&mut info, "last_error_message", message);
        }
    }
    let api = Api::get();
    if bot.kinds != api.default_kinds() {
        put(&mut info, "allowed_updates", json!(api.kind_names(bot.kinds)));
    }
    Ok(info.to_string().into_bytes())
}

// === Delivery ===

/// One update on its way, with what its lane remembers of earlier tries.
struct Delivery {
    chat: i64,
    place: u64,
    number: u64,
    created: Instant,
    outcome: Outcome,
}

enum Outcome {
    /// 2xx, with the method call in the answer, if there is one.
    Taken(Bytes),
    Failed {
        gone: bool,
        why: String,
        retry_after: Option<Duration>,
    },
}

/// Delivers one bot's updates for as long as it is polled. Cancel-safe: what was on its way stays queued.
pub(crate) struct Deliverer {
    world: World,
    bot: BotIndex,
    client: reqwest::Client,
    retry: Duration,
    retry_max: Duration,
    on_the_way: JoinSet<Delivery>,
    /// Failed tries in a row, by chat.
    failures: BTreeMap<i64, u32>,
    /// Lanes that wait before their next try.
    waiting: BTreeSet<(Instant, i64)>,
}

impl Deliverer {
    pub(crate) fn new(world: World, bot: BotIndex, config: &Config) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DELIVERY_TIME_MAX)
            .no_proxy()
            .build()?;
        Ok(Self {
            world,
            bot,
            client,
            retry: config.webhook_retry,
            retry_max: config.webhook_retry_max,
            on_the_way: JoinSet::new(),
            failures: BTreeMap::new(),
            waiting: BTreeSet::new(),
        })
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let wake = self.world.lock().bot(self.bot).wake.clone();
        loop {
            let mut woken = std::pin::pin!(wake.notified());
            woken.as_mut().enable();
            self.send_what_is_due();
            let due = self.waiting.first().map(|(due, _)| *due);
            let next_try = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = woken => {}
                () = next_try => {}
                Some(done) = self.on_the_way.join_next() => {
                    if let Ok(delivery) = done {
                        self.settle(&delivery);
                    }
                }
            }
        }
    }

    fn send_what_is_due(&mut self) {
        let now = Instant::now();
        let mut state = self.world.lock();
        while let Some((due, chat)) = self.waiting.first().copied().filter(|(due, _)| *due <= now) {
            self.waiting.remove(&(due, chat));
            state.bot_mut(self.bot).queue.retry_lane(chat);
        }
        let Some(webhook) = state.bot(self.bot).webhook.clone() else { return };
        while self.on_the_way.len() < webhook.max_connections {
            let Some((place, update)) = state.bot_mut(self.bot).queue.take_lane() else { break };
            state.handed_out(&update);
            let mut request = self
                .client
                .post(&webhook.url)
                .header(reqwest::header::CONTENT_TYPE, "application/json");
            if let Some(secret) = &webhook.secret {
                request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
            }
            let request = request.body(update.json);
            let (chat, number, created) = (update.chat, webhook.number, update.created);
            self.on_the_way.spawn(async move {
                let outcome = deliver(request).await;
                Delivery { chat, place, number, created, outcome }
            });
        }
    }

    /// Confirms what was taken, and plans the next try of what was not.
    fn settle(&mut self, delivery: &Delivery) {
        let chat = delivery.chat;
        let mut state = self.world.lock();
        match &delivery.outcome {
            Outcome::Taken(answer) => {
                self.failures.remove(&chat);
                if let Some(webhook) = &mut state.bot_mut(self.bot).webhook {
                    webhook.gone_since = None;
                }
                state.delivered(self.bot, chat, delivery.place);
                state.obey(self.bot, answer);
            }
            Outcome::Failed { gone, why, retry_after } => {
                let now = Instant::now();
                let failures = self.failures.entry(chat).or_default();
                let wait =
                    retry_after.unwrap_or_else(|| back_off(self.retry, self.retry_max, *failures));
                *failures += 1;
                let too_late = now + wait >= delivery.created + UPDATE_LIFETIME;
                if too_late {
                    self.failures.remove(&chat);
                    state.bot_mut(self.bot).queue.delivered(chat, delivery.place);
                } else {
                    self.waiting.insert((now + wait, chat));
                }
                let current = state.bot_mut(self.bot).webhook.as_mut();
                let Some(webhook) = current.filter(|webhook| webhook.number == delivery.number)
                else {
                    return;
                };
                webhook.last_error = Some((unix(), why.clone()));
                let since = *webhook.gone_since.get_or_insert(now);
                if !gone {
                    webhook.gone_since = None;
                } else if now.duration_since(since) >= GONE_TIME_MAX {
                    state.forget_webhook(self.bot);
                }
            }
        }
    }
}

impl State {
    /// An update is confirmed by its delivery.
    fn delivered(&mut self, bot: BotIndex, chat: i64, place: u64) {
        let Some(update) = self.bot_mut(bot).queue.delivered(chat, place) else { return };
        self.stats.updates_confirmed += 1;
        if let Some(record) = update.record {
            self.history.confirmed(record);
        }
    }

    /// Carries out the method call in a webhook's answer; like Telegram, tells nobody how it went.
    fn obey(&mut self, bot: BotIndex, answer: &[u8]) {
        let Ok(params) = Params::from_json(answer) else { return };
        let Some(method) = params.text("method").and_then(|name| Api::get().method(&name)) else {
            return;
        };
        let params = params.without("method");
        if let Err(refusal) = self.call(bot, method, &params) {
            // lost-ok: Telegram gives no answer here either; `call` has recorded the refusal.
            drop(refusal);
        }
    }

    fn forget_webhook(&mut self, bot: BotIndex) {
        let bot = self.bot_mut(bot);
        bot.webhook = None;
        bot.queue.close_lanes();
    }
}

/// At once, then `first`, doubled each time, up to `max`.
fn back_off(first: Duration, max: Duration, failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => first.saturating_mul(1 << doublings.min(20)).min(max),
    }
}

async fn deliver(request: reqwest::RequestBuilder) -> Outcome {
    let failed = |why: String| Outcome::Failed { gone: false, why, retry_after: None };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return failed("Read timeout expired".to_owned()),
        Err(_unreachable) => return failed("Connection refused".to_owned()),
    };
    let status = response.status();
    if !status.is_success() {
        let seconds = response.headers().get(reqwest::header::RETRY_AFTER);
        let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
        let reason = status.canonical_reason().unwrap_or_default();
        return Outcome::Failed {
            gone: status == reqwest::StatusCode::GONE,
            why: format!("Wrong response from the webhook: {} {reason}", status.as_u16()),
            retry_after: seconds.map(|s| Duration::from_secs(s).min(RETRY_AFTER_MAX)),
        };
    }
    let mut answer = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if answer.len() + chunk.len() > ANSWER_BYTES_MAX {
            break;
        }
        answer.extend_from_slice(&chunk);
    }
    Outcome::Taken(answer.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_at_once_and_then_the_wait_doubles_up_to_the_cap() {
        let (first, max) = (Duration::from_secs(2), Duration::from_secs(60));
        let waits: Vec<_> = (0..8).map(|n| back_off(first, max, n).as_secs()).collect();
        assert_eq!(waits, [0, 2, 4, 8, 16, 32, 60, 60]);
    }
}
