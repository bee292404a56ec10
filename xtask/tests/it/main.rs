//! The rules of this repository about itself.

mod architecture;
mod dashboards;
mod tidy;
