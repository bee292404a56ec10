//! `/files`, and the buttons under it. Pure.

use protocol::inbound::{Person, Pressed};

use super::Request;
use crate::{papers, session::PaperWish, words};

/// `/files`.
pub(super) fn of_command(person: Option<&Person>) -> Request {
    match person {
        Some(person) => Request::Papers(PaperWish::List(person.id)),
        None => Request::Say(words::papers::nobodys()),
    }
}

/// A press of a button that deletes; `None` if it is another one. PAPERS-3.
pub(super) fn of_press(pressed: &Pressed) -> Option<Request> {
    let by = pressed.person.id;
    Some(match papers::pressed(&pressed.data, by)? {
        Some(paper) => Request::Papers(PaperWish::Delete(by, paper)),
        None => Request::Say(words::papers::of_another()),
    })
}
