//! The rules of this repository about itself.

mod architecture;
mod tidy;
