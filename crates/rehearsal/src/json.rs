//! Building JSON by hand, without places where it could panic.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A value made of strings and numbers, as JSON text.
pub(crate) fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("plain values with string keys always serialise")
}

/// Sets a field of an object; changes nothing that is not an object.
pub(crate) fn put(object: &mut Value, name: &str, value: impl Serialize) {
    if let Value::Object(fields) = object {
        let value = serde_json::to_value(value).expect("plain values always serialise");
        fields.insert(name.to_owned(), value);
    }
}
