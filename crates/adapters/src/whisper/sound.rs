//! The samples of a voice message: OGG with OPUS, as strangers send it.

use std::io::Cursor;

use ogg::PacketReader;
use opus_decoder::OpusDecoder;

/// Samples a second, as Whisper was trained.
pub(super) const RATE: usize = 16_000;
/// Samples of the longest packet there can be: 120 ms.
const PACKET_SAMPLES_MAX: usize = RATE * 120 / 1_000;

/// Why there are no samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SoundError {
    #[error("it is no OGG with OPUS")]
    Unknown,
    #[error("it is damaged")]
    Broken,
    #[error("it is longer than is taken")]
    TooLong,
}

/// Reads a recording of at most so many seconds: one channel, from -1 to 1.
///
/// # Errors
/// See [`SoundError`].
pub(super) fn read(bytes: &[u8], seconds_max: u32) -> Result<Vec<f32>, SoundError> {
    let samples_max = usize::try_from(seconds_max).unwrap_or(usize::MAX).saturating_mul(RATE);
    let mut packets = PacketReader::new(Cursor::new(bytes));
    let head = packets.read_packet().ok().flatten().ok_or(SoundError::Unknown)?;
    let skip = skipped(&head.data).ok_or(SoundError::Unknown)?;
    let stream = head.stream_serial();
    let mut decoder = OpusDecoder::new(16_000, 1).map_err(|_never| SoundError::Unknown)?;
    let mut samples = Vec::new();
    let mut buffer = vec![0.0; PACKET_SAMPLES_MAX];
    let mut has_tags = false;
    while let Some(packet) = packets.read_packet().map_err(|_damaged| SoundError::Broken)? {
        if packet.stream_serial() != stream {
            continue;
        }
        if !std::mem::replace(&mut has_tags, true) {
            continue;
        }
        let count = decoder.decode_float(&packet.data, &mut buffer, false);
        let count = count.map_err(|_damaged| SoundError::Broken)?;
        samples.extend_from_slice(buffer.get(..count).ok_or(SoundError::Broken)?);
        if samples_max.saturating_add(skip) < samples.len() {
            return Err(SoundError::TooLong);
        }
    }
    samples.drain(..skip.min(samples.len()));
    if samples.is_empty() { Err(SoundError::Broken) } else { Ok(samples) }
}

/// How many samples at the beginning are not meant to be heard; nothing where it is no head of OPUS
/// with one or two channels.
fn skipped(head: &[u8]) -> Option<usize> {
    let [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', version, channels, low, high, ..] = head
    else {
        return None;
    };
    let family = head.get(18)?;
    let is_ours = *version < 16 && matches!(channels, 1 | 2) && *family == 0;
    // It counts 48,000 a second.
    is_ours.then(|| usize::from(u16::from_le_bytes([*low, *high])) / 3)
}

#[cfg(test)]
pub(super) mod tests {
    use opus_pure::{Application, MAX_PACKET_BYTES, OggOpusWriter, OpusEncoder, OpusHead};

    use super::*;

    /// A recording by another hand than the one that reads it.
    pub(in super::super) fn recorded(samples: &[f32]) -> Vec<u8> {
        let mut encoder = OpusEncoder::new(16_000, 1, Application::Voip).unwrap();
        let head = OpusHead::for_encoder(&encoder, 16_000);
        let mut writer = OggOpusWriter::new(Vec::new(), head).unwrap();
        let mut packet = vec![0; MAX_PACKET_BYTES];
        for block in samples.chunks_exact(320) {
            let length = encoder.encode(block, 320, &mut packet).unwrap();
            writer.write_packet(&packet[..length]).unwrap();
        }
        writer.finish().unwrap()
    }

    fn tone(seconds: f32) -> Vec<f32> {
        let count = (seconds * RATE as f32) as usize;
        (0..count).map(|it| (it as f32 * 0.17).sin() * 0.5).collect()
    }

    #[test]
    fn a_tone_comes_out_as_loud_and_as_long_as_it_was() {
        let samples = read(&recorded(&tone(2.0)), 60).unwrap();
        assert!((31_000..=32_400).contains(&samples.len()), "{}", samples.len());
        let loud = |it: &[f32]| (it.iter().map(|it| it * it).sum::<f32>() / it.len() as f32).sqrt();
        let (was, is) = (loud(&tone(2.0)), loud(&samples));
        assert!((was - is).abs() < 0.05, "{was} {is}");
    }

    #[test]
    fn what_is_too_long_or_damaged_or_no_recording_is_refused() {
        let recording = recorded(&tone(2.0));
        assert_eq!(read(&recording, 1), Err(SoundError::TooLong));
        for bytes in [&b""[..], b"OggS", b"RIFF\0\0\0\0WAVE", &recording[..40], &[7; 900]] {
            assert_eq!(read(bytes, 60), Err(SoundError::Unknown), "{}", bytes.len());
        }
        // Every byte of a recording may be another one: nothing panics, and nothing is endless.
        let recording = recorded(&tone(0.3));
        for place in (0..recording.len()).step_by(11) {
            let mut damaged = recording.clone();
            damaged[place] ^= 0x55;
            if let Ok(samples) = read(&damaged, 60) {
                assert!(samples.len() <= 61 * RATE);
            }
        }
    }
}
