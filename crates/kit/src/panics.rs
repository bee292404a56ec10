//! Keeps the place of a panic and never its text, which may quote what a person wrote.

use std::{cell::RefCell, panic};

use tracing::error;

thread_local! {
    static LAST_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the process-wide hook. Call once, before the first actor starts; again is harmless.
pub fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|it| format!("{}:{}", short(it.file()), it.line()));
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        error!(labels.place = %place, event.action = "panic", "code panicked");
        LAST_PLACE.with_borrow_mut(|last| *last = Some(place));
    }));
}

/// Where this thread panicked last, if the hook is installed.
pub(crate) fn take_place() -> String {
    let place = LAST_PLACE.with_borrow_mut(Option::take);
    place.unwrap_or_else(|| "an unknown place".to_owned())
}

/// The path from the crate's folder on: a build machine's folders are nobody's business.
fn short(file: &str) -> &str {
    file.rfind("crates/").map_or(file, |at| file.get(at..).unwrap_or(file))
}
