//! The figures of listening and speaking.

use std::time::Duration;

use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use protocol::hearing::Toll;

use super::{Ended, Tally};

/// Of recordings that were to be heard, and of answers that were to be spoken.
#[derive(Debug)]
pub(super) struct Senses {
    heard: Family<Ended, Counter>,
    heard_seconds: Counter,
    hearing_seconds: Histogram,
    spoken: Family<Ended, Counter>,
    spoken_chars: Counter,
    speaking_seconds: Histogram,
}

impl Default for Senses {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.1, 2.0, 12));
        Self {
            heard: Family::default(),
            heard_seconds: Counter::default(),
            hearing_seconds: seconds(),
            spoken: Family::default(),
            spoken_chars: Counter::default(),
            speaking_seconds: seconds(),
        }
    }
}

impl Senses {
    pub(super) fn register(&self, registry: &mut Registry) {
        let requests = "Recordings that a recogniser was asked to hear, by result";
        registry.register("transcription_requests", requests, self.heard.clone());
        let audio = "Seconds of recordings that were heard";
        registry.register("transcription_audio_seconds", audio, self.heard_seconds.clone());
        let took = "Duration of hearing one recording";
        registry.register("transcription_duration_seconds", took, self.hearing_seconds.clone());
        let requests = "Answers that a voice was asked to speak, by result";
        registry.register("speech_requests", requests, self.spoken.clone());
        let chars = "Characters that were spoken";
        registry.register("speech_characters", chars, self.spoken_chars.clone());
        let took = "Duration of speaking one answer";
        registry.register("speech_duration_seconds", took, self.speaking_seconds.clone());
    }
}

impl Tally {
    /// A recording was heard, or an answer spoken, and has a price.
    pub fn sensed(&self, toll: &Toll, took: Duration) {
        self.not_sensed(toll, "ok", took);
        self.0.senses.heard_seconds.inc_by(u64::from(toll.heard_seconds));
        self.0.senses.spoken_chars.inc_by(u64::from(toll.spoken_chars));
        self.cost(toll.cost_micros);
    }

    /// A recording was not heard, or an answer not spoken.
    pub fn not_sensed(&self, toll: &Toll, result: &'static str, took: Duration) {
        let it = &self.0.senses;
        let (requests, durations) = match toll.spoken_chars {
            0 => (&it.heard, &it.hearing_seconds),
            _ => (&it.spoken, &it.speaking_seconds),
        };
        requests.get_or_create(&Ended { result }).inc();
        durations.observe(took.as_secs_f64());
    }
}
