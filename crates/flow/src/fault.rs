//! Faults on demand, for end-to-end tests: compiled to nothing without the feature `faults`.

/// A place where a test may make an actor panic: `FAILPOINTS="guard=1*panic"`, see crate `fail`.
#[cfg(feature = "faults")]
pub(crate) fn fault_point(name: &str) {
    fail::fail_point!(name);
}

/// Does nothing in this build.
#[cfg(not(feature = "faults"))]
#[inline]
pub(crate) fn fault_point(_: &str) {}
