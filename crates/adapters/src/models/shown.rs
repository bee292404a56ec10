//! What a person says with pictures, as each of the two protocols wants it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use protocol::model::{Image, Turn};
use serde::Serialize;

/// A message of a person with pictures before its text: models look first and read then.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    role: &'static str,
    content: Vec<Piece<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Piece<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl },
    Image { source: Source },
}

#[derive(Serialize)]
struct ImageUrl {
    url: String,
}

#[derive(Serialize)]
struct Source {
    r#type: &'static str,
    media_type: &'static str,
    data: String,
}

impl<'a> Shown<'a> {
    /// As chat completions take it; `None` for a turn without pictures.
    pub(super) fn openai(turn: &'a Turn) -> Option<Self> {
        Self::new(turn, |image| {
            let url = format!("data:{};base64,{}", image.media_type, STANDARD.encode(&image.bytes));
            Piece::ImageUrl { image_url: ImageUrl { url } }
        })
    }

    /// As Messages take it.
    pub(super) fn anthropic(turn: &'a Turn) -> Option<Self> {
        Self::new(turn, |image| {
            let (media_type, data) = (image.media_type, STANDARD.encode(&image.bytes));
            Piece::Image { source: Source { r#type: "base64", media_type, data } }
        })
    }

    fn new(turn: &'a Turn, piece: impl Fn(&Image) -> Piece<'a>) -> Option<Self> {
        if turn.images.is_empty() {
            return None;
        }
        let text = Piece::Text { text: &turn.content };
        Some(Self { role: "user", content: turn.images.iter().map(piece).chain([text]).collect() })
    }
}

#[cfg(test)]
mod tests {
    use protocol::model::Role;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_picture_stands_before_the_text_in_the_form_of_each_protocol() {
        let bytes = bytes::Bytes::from_static(b"abc");
        let images = vec![Image { media_type: "image/jpeg", bytes }];
        let turn = Turn { images, ..Turn::new(Role::User, "What is it?") };
        let text = json!({"type": "text", "text": "What is it?"});
        let openai = json!({"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,YWJj"}}, text]});
        assert_eq!(serde_json::to_value(Shown::openai(&turn)).unwrap(), openai);
        let source = json!({"type": "base64", "media_type": "image/jpeg", "data": "YWJj"});
        let anthropic =
            json!({"role": "user", "content": [{"type": "image", "source": source}, text]});
        assert_eq!(serde_json::to_value(Shown::anthropic(&turn)).unwrap(), anthropic);
        assert!(Shown::openai(&Turn::new(Role::User, "x")).is_none());
    }
}
