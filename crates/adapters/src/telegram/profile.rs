//! The name and the description of a bot, as people see them before they write to it.
//!
//! Telegram lets them be changed only now and then: what is there already is left alone.

use protocol::messenger::MessengerError;
use serde_json::{Value, json};

use super::{TelegramBot, client::Client};

const NAME_CHARS_MAX: usize = 64;
const SHORT_CHARS_MAX: usize = 120;
const LONG_CHARS_MAX: usize = 512;

impl TelegramBot {
    /// Gives the bot a name and says what it is for.
    ///
    /// # Errors
    /// See [`MessengerError`]. What was set stays.
    pub async fn be_called(&self, name: &str, about: &str) -> Result<(), MessengerError> {
        let client = self.client();
        let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        set(client, "Name", "name", cut(name, NAME_CHARS_MAX)).await?;
        set(client, "ShortDescription", "short_description", cut(about, SHORT_CHARS_MAX)).await?;
        set(client, "Description", "description", cut(about, LONG_CHARS_MAX)).await
    }
}

async fn set(client: &Client, what: &str, key: &str, text: String) -> Result<(), MessengerError> {
    let there: Value = client.call(&format!("getMy{what}"), &json!({})).await?;
    if there.get(key).and_then(Value::as_str) == Some(text.as_str()) {
        return Ok(());
    }
    let done: bool = client.call(&format!("setMy{what}"), &json!({ key: text })).await?;
    // Telegram says true or an error.
    debug_assert!(done, "setMy{what} answered false");
    Ok(())
}
