//! The port to whatever makes a picture of a stranger's file that may be shown to a model.

use crate::model::Image;

/// Why no picture was made of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DevelopError {
    /// It is no picture of a form that we know.
    #[error("it is no JPEG, PNG or WebP")]
    Unknown,
    /// It has more points than we take, or needs more memory.
    #[error("the picture has too many points")]
    TooLarge,
    /// It is damaged.
    #[error("the picture is damaged")]
    Damaged,
}

/// Makes a new picture of a file: what can be seen in it and nothing else, neither place nor time, small
/// enough for every model that sees. Takes some tenths of a second. Pure.
pub type Develop = fn(&[u8]) -> Result<Image, DevelopError>;
