//! The chat page: two people and a bot in a browser, served from inside the program.
//!
//! Gives     `/` and its few files. The page talks to `/chat/*` and `/desk/*` of the same server and to nothing else, which its
//!           content security policy makes sure of.

use axum::{
    Router,
    http::{HeaderName, header},
    response::IntoResponse,
    routing::get,
};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Each file of the page: its path, its type and its text.
const FILES: [(&str, &str, &str); 12] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/icon.svg", SVG, include_str!("page/icon.svg")),
    ("/chat.css", CSS, include_str!("page/chat.css")),
    ("/chat.js", SCRIPT, include_str!("page/chat.js")),
    ("/desk.js", SCRIPT, include_str!("page/desk.js")),
    ("/pane.js", SCRIPT, include_str!("page/pane.js")),
    ("/messages.js", SCRIPT, include_str!("page/messages.js")),
    ("/composer.js", SCRIPT, include_str!("page/composer.js")),
    ("/tries.js", SCRIPT, include_str!("page/tries.js")),
    ("/entities.js", SCRIPT, include_str!("page/entities.js")),
    ("/rich.js", SCRIPT, include_str!("page/rich.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
];

/// What the page can send for a newcomer who has nothing at hand: speech of a synthesiser, in which stands what
/// it says for a rehearsed recogniser, a few lines of text, and a page of PDF.
const SAMPLES: [(&str, &str, &[u8]); 3] = [
    ("/samples/voice.ogg", "audio/ogg", include_bytes!("page/samples/voice.ogg")),
    ("/samples/lease.pdf", "application/pdf", include_bytes!("page/samples/lease.pdf")),
    ("/samples/plan.txt", "text/plain; charset=utf-8", include_bytes!("page/samples/plan.txt")),
];

const SECURITY: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// The routes of the page's files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let files = FILES.into_iter().map(|(path, kind, text)| (path, kind, text.as_bytes()));
    files.chain(SAMPLES).fold(Router::new(), |router, (path, kind, bytes)| {
        router.route(path, get(async move || file(kind, bytes)))
    })
}

fn file(kind: &'static str, bytes: &'static [u8]) -> impl IntoResponse {
    (SECURITY, [(header::CONTENT_TYPE, kind)], bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_the_page_asks_for_is_served() {
        let served: Vec<&str> = FILES.iter().map(|(path, ..)| *path).collect();
        let mut asked = 0;
        for (path, _, text) in FILES {
            let imports = text.split("from \"./").skip(1).chain(text.split("=\"/").skip(1));
            for name in imports.filter_map(|rest| rest.split('"').next()) {
                assert!(served.contains(&format!("/{name}").as_str()), "{path} asks for {name}");
                asked += 1;
            }
        }
        assert!(asked > 8, "only {asked} references were found");
    }

    #[test]
    fn text_is_never_made_into_markup_and_nothing_comes_from_elsewhere() {
        for (path, kind, text) in FILES {
            for banned in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(banned), "{path} has {banned}");
            }
            if kind == HTML {
                for banned in ["<style", "style=", "onclick=", "src=\"http", "href=\"http"] {
                    assert!(!text.contains(banned), "{path} has {banned}");
                }
            }
        }
    }
}
