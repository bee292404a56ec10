//! All forms in which a text is judged: as it is written, and what its encoded parts say.

use crate::{
    decode::{self, Decoded},
    normalise::MatchCopy,
};

/// The copies of one text.
pub(crate) struct Copies<'t> {
    /// The text as it is written.
    pub(crate) plain: MatchCopy<'t>,
    /// The text as it looks, where that differs.
    pub(crate) folded: Option<MatchCopy<'t>>,
    /// What its encoded parts say.
    pub(crate) decoded: Vec<Decoded<'t>>,
    /// Whether there was more to decode than a text of this length may have.
    pub(crate) cut_short: bool,
}

impl<'t> Copies<'t> {
    /// Makes the copies of a text; what is encoded is decoded `depth_max` times.
    pub(crate) fn of(text: &'t str, depth_max: usize) -> Self {
        let (plain, folded) = MatchCopy::both(text);
        let seen = folded.as_ref().unwrap_or(&plain);
        let decoding = decode::decoded_copies(text, seen, depth_max);
        Self { plain, folded, decoded: decoding.copies, cut_short: decoding.cut_short }
    }

    /// The plain copy, and the folded one if it is any different.
    pub(crate) fn written(&self) -> impl Iterator<Item = &MatchCopy<'t>> {
        std::iter::once(&self.plain).chain(&self.folded)
    }

    /// The copies to judge where one of each is enough: the text as a person sees it, and what
    /// its encoded parts say.
    pub(crate) fn judged(&self) -> impl Iterator<Item = &MatchCopy<'t>> {
        let seen = self.folded.as_ref().unwrap_or(&self.plain);
        std::iter::once(seen).chain(self.decoded.iter().map(Decoded::seen))
    }
}
