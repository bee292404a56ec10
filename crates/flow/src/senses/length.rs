//! How long a recording is, where its file says so itself: what its sender says need not be true.

/// Samples a second in which OGG counts OPUS, whatever was recorded.
const OPUS_RATE: u64 = 48_000;

/// The length of OGG with OPUS in seconds, rounded up; nothing for other files.
pub(super) fn of(bytes: &[u8]) -> Option<u32> {
    let head = bytes.get(..bytes.len().min(512))?;
    if !bytes.starts_with(b"OggS") || !head.windows(8).any(|it| it == b"OpusHead") {
        return None;
    }
    // The last page says how many samples there are up to its end.
    let last = bytes.windows(5).rposition(|it| it == b"OggS\0")?;
    let position = bytes.get(last + 6..last + 14)?;
    let samples = u64::from_le_bytes(position.try_into().ok()?);
    let seconds = samples.div_ceil(OPUS_RATE);
    // A page that ends nothing says minus one.
    u32::try_from(seconds).ok().filter(|_| samples != u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(samples: u64, body: &[u8]) -> Vec<u8> {
        [b"OggS\0\0".as_slice(), &samples.to_le_bytes(), &[0; 12], body].concat()
    }

    #[test]
    fn a_recording_s_last_page_says_how_long_it_is() {
        let head = page(0, b"OpusHead\x01");
        let of_two = [head.clone(), page(48_000, b"x"), page(100_000, b"y")].concat();
        assert_eq!(of(&of_two), Some(3));
        assert_eq!(of(&[head.clone(), page(u64::MAX, b"y")].concat()), None);
        assert_eq!(of(&[head, b"OggS\0\0\x01".to_vec()].concat()), None, "it is cut off");
        assert_eq!(of(&page(48_000, b"vorbis")), None);
        assert_eq!(of(b"RIFF"), None);
    }
}
