//! The figures of personal data, on a sixth of the reported set.

#[path = "../src/bin/figures/clock.rs"]
mod clock;
#[path = "../src/bin/figures/personal/mod.rs"]
mod personal;

#[test]
fn personal_data_is_found_as_well_as_is_required() {
    let quick = ["--quick".to_owned()];
    personal::run(&quick).unwrap();
}
