//! The rules of this repository about itself.

mod architecture;
mod building;
mod dashboards;
mod tidy;
