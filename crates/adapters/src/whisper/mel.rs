//! How a sound is divided for Whisper: into windows of at most half a minute, and each of these into the
//! bands of pitch that it was trained on.

use candle_transformers::models::whisper::{N_FFT, N_SAMPLES, SAMPLE_RATE};

/// Frequencies of a spectrum.
const BINS: usize = N_FFT / 2 + 1;
/// A window may end so much earlier, where it is quietest.
const EARLIER: usize = 5 * SAMPLE_RATE;
/// How long it must be quiet there.
const PAUSE: usize = SAMPLE_RATE / 5;

/// The weights of each band over the spectrum, as Slaney has them: a row for each of `bands`.
#[expect(clippy::cast_precision_loss, reason = "some hundreds")]
pub(super) fn filters(bands: usize) -> Vec<f32> {
    let top = mel(SAMPLE_RATE as f64 / 2.0);
    let edge = |at: usize| hertz(top * at as f64 / (bands + 1) as f64);
    let mut filters = Vec::with_capacity(bands * BINS);
    for band in 0..bands {
        let (low, middle, high) = (edge(band), edge(band + 1), edge(band + 2));
        for bin in 0..BINS {
            let at = bin as f64 * SAMPLE_RATE as f64 / N_FFT as f64;
            let weight = ((at - low) / (middle - low)).min((high - at) / (high - middle)).max(0.0);
            #[expect(clippy::cast_possible_truncation, reason = "weights between 0 and 1")]
            filters.push((weight * 2.0 / (high - low)) as f32);
        }
    }
    filters
}

/// Where the scale of pitch is straight no more, in hertz and in mel.
const BEND: (f64, f64) = (1_000.0, 15.0);
/// One mel below it, in hertz.
const STEP: f64 = 200.0 / 3.0;

/// What one mel is above it: 27 of them are 6.4 times the pitch.
fn above() -> f64 {
    6.4_f64.ln() / 27.0
}

fn mel(hertz: f64) -> f64 {
    if hertz < BEND.0 { hertz / STEP } else { BEND.1 + (hertz / BEND.0).ln() / above() }
}

fn hertz(mel: f64) -> f64 {
    if mel < BEND.1 { mel * STEP } else { BEND.0 * ((mel - BEND.1) * above()).exp() }
}

/// Cuts a sound into windows, each where it is quietest in its last seconds: so that few words are cut.
pub(super) fn windows(samples: &[f32]) -> Vec<&[f32]> {
    let (mut windows, mut rest) = (Vec::new(), samples);
    while N_SAMPLES < rest.len() {
        let (window, left) = rest.split_at(quietest(rest));
        windows.push(window);
        rest = left;
    }
    windows.push(rest);
    windows
}

fn quietest(samples: &[f32]) -> usize {
    let loud = |from: usize| {
        let pause = samples.get(from..from + PAUSE).unwrap_or_default();
        pause.iter().map(|it| it * it).sum::<f32>()
    };
    let places = (N_SAMPLES - EARLIER..=N_SAMPLES - PAUSE).step_by(PAUSE / 4);
    let quietest = places.min_by(|one, other| loud(*one).total_cmp(&loud(*other)));
    quietest.unwrap_or(N_SAMPLES - PAUSE) + PAUSE / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_are_those_that_whisper_was_trained_with() {
        let filters = filters(80);
        let row = |band: usize| &filters[band * BINS..(band + 1) * BINS];
        // From the file of filters that OpenAI publishes.
        assert!((row(0)[1] - 0.024_862_59).abs() < 1e-6, "{}", row(0)[1]);
        assert!((row(1)[2] - 0.022_871_1).abs() < 1e-3, "{}", row(1)[2]);
        assert!(row(0)[0] == 0.0 && row(79)[200].abs() < 1e-6);
        assert!(filters.iter().all(|it| (0.0..0.03).contains(it)));
        assert!((0..80).all(|band| row(band).iter().any(|it| 0.0 < *it)));
        assert!((hertz(mel(440.0)) - 440.0).abs() < 1e-9);
        assert!((hertz(mel(4_400.0)) - 4_400.0).abs() < 1e-6);
    }

    #[test]
    fn a_long_sound_is_cut_where_it_is_quiet_and_nothing_is_lost() {
        let mut samples = vec![0.5; N_SAMPLES * 2];
        let pause = N_SAMPLES - 3 * SAMPLE_RATE;
        samples[pause..pause + PAUSE].fill(0.0);
        let windows = windows(&samples);
        assert_eq!(windows.iter().map(|it| it.len()).sum::<usize>(), samples.len());
        assert!(windows.iter().all(|it| it.len() <= N_SAMPLES && !it.is_empty()));
        assert!((pause..pause + PAUSE).contains(&windows[0].len()), "{}", windows[0].len());
        assert_eq!(super::windows(&samples[..9]).len(), 1);
    }
}
