//! Makes what takes in what people send besides words, from the configuration.

use std::{path::Path, sync::Arc};

use adapters::{
    documents::CellReader,
    models::{HttpModelConfig, HttpSpeaker, HttpTranscriber, SpeakerConfig, TranscriberConfig},
};
use flow::{
    papers::PaperLimits,
    senses::{Abilities, Hearing, Senses},
};
use protocol::hearing::{Rates, Transcriber};
use secrecy::SecretString;
use tokio::runtime::Handle;

use crate::{
    build::{BuildError, micros, toolbox::OURSELVES},
    config::{Config, Loaded, TranscriptionConfig},
};

/// The longest transcript, in bytes: two hours of fast talk have some 150,000 letters.
const TRANSCRIPT_BYTES_MAX: usize = 512 * 1024;

/// Recordings that may wait for the recogniser in this process.
#[cfg(feature = "hearing")]
const RECORDINGS_WAITING_MAX: usize = 8;

/// What Telegram lets bots fetch.
const FETCHED_BYTES_MAX: u64 = 20 << 20;

/// What takes in files. Without a server that is configured nothing is taken.
///
/// # Errors
/// What is wrong with the configuration.
pub(crate) fn senses(loaded: &Loaded, egress: Handle) -> Result<Senses, BuildError> {
    let rates = Rates {
        minute_micros: micros(loaded.config.transcription.price_minute),
        mchars_micros: micros(loaded.config.speech.price_million_chars),
    };
    let mut senses = Senses::new(egress).costing(rates);
    if let Some(bytes_max) = abilities(&loaded.config).reads_bytes_max {
        senses = senses.reading(bytes_max);
    }
    if let Some(bytes_max) = abilities(&loaded.config).documents_bytes_max {
        let chars_max = loaded.config.limits.document_chars_max;
        let reader = CellReader::new(OURSELVES.into(), chars_max);
        senses = senses.reading_documents(Arc::new(reader), bytes_max);
    }
    if let Some(bytes_max) = abilities(&loaded.config).sees_bytes_max {
        senses = senses.seeing(adapters::pictures::DEVELOP, bytes_max);
    }
    let Some(hearing) = hearing(&loaded.config) else { return Ok(senses) };
    speaking(loaded, senses.hearing(transcriber(loaded)?, hearing))
}

/// Who listens: a server, or a model in this process.
fn transcriber(loaded: &Loaded) -> Result<Arc<dyn Transcriber>, BuildError> {
    let it = &loaded.config.transcription;
    if let Some(folder) = it.folder() {
        return local(folder, it);
    }
    let key = it.key_name().and_then(|name| loaded.secrets.get(&name).cloned());
    let model = it.server().unwrap_or_default();
    let server = HttpModelConfig {
        api_key: key.unwrap_or_else(|| SecretString::from("")),
        allow_private_addresses: it.allow_private,
        ..HttpModelConfig::new("transcription", &it.base_url, "", model)
    };
    let config =
        TranscriberConfig { server, time_max: it.time_max, text_bytes_max: TRANSCRIPT_BYTES_MAX };
    let transcriber = HttpTranscriber::new(config).map_err(|error| BuildError::of(&error))?;
    Ok(Arc::new(transcriber))
}

#[cfg(feature = "hearing")]
fn local(folder: &Path, it: &TranscriptionConfig) -> Result<Arc<dyn Transcriber>, BuildError> {
    let config = adapters::whisper::WhisperConfig {
        folder: folder.to_owned(),
        seconds_max: u32::try_from(it.recording_time_max.as_secs()).unwrap_or(u32::MAX),
        time_max: it.time_max,
        queue_max: RECORDINGS_WAITING_MAX,
    };
    let made = adapters::whisper::LocalTranscriber::load(&config);
    let ear = made.map_err(|error| BuildError::of(&error))?;
    Ok(Arc::new(ear))
}

#[cfg(not(feature = "hearing"))]
fn local(_: &Path, _: &TranscriptionConfig) -> Result<Arc<dyn Transcriber>, BuildError> {
    let text = "transcription.engine: this program was built without a recogniser";
    Err(BuildError::in_words(text))
}

fn speaking(loaded: &Loaded, senses: Senses) -> Result<Senses, BuildError> {
    let it = &loaded.config.speech;
    let Some(model) = &it.model else { return Ok(senses) };
    let key = it.key_name().and_then(|name| loaded.secrets.get(&name).cloned());
    let server = HttpModelConfig {
        api_key: key.unwrap_or_else(|| SecretString::from("")),
        allow_private_addresses: it.allow_private,
        ..HttpModelConfig::new("speech", &it.base_url, "", model)
    };
    let config = SpeakerConfig { server, voice: it.voice.clone(), time_max: it.time_max };
    let speaker = HttpSpeaker::new(config).map_err(|error| BuildError::of(&error))?;
    Ok(senses.speaking(Arc::new(speaker), it.answer_chars_max))
}

/// What the hall can make of files.
#[must_use]
pub(crate) fn abilities(config: &Config) -> Abilities {
    let it = &config.speech;
    let speaks_chars_max = it.model.as_ref().map(|_| it.answer_chars_max);
    let sees = config.models.iter().any(|it| it.sees);
    let sees_bytes_max = sees.then_some(config.limits.picture_bytes_max.0);
    let reads_bytes_max = config.limits.text_file_bytes_max.0.map(|it| it.0.min(FETCHED_BYTES_MAX));
    let documents_bytes_max = config.limits.document_bytes_max.0;
    let documents_bytes_max = documents_bytes_max.map(|it| it.0.min(FETCHED_BYTES_MAX));
    Abilities {
        hears: hearing(config),
        reads_bytes_max,
        documents_bytes_max,
        sees_bytes_max,
        speaks_chars_max,
    }
}

/// How much is kept of the files that a person brings.
#[must_use]
pub(crate) fn papers(config: &Config) -> PaperLimits {
    let it = &config.limits;
    PaperLimits {
        papers_max: it.kept_files_max,
        bytes_max: usize::try_from(it.kept_files_bytes_max.0).unwrap_or(usize::MAX),
        chars_max: it.document_chars_max,
    }
}

/// Which recordings are taken, where somebody listens.
#[must_use]
fn hearing(config: &Config) -> Option<Hearing> {
    let it = &config.transcription;
    it.listens().then_some(Hearing {
        bytes_max: it.recording_bytes_max.0,
        seconds_max: it.recording_time_max.as_secs(),
        hints: it.language_hint,
    })
}

/// Who gets what people record, in words for the privacy notice; nothing where nobody listens, or only
/// this process.
#[must_use]
pub(crate) fn listener(config: &Config) -> Option<String> {
    let it = &config.transcription;
    it.server().and_then(|_| host(&it.base_url))
}

/// Who speaks answers to it, likewise.
#[must_use]
pub(crate) fn voice(config: &Config) -> Option<String> {
    let it = &config.speech;
    it.model.as_ref().and_then(|_| host(&it.base_url))
}

fn host(url: &str) -> Option<String> {
    // lost-ok: the address was checked with the configuration.
    let url = url::Url::parse(url).ok()?;
    url.host_str().map(str::to_owned)
}
