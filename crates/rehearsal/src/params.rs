//! The parameters of one call, wherever they came from: query, form, JSON or multipart.
//!
//! JSON values stay as they were written (borrowed) until somebody asks for them with a type.

use std::borrow::Cow;
use std::fmt;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart};
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// The largest request body, as at Telegram: 50 MB of file and some room for the fields.
const BODY_BYTES_MAX: usize = 51 << 20;
/// The largest number of parameters in one call.
const PARAMS_MAX: usize = 256;

/// One value, not yet given a type.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// From a query or a form: the text itself.
    Plain(Cow<'a, str>),
    /// From a JSON body: as written.
    Json(&'a RawValue),
    /// An uploaded file.
    File(Upload),
}

/// A file that came in a multipart body.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl Value<'_> {
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// A string, number or boolean as text; `None` for JSON null, objects, arrays and files.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Plain(text) => Some(Cow::Borrowed(text)),
            Self::Json(raw) => {
                let raw = raw.get();
                match raw.as_bytes().first()? {
                    b'"' => serde_json::from_str::<Text<'_>>(raw).ok().map(|text| text.0),
                    b'{' | b'[' | b'n' => None,
                    _ => Some(Cow::Borrowed(raw)),
                }
            }
            Self::File(_) => None,
        }
    }

    pub(crate) fn is_scalar(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Json(raw) => !raw.get().starts_with(['{', '[', 'n']),
            Self::File(_) => false,
        }
    }

    /// An integer, also when written as a string.
    pub(crate) fn integer(&self) -> Option<i64> {
        self.text()?.trim().parse().ok()
    }

    /// A boolean in any of the ways Telegram reads one.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.text()?.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" | "" => Some(false),
            _ => None,
        }
    }

    /// The JSON behind an object or array parameter, also when it was wrapped in a string.
    pub(crate) fn json(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Json(raw) if !raw.get().starts_with('"') => Some(Cow::Borrowed(raw.get())),
            Self::Plain(_) | Self::Json(_) => self.text(),
            Self::File(_) => None,
        }
    }

    pub(crate) fn starts_json(&self, open: char) -> bool {
        self.json().is_some_and(|json| json.trim_start().starts_with(open))
    }
}

/// The parameters of one call, in the order they came; the first of a name wins.
#[derive(Debug, Default)]
pub(crate) struct Params<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Params<'a> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether the parameter was given and is not JSON null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| !matches!(value, Value::Json(raw) if raw.get() == "null"))
    }

    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name)?.text()
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.integer()
    }

    /// A flag that is off unless said otherwise.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::boolean).unwrap_or(false)
    }

    /// An object or array parameter as a typed value, or `None` when it is absent or empty.
    ///
    /// # Errors
    /// JSON that does not have the documented shape.
    pub(crate) fn object<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(json) = self.get(name).and_then(Value::json) else { return Ok(None) };
        if json.is_empty() || json == "null" {
            return Ok(None);
        }
        serde_json::from_str(&json)
            .map(Some)
            .map_err(|error| Refusal::bad(format!("can't parse {name} JSON object: {error}")))
    }

    /// An uploaded file, or the upload that `attach://<name>` points to.
    pub(crate) fn upload(&self, name: &str) -> Option<&Upload> {
        let target = match self.get(name)? {
            Value::File(upload) => return Some(upload),
            value @ (Value::Plain(_) | Value::Json(_)) => value.text()?,
        };
        match self.get(target.strip_prefix("attach://")?)? {
            Value::File(upload) => Some(upload),
            Value::Plain(_) | Value::Json(_) => None,
        }
    }

    /// The same parameters but one.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    fn push(&mut self, name: Cow<'a, str>, value: Value<'a>) -> Result<(), Refusal> {
        if self.0.len() >= PARAMS_MAX {
            return Err(Refusal::bad("too many parameters"));
        }
        self.0.push((name, value));
        Ok(())
    }

    fn push_form(&mut self, form: &'a [u8]) -> Result<(), Refusal> {
        for (name, value) in form_urlencoded::parse(form) {
            self.push(name, Value::Plain(value))?;
        }
        Ok(())
    }

    /// Reads parameters out of a JSON object.
    ///
    /// # Errors
    /// The text is not one JSON object.
    pub(crate) fn from_json(body: &'a [u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body)
            .map_err(|error| Refusal::bad(format!("can't parse JSON object: {error}")))
    }
}

/// A request read to its end, from which [`Params`] borrow.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    query: Vec<u8>,
    body: Bytes,
    is_json: bool,
    parts: Vec<(String, Value<'static>)>,
}

impl Incoming {
    /// Reads the whole request. Not cancel-safe: what was read is lost with the future.
    ///
    /// # Errors
    /// A body that is too large, broken off, or not of its declared type.
    pub(crate) async fn read(request: Request<Body>) -> Result<Self, Refusal> {
        let query = request.uri().query().unwrap_or_default().as_bytes().to_vec();
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if kind.starts_with("multipart/form-data") {
            let parts = read_parts(request).await?;
            return Ok(Self { query, parts, ..Self::default() });
        }
        let is_json = kind.starts_with("application/json");
        let body = match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_broken_or_too_large) => {
                return Err(Refusal::new(413, "Request Entity Too Large"));
            }
        };
        Ok(Self { query, body, is_json, parts: Vec::new() })
    }

    /// The parameters: the body's first, then the query's.
    ///
    /// # Errors
    /// A body that is not what its content type says.
    pub(crate) fn params(&self) -> Result<Params<'_>, Refusal> {
        let mut params = if self.is_json && !self.body.is_empty() {
            Params::from_json(&self.body)?
        } else {
            let mut params = Params::default();
            params.push_form(&self.body)?;
            params
        };
        for (name, value) in &self.parts {
            params.push(Cow::Borrowed(name), value.clone())?;
        }
        params.push_form(&self.query)?;
        Ok(params)
    }
}

async fn read_parts(request: Request<Body>) -> Result<Vec<(String, Value<'static>)>, Refusal> {
    let broken = |error: &dyn fmt::Display| Refusal::bad(format!("can't read the form: {error}"));
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head, Body::new(Limited::new(body, BODY_BYTES_MAX)));
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| broken(&error))?;
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        if parts.len() >= PARAMS_MAX {
            return Err(Refusal::bad("too many parameters"));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let value = match field.file_name().map(str::to_owned) {
            Some(file) => {
                let bytes = field.bytes().await.map_err(|error| broken(&error))?;
                Value::File(Upload { name: file, bytes })
            }
            None => Value::Plain(field.text().await.map_err(|error| broken(&error))?.into()),
        };
        parts.push((name, value));
    }
    Ok(parts)
}

/// A JSON string, borrowed when it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

impl<'de> Deserialize<'de> for Params<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Params<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params<'de>, A::Error> {
                let mut params = Params(Vec::with_capacity(8));
                while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    params
                        .push(name.0, Value::Json(value))
                        .map_err(|refusal| de::Error::custom(refusal.description))?;
                }
                Ok(params)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_read_the_same_from_json_and_from_a_form() {
        let json = Params::from_json(br#"{"id":-5,"text":"a\"b","on":true}"#).unwrap();
        let mut form = Params::default();
        form.push_form(b"id=-5&text=a%22b&on=True").unwrap();
        for params in [json, form] {
            assert_eq!(params.integer("id"), Some(-5));
            assert_eq!(params.text("text").as_deref(), Some("a\"b"));
            assert!(params.flag("on"));
        }
    }

    #[test]
    fn an_object_may_be_wrapped_in_a_string() {
        let params = Params::from_json(br#"{"a":[1,2],"b":"[1,2]","c":null}"#).unwrap();
        assert_eq!(params.object::<Vec<i32>>("a").unwrap(), Some(vec![1, 2]));
        assert_eq!(params.object::<Vec<i32>>("b").unwrap(), Some(vec![1, 2]));
        assert_eq!(params.object::<Vec<i32>>("c").unwrap(), None);
        assert!(!params.has("c"));
    }
}
