//! The file of weights: how it is laid out, read and written.
//!
//! Little-endian: the magic `GHATK`, a version byte, 16 bit count of header numbers and the numbers
//! (f32), 32 bit count of lexicon entries and the entries (two u64 each), then three tables of
//! signed bytes: grams, concepts, kinds. A weight is its byte times the scale in the header.

use std::borrow::Cow;

use super::{
    AttackKind,
    features::{GRAM_BITS, IDEA_BITS},
};

const MAGIC: &[u8; 6] = b"GHATK\x02";
/// Entries of the table of one kind, as a power of two.
pub(super) const KIND_BITS: u32 = 13;
/// Numbers in the header.
const HEADER_NUMBERS: usize = 18;
/// Stretches up to which their number does not count.
const STRETCHES_FEW: usize = 4;
/// Stretches from which on their mean says what the text is about, even if a part is an attack.
const STRETCHES_MANY: usize = 40;
/// How much of what the stretches of a text have in common is not held against one of them.
const CONTEXT_SHARE: f32 = 0.8;
/// Lexicon entries at most.
const ENTRIES_MAX: usize = 1 << 16;

/// Why bytes are no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Something else, or a model of another version.
    #[error("not an attack model of this version")]
    Unknown,
    /// Too short, too long, or a number out of range.
    #[error("the attack model is damaged")]
    Damaged,
}

/// All that training finds.
#[derive(Clone, Debug)]
pub(super) struct Weights<'b> {
    pub(super) entries: Vec<(u64, u64)>,
    pub(super) gram_scale: f32,
    pub(super) gram_bias: f32,
    pub(super) idea_scale: f32,
    pub(super) idea_bias: f32,
    /// How much each half counts in the raw score, and what is added to it.
    pub(super) gram_share: f32,
    pub(super) idea_share: f32,
    pub(super) offset: f32,
    /// What a stretch must be worse by than the line, in a text of few stretches.
    pub(super) stretch_penalty: f32,
    /// By how much more, for each time that the text has e times as many.
    pub(super) stretch_growth: f32,
    /// The mean of the stretches of a text about nothing of ours.
    pub(super) calm: f32,
    /// What a worse mean may excuse at most.
    pub(super) context_max: f32,
    pub(super) kind_scale: f32,
    pub(super) kind_bias: [f32; AttackKind::ALL.len()],
    /// The scores from which levels low and high act; medium acts from 0.5.
    pub(super) score_min_low: f32,
    pub(super) score_min_high: f32,
    tables: Cow<'b, [u8]>,
}

impl<'b> Weights<'b> {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is no model of this version.
    pub(super) fn read(bytes: Cow<'b, [u8]>) -> Result<Self, ModelError> {
        let mut reader = Reader { left: &bytes };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(ModelError::Unknown);
        }
        let mut header = [0.0; HEADER_NUMBERS];
        for number in &mut header {
            *number = reader.float()?;
        }
        let count = reader.word()? as usize;
        if ENTRIES_MAX < count {
            return Err(ModelError::Damaged);
        }
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push((reader.long()?, reader.long()?));
        }
        if reader.left.len() != TABLES_BYTES {
            return Err(ModelError::Damaged);
        }
        let start = bytes.len() - TABLES_BYTES;
        let tables = match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(start..).unwrap_or_default()),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(start)),
        };
        let [
            gram_scale,
            gram_bias,
            idea_scale,
            idea_bias,
            gram_share,
            idea_share,
            offset,
            penalty,
            kind_scale,
            k0,
            k1,
            k2,
            k3,
            score_min_low,
            score_min_high,
            stretch_growth,
            calm,
            context_max,
        ] = header;
        Ok(Self {
            entries,
            gram_scale,
            gram_bias,
            idea_scale,
            idea_bias,
            gram_share,
            idea_share,
            offset,
            stretch_penalty: penalty,
            stretch_growth,
            calm,
            context_max,
            kind_scale,
            kind_bias: [k0, k1, k2, k3],
            score_min_low,
            score_min_high,
            tables,
        })
    }

    /// The byte of one gram.
    pub(super) fn gram(&self, slot: u32) -> i8 {
        self.tables.get(slot as usize).map_or(0, |byte| byte.cast_signed())
    }

    /// The byte of one concept feature.
    pub(super) fn idea(&self, slot: u32) -> i8 {
        self.tables.get(GRAMS + slot as usize).map_or(0, |byte| byte.cast_signed())
    }

    /// The raw score from the sums of the two tables' bytes and the number of features in each.
    pub(super) fn raw(&self, grams: i32, gram_count: u32, ideas: i32, idea_count: usize) -> f32 {
        let gram = self.gram_bias + self.gram_scale * grams as f32 * gram_norm(gram_count as usize);
        let idea = self.idea_bias + self.idea_scale * ideas as f32 * idea_norm(idea_count);
        self.gram_share * gram + self.idea_share * idea + self.offset
    }

    /// What the worst of `count` stretches, `mean` on average, must be worse by than the line: the more
    /// there are, the worse one of them is by chance; and in a text about commands and passwords, all
    /// are somewhat bad.
    pub(super) fn penalty(&self, count: usize, mean: f32) -> f32 {
        let times = count.max(STRETCHES_FEW) as f32 / STRETCHES_FEW as f32;
        let chance = self.stretch_penalty + self.stretch_growth * times.ln();
        if count < STRETCHES_MANY {
            return chance;
        }
        chance + (CONTEXT_SHARE * (mean - self.calm)).clamp(0.0, self.context_max)
    }

    /// The kind that fits best.
    pub(super) fn kind(&self, ideas: &[u32]) -> AttackKind {
        let score = |(at, kind): (usize, AttackKind)| {
            let start = GRAMS + IDEAS + (at << KIND_BITS);
            let slots = ideas.iter().map(|slot| start + kind_slot(*slot));
            let sum: i32 = slots
                .map(|slot| self.tables.get(slot).map_or(0, |b| i32::from(b.cast_signed())))
                .sum();
            let bias = self.kind_bias.get(at).copied().unwrap_or_default();
            (bias + self.kind_scale * sum as f32 * idea_norm(ideas.len()), kind)
        };
        let scored = AttackKind::ALL.into_iter().enumerate().map(score);
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or(AttackKind::PromptInjection, |(_, kind)| kind)
    }

    /// Writes a file that `read` reads.
    #[cfg(feature = "train")]
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let [k0, k1, k2, k3] = self.kind_bias;
        for number in [
            self.gram_scale,
            self.gram_bias,
            self.idea_scale,
            self.idea_bias,
            self.gram_share,
            self.idea_share,
            self.offset,
            self.stretch_penalty,
            self.kind_scale,
            k0,
            k1,
            k2,
            k3,
            self.score_min_low,
            self.score_min_high,
            self.stretch_growth,
            self.calm,
            self.context_max,
        ] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend((self.entries.len() as u32).to_le_bytes());
        for (key, concepts) in &self.entries {
            bytes.extend(key.to_le_bytes());
            bytes.extend(concepts.to_le_bytes());
        }
        bytes.extend_from_slice(&self.tables);
        bytes
    }

    /// Puts tables of floats into bytes, each with a scale of its own.
    #[cfg(feature = "train")]
    pub(super) fn with_tables(mut self, grams: &[f32], ideas: &[f32], kinds: &[f32]) -> Self {
        let mut tables = Vec::with_capacity(TABLES_BYTES);
        for (table, scale) in [
            (grams, &mut self.gram_scale),
            (ideas, &mut self.idea_scale),
            (kinds, &mut self.kind_scale),
        ] {
            let largest = table.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
            *scale = if largest == 0.0 { 1.0 } else { largest / 127.0 };
            // Rounded and in range by the choice of the scale.
            tables.extend(
                table.iter().map(|weight| ((weight / *scale).round() as i8).cast_unsigned()),
            );
        }
        self.tables = Cow::Owned(tables);
        self
    }

    /// Weights that say nothing, for training to begin with.
    #[cfg(feature = "train")]
    pub(super) fn empty(entries: Vec<(u64, u64)>) -> Self {
        Self {
            entries,
            gram_scale: 1.0,
            gram_bias: 0.0,
            idea_scale: 1.0,
            idea_bias: 0.0,
            gram_share: 1.0,
            idea_share: 1.0,
            offset: 0.0,
            stretch_penalty: 0.0,
            stretch_growth: 0.0,
            calm: 0.0,
            context_max: 0.0,
            kind_scale: 1.0,
            kind_bias: [0.0; AttackKind::ALL.len()],
            score_min_low: 0.5,
            score_min_high: 0.5,
            tables: Cow::Owned(vec![0; TABLES_BYTES]),
        }
    }
}

const GRAMS: usize = 1 << GRAM_BITS;
const IDEAS: usize = 1 << IDEA_BITS;
const TABLES_BYTES: usize = GRAMS + IDEAS + (AttackKind::ALL.len() << KIND_BITS);

/// Where a concept feature lies in the table of one kind.
pub(super) fn kind_slot(idea: u32) -> usize {
    (idea & ((1 << KIND_BITS) - 1)) as usize
}

/// What each gram of a text with `count` of them counts: texts of any length weigh alike.
pub(super) fn gram_norm(count: usize) -> f32 {
    1.0 / (16.0 + count as f32).sqrt()
}

/// What each concept feature of a text with `count` of them counts.
pub(super) fn idea_norm(count: usize) -> f32 {
    1.0 / (8.0 + count as f32).sqrt()
}

struct Reader<'b> {
    left: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], ModelError> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(ModelError::Damaged)?;
        self.left = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        let (taken, left) = self.left.split_first_chunk().ok_or(ModelError::Damaged)?;
        self.left = left;
        Ok(*taken)
    }

    fn word(&mut self) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn long(&mut self) -> Result<u64, ModelError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn float(&mut self) -> Result<f32, ModelError> {
        let number = f32::from_le_bytes(self.array()?);
        if number.is_finite() { Ok(number) } else { Err(ModelError::Damaged) }
    }
}
