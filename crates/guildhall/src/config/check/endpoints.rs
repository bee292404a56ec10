//! Servers beside the models that get what people send: their addresses and keys.

use std::path::Path;

use super::{
    super::sections::{SpeechConfig, TranscriptionConfig, TranscriptionEngine},
    Check, is_private,
};

impl Check<'_> {
    pub(super) fn transcription(&mut self) {
        let it = self.config.transcription.clone();
        match (it.engine, &it.path) {
            (TranscriptionEngine::Local, None) => {
                let text = "must name the folder of the model: scripts/fetch-whisper fetches one";
                return self.note("transcription.path", text);
            }
            (TranscriptionEngine::Local, Some(_)) => return,
            (TranscriptionEngine::Http, _) => {}
        }
        if it.model.is_none() {
            return;
        }
        self.endpoint("transcription", &it.base_url, it.allow_private);
        self.endpoint_key("transcription", (it.api_key_env.as_deref(), it.api_key_file.as_deref()));
    }

    pub(super) fn speech(&mut self) {
        let it = self.config.speech.clone();
        if it.model.is_none() {
            return;
        }
        if !self.config.transcription.listens() {
            self.note(
                "speech.model",
                "needs `transcription.model` or `transcription.path`: only what was heard is answered so",
            );
        }
        if it.voice.is_empty() {
            self.note("speech.voice", "must say what the server calls the voice");
        }
        self.endpoint("speech", &it.base_url, it.allow_private);
        self.endpoint_key("speech", (it.api_key_env.as_deref(), it.api_key_file.as_deref()));
    }

    /// Where money is capped, a recogniser and a voice of somebody else have a price. One in the hall's
    /// own network may be free.
    pub(super) fn senses_have_prices(&mut self, part: &str) {
        let (ear, voice) = (&self.config.transcription, &self.config.speech);
        let (ear, voice) = (
            ear.server().is_some() && !ear.allow_private && ear.price_minute <= 0.0,
            voice.model.is_some() && !voice.allow_private && voice.price_million_chars <= 0.0,
        );
        for (has_none, key) in
            [(ear, "transcription.price_minute"), (voice, "speech.price_million_chars")]
        {
            if has_none {
                let text = format!("caps in money need a price here, too: set `{key}`");
                self.note(&format!("budgets.{part}"), text);
            }
        }
    }

    /// A server beside the models that gets what people send.
    fn endpoint(&mut self, section: &str, address: &str, allow_private: bool) {
        let key = format!("{section}.base_url");
        let Some(url) = self.server(&key, address).filter(|_| !allow_private) else { return };
        if is_private(&url) {
            let text = format!(
                "is on this machine or in a private network: set `{section}.allow_private = true` \
                 if that is meant"
            );
            self.note(&key, text);
        } else if url.scheme() == "http" {
            self.note(&key, "would send what people say and the key in the clear: use https");
        }
    }

    fn endpoint_key(&mut self, section: &str, key: (Option<&str>, Option<&Path>)) {
        match key {
            (None, None) => {}
            (Some(_), Some(_)) => {
                let key = format!("{section}.api_key_file");
                self.note(&key, "give `api_key_env` or `api_key_file`, not both");
            }
            (Some(name), None) => {
                self.secret(&format!("{section}.api_key_env"), name, None);
            }
            (None, file) => {
                self.secret(&format!("{section}.api_key_file"), &format!("{section}.key"), file);
            }
        }
    }
}

impl SpeechConfig {
    /// The name under which its key stands among the secrets; `None` if it needs none.
    #[must_use]
    pub fn key_name(&self) -> Option<String> {
        let in_file = || self.api_key_file.as_ref().map(|_path| "speech.key".to_owned());
        self.api_key_env.clone().or_else(in_file)
    }
}

impl TranscriptionConfig {
    /// True if somebody listens.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.server().is_some() || self.folder().is_some()
    }

    /// What a server calls its model, where one listens.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        match self.engine {
            TranscriptionEngine::Http => self.model.as_deref(),
            TranscriptionEngine::Local => None,
        }
    }

    /// The folder of the model, where one in this process listens.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self.engine {
            TranscriptionEngine::Http => None,
            TranscriptionEngine::Local => self.path.as_deref(),
        }
    }

    /// The name under which its key stands among the secrets; `None` if it needs none.
    #[must_use]
    pub fn key_name(&self) -> Option<String> {
        let in_file = || self.api_key_file.as_ref().map(|_path| "transcription.key".to_owned());
        self.api_key_env.clone().or_else(in_file)
    }
}
