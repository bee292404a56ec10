//! Whisper itself: from samples to words, one window after the other, always the likeliest word.

use std::{
    fs,
    path::{Path, PathBuf},
};

use candle_core::{Device, IndexOp as _, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::whisper::{
    DTYPE, EOT_TOKEN, LOGPROB_THRESHOLD, N_FRAMES, N_SAMPLES, NO_SPEECH_THRESHOLD,
    NO_SPEECH_TOKENS, NO_TIMESTAMPS_TOKEN, SOT_TOKEN, TRANSCRIBE_TOKEN, audio::pcm_to_mel,
    model::Whisper,
};
use serde::Deserialize;
use tokenizers::Tokenizer;

use super::{WhisperError, mel, weights};

/// The largest file that is read into memory.
const FILE_BYTES_MAX: u64 = 4 << 30;
/// The most words, or parts of words, of one window.
const TOKENS_MAX: usize = 224;
/// So often in a row the same words are said by a model that has lost its way, and by no person.
const REPEATS_MAX: usize = 4;
/// A sound that is never louder than this is silence.
const SILENCE: f32 = 0.003;

/// What may go wrong while it works.
type EngineError = Box<dyn std::error::Error + Send + Sync>;

/// What the settings say that come with a model.
#[derive(Debug, Default, Deserialize)]
struct Settings {
    /// Tokens that are never said.
    #[serde(default)]
    suppress_ids: Vec<u32>,
    /// Those with which nothing begins.
    #[serde(default)]
    suppress_ids_begin: Vec<u32>,
}

/// Tokens that mean something.
#[derive(Debug)]
struct Marks {
    start: u32,
    end: u32,
    transcribe: u32,
    no_times: u32,
    no_speech: Option<u32>,
    /// Of a model that knows several: their two letters.
    languages: Vec<(String, u32)>,
}

/// A model that is ready to hear.
pub(super) struct Engine {
    whisper: Whisper,
    tokenizer: Tokenizer,
    settings: Settings,
    marks: Marks,
    filters: Vec<f32>,
}

impl Engine {
    /// Reads the files of a folder.
    pub(super) fn load(folder: &Path) -> Result<Self, WhisperError> {
        let not_a_model =
            |source: EngineError| WhisperError::NotAModel { folder: folder.to_owned(), source };
        let settings = read(folder.join("config.json"))?;
        let words = read(folder.join("tokenizer.json"))?;
        let file = read(folder.join("model.bin"))?;
        let settings: Settings =
            serde_json::from_slice(&settings).map_err(|error| not_a_model(error.into()))?;
        let tokenizer = Tokenizer::from_bytes(&words).map_err(not_a_model)?;
        let read = weights::read(&file).map_err(|error| not_a_model(error.into()))?;
        drop(file);
        let marks = Marks::of(&tokenizer, read.config.vocab_size).map_err(not_a_model)?;
        let filters = mel::filters(read.config.num_mel_bins);
        let tensors = VarBuilder::from_tensors(read.tensors, DTYPE, &Device::Cpu);
        let whisper = Whisper::load(&tensors, read.config);
        let whisper = whisper.map_err(|error| not_a_model(error.into()))?;
        Ok(Self { whisper, tokenizer, settings, marks, filters })
    }

    /// What is said, and in which language. `is_gone` tells that nobody waits any more.
    pub(super) fn hear(
        &mut self,
        samples: &[f32],
        hint: Option<&str>,
        is_gone: &dyn Fn() -> bool,
    ) -> Result<(String, Option<String>), EngineError> {
        let mut texts: Vec<String> = Vec::new();
        let mut language = self.marks.language(hint);
        for window in mel::windows(samples) {
            if window.iter().all(|it| it.abs() < SILENCE) {
                continue;
            }
            let sound = self.sound(window)?;
            if language.is_none() && !self.marks.languages.is_empty() {
                language = self.guess_language(&sound)?;
            }
            let tokens = self.words(&sound, language.as_ref().map(|(_, token)| *token), is_gone)?;
            let text = self.tokenizer.decode(&tokens, true)?;
            texts.push(text.trim().to_owned());
            if is_gone() {
                break;
            }
        }
        texts.retain(|it| !it.is_empty());
        let english = || "en".to_owned();
        let language = language.map_or_else(english, |(letters, _)| letters);
        Ok((texts.join(" "), (!texts.is_empty()).then_some(language)))
    }

    /// A window as the model understands it.
    fn sound(&mut self, window: &[f32]) -> Result<Tensor, EngineError> {
        let mut padded = window.to_vec();
        padded.resize(N_SAMPLES, 0.0);
        let config = &self.whisper.config;
        let (bands, mel) = (config.num_mel_bins, pcm_to_mel(config, &padded, &self.filters));
        let frames = mel.len() / bands.max(1);
        let mel = Tensor::from_vec(mel, (1, bands, frames), &Device::Cpu)?;
        let mel = mel.narrow(2, 0, N_FRAMES.min(frames))?;
        Ok(self.whisper.encoder.forward(&mel, true)?)
    }

    /// The language of a window, by the first token that the model would say.
    fn guess_language(&mut self, sound: &Tensor) -> Result<Option<(String, u32)>, EngineError> {
        let said = self.next(&[self.marks.start], sound, true)?;
        let score = |token: u32| score(&said, token);
        let languages = self.marks.languages.iter();
        let likeliest = languages.max_by(|one, other| score(one.1).total_cmp(&score(other.1)));
        Ok(likeliest.cloned())
    }

    /// The words of a window; none where nothing is said in it.
    fn words(
        &mut self,
        sound: &Tensor,
        language: Option<u32>,
        is_gone: &dyn Fn() -> bool,
    ) -> Result<Vec<u32>, EngineError> {
        let marks = &self.marks;
        let mut tokens = vec![marks.start];
        tokens.extend(language.into_iter().flat_map(|it| [it, marks.transcribe]));
        tokens.push(marks.no_times);
        let begin = tokens.len();
        let most = begin + TOKENS_MAX.min(self.whisper.config.max_target_positions / 2);
        let (mut sum, mut silence) = (0.0, 0.0);
        while tokens.len() < most && !is_gone() {
            let is_first = tokens.len() == begin;
            let mut said = self.next(&tokens, sound, is_first)?;
            if is_first {
                silence = self.silence(sound)?;
                // That was asked with other words: what it remembers of the sound is the same.
            }
            self.suppress(&mut said, is_first);
            let (token, certain) = likeliest(&said);
            sum += certain;
            if token == self.marks.end {
                break;
            }
            tokens.push(token);
            if let Some(once) = repeated(tokens.get(begin..).unwrap_or_default()) {
                tokens.truncate(begin + once);
                break;
            }
        }
        let words = tokens.split_off(begin);
        #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
        let mean = sum / (words.len() + 1) as f64;
        let is_silence = NO_SPEECH_THRESHOLD < silence && mean < LOGPROB_THRESHOLD;
        Ok(if is_silence { Vec::new() } else { words })
    }

    /// How likely it is that nobody speaks.
    fn silence(&mut self, sound: &Tensor) -> Result<f64, EngineError> {
        let Some(token) = self.marks.no_speech else { return Ok(0.0) };
        let said = self.next(&[self.marks.start], sound, true)?;
        Ok(f64::from(score(&said, token) - log_sum(&said)).exp())
    }

    /// How likely each token is to come next, as logarithms that are not yet put in relation.
    fn next(
        &mut self,
        tokens: &[u32],
        sound: &Tensor,
        is_new: bool,
    ) -> Result<Vec<f32>, EngineError> {
        let decoder = &mut self.whisper.decoder;
        let asked = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let states = decoder.forward(&asked, sound, is_new)?;
        let last = states.i((..1, tokens.len() - 1..))?;
        Ok(decoder.final_linear(&last)?.i(0)?.i(0)?.to_vec1()?)
    }

    fn suppress(&self, said: &mut [f32], is_first: bool) {
        let begin = if is_first { self.settings.suppress_ids_begin.as_slice() } else { &[] };
        for token in self.settings.suppress_ids.iter().chain(begin) {
            let place = usize::try_from(*token).ok().and_then(|it| said.get_mut(it));
            place.into_iter().for_each(|it| *it = f32::NEG_INFINITY);
        }
        // Behind it are times.
        let times = usize::try_from(self.marks.no_times).unwrap_or(usize::MAX);
        said.iter_mut().skip(times).for_each(|it| *it = f32::NEG_INFINITY);
    }
}

impl Marks {
    fn of(tokenizer: &Tokenizer, words: usize) -> Result<Self, EngineError> {
        let there = |mark: &str| {
            let token = tokenizer.token_to_id(mark).filter(|it| (*it as usize) < words);
            token.ok_or_else(|| EngineError::from(format!("there is no token {mark}")))
        };
        let no_speech = NO_SPEECH_TOKENS.iter().find_map(|it| tokenizer.token_to_id(it));
        let (start, transcribe) = (there(SOT_TOKEN)?, there(TRANSCRIBE_TOKEN)?);
        // A model that knows English only has one token less, and its languages mean nothing.
        let is_english = tokenizer.token_to_id(EOT_TOKEN) == Some(50_256);
        let mut languages = Vec::new();
        if !is_english {
            for token in start + 1..transcribe {
                let mark = tokenizer.id_to_token(token).unwrap_or_default();
                let letters = mark.strip_prefix("<|").and_then(|it| it.strip_suffix("|>"));
                let letters = letters.filter(|it| (2..=3).contains(&it.len()));
                languages.extend(letters.map(|it| (it.to_owned(), token)));
            }
        }
        let (end, no_times) = (there(EOT_TOKEN)?, there(NO_TIMESTAMPS_TOKEN)?);
        Ok(Self { start, end, transcribe, no_times, no_speech, languages })
    }

    /// The language that is hinted at, if it is known.
    fn language(&self, hint: Option<&str>) -> Option<(String, u32)> {
        self.languages.iter().find(|(letters, _)| Some(letters.as_str()) == hint).cloned()
    }
}

fn score(said: &[f32], token: u32) -> f32 {
    let token = usize::try_from(token).unwrap_or(usize::MAX);
    said.get(token).copied().unwrap_or(f32::NEG_INFINITY)
}

/// The token that is likeliest, and the logarithm of how likely it is.
fn likeliest(said: &[f32]) -> (u32, f64) {
    let likeliest = said.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
    let (token, score) = likeliest.unwrap_or((0, &0.0));
    (u32::try_from(token).unwrap_or_default(), f64::from(score - log_sum(said)))
}

fn log_sum(said: &[f32]) -> f32 {
    let most = said.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    most + said.iter().map(|it| (it - most).exp()).sum::<f32>().ln()
}

/// Up to where words were said once, where they have been said again and again since.
fn repeated(words: &[u32]) -> Option<usize> {
    (1..=12).find_map(|length| {
        let from = words.len().checked_sub(length * (REPEATS_MAX + 1))?;
        let tail = words.get(from..)?;
        let once = tail.get(..length)?;
        // One word alone may be meant, as in a song: it has to come twice as often.
        let is_enough = 2 < length || {
            let from = words.len().checked_sub(length * 2 * (REPEATS_MAX + 1));
            let tail = from.and_then(|it| words.get(it..));
            tail.is_some_and(|it| it.chunks(length).all(|it| it == once))
        };
        let is_repeated = is_enough && tail.chunks(length).all(|it| it == once);
        is_repeated.then_some(from + length)
    })
}

fn read(path: PathBuf) -> Result<Vec<u8>, WhisperError> {
    let unreadable = |source| WhisperError::Unreadable { path: path.clone(), source };
    let size = fs::metadata(&path).map_err(unreadable)?.len();
    if FILE_BYTES_MAX < size {
        return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
    }
    fs::read(&path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Instant};

    use super::{super::sound, *};

    #[test]
    fn words_that_come_again_and_again_are_kept_once() {
        assert_eq!(repeated(&[9, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]), Some(4));
        assert_eq!(repeated(&[1, 2, 3, 1, 2, 3, 1, 2, 3]), None);
        assert_eq!(repeated(&[7; 6]), None, "no, no, no, no, no, no");
        assert!(repeated(&[7; 10]).is_some());
        assert_eq!(repeated(&[]), None);
    }

    #[test]
    fn what_is_likeliest_is_told_with_how_likely_it_is() {
        let (token, certain) = likeliest(&[0.0, 3.0, f32::NEG_INFINITY]);
        assert_eq!(token, 1);
        assert!((certain.exp() - 0.9526).abs() < 1e-3, "{certain}");
    }

    /// Speech of a synthesiser, as the chat service sends it: with 16,000 samples a second.
    fn speech(words: &str) -> Option<Vec<f32>> {
        let mut said = Command::new("espeak-ng");
        let said = said.args(["-v", "en-us", "-s", "140", "--stdout", words]).output();
        let wav = said.ok()?.stdout;
        let rate = u32::from_le_bytes(wav.get(24..28)?.try_into().ok()?);
        let pairs = wav.get(44..)?.chunks_exact(2);
        let samples: Vec<f32> =
            pairs.map(|it| f32::from(i16::from_le_bytes([it[0], it[1]])) / 32_768.0).collect();
        let step = f64::from(rate) / 16_000.0;
        let count = (samples.len() as f64 / step) as usize;
        let between = |it: usize| {
            let place = it as f64 * step;
            let (at, part) = (place as usize, place.fract() as f32);
            let next = samples.get(at + 1).copied().unwrap_or_default();
            samples[at] * (1.0 - part) + next * part
        };
        Some((0..count).map(between).collect())
    }

    /// Needs `GUILDHALL_TEST_WHISPER`, see `scripts/fetch-whisper`, and espeak-ng.
    #[test]
    fn speech_of_a_synthesiser_is_heard_with_the_real_weights() {
        let said = "What is the weather today?";
        let folder = std::env::var("GUILDHALL_TEST_WHISPER");
        let (Ok(folder), Some(speech)) = (folder, speech(said)) else {
            println!("left out: GUILDHALL_TEST_WHISPER is not set, or there is no espeak-ng");
            return;
        };
        let mut engine = Engine::load(Path::new(&folder)).unwrap();
        let recording = sound::tests::recorded(&speech);
        let samples = sound::read(&recording, 60).unwrap();
        #[expect(clippy::disallowed_methods, reason = "how long it takes is told, not judged")]
        let began = Instant::now();
        let (text, language) = engine.hear(&samples, None, &|| false).unwrap();
        println!("{} samples in {:?}: {text}", samples.len(), began.elapsed());
        let words = |it: &str| -> String {
            it.to_lowercase().chars().filter(|it| it.is_alphanumeric() || *it == ' ').collect()
        };
        assert_eq!(words(&text), words(said));
        assert_eq!(language.as_deref(), Some("en"));
        // Silence has no words, and a second recording is not mixed with the first.
        assert_eq!(engine.hear(&[0.0; 32_000], None, &|| false).unwrap().0, "");
        let again = engine.hear(&samples, Some("de"), &|| false).unwrap();
        assert_eq!(again.0, text);
        // Nobody waits: it ends at once.
        assert_eq!(engine.hear(&samples, None, &|| true).unwrap().0, "");
    }
}
