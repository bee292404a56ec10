//! What every request passes: is it meant for us, and every answer: the headers that keep it safe.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::{errands, routes::Hall, serve::REQUEST_TIME_MAX};

/// On every answer. The policy lets the page load only what we embed and lets nobody frame it.
/// `same-origin` and not `no-referrer`, which would turn a form's `Origin` into `null`.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
         form-action 'self'",
    ),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Turns away requests that are meant for another host, limits the time of the others, and puts the
/// headers on every answer.
pub(crate) async fn pass(State(hall): State<Arc<Hall>>, request: Request, next: Next) -> Response {
    let known = host(request.headers()).is_some_and(|host| hall.hosts.accept(&host));
    let mut response = if known {
        let time_max = match request.uri().path() {
            errands::TRY_RULES
            | errands::MAKE_BACKUP
            | errands::ALERTS
            | errands::EVIDENCE
            | errands::LEDGER => errands::TIME_MAX,
            _ => REQUEST_TIME_MAX,
        };
        let answered = timeout(time_max, next.run(request)).await;
        answered.unwrap_or_else(|_elapsed| StatusCode::REQUEST_TIMEOUT.into_response())
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "this host name is not served here").into_response()
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Which host names are ours.
#[derive(Clone, Debug)]
pub(crate) enum Hosts {
    /// Reachable from elsewhere, under names that we cannot know. Sessions are bound to a name by
    /// the browser and all data needs one, so a rebound name gains nothing.
    Any,
    /// Loopback: its names and these. Another name is a page that had its name rebound to us.
    Loopback(Vec<String>),
}

impl Hosts {
    fn accept(&self, host: &Authority) -> bool {
        let Self::Loopback(more) = self else { return true };
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            || more.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// The host that the request names, if it names exactly one.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut all = headers.get_all(header::HOST).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    one.to_str().ok()?.parse().ok()
}

/// Where a form was sent from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// One of our own pages, over plain HTTP.
    OurPlain,
    /// One of our own pages, over HTTPS: a proxy stands before us.
    OurSecure,
    /// Another site's page, or no page at all.
    Foreign,
}

/// Compares the origin that the browser states with the host that it asks for.
pub(crate) fn origin(headers: &HeaderMap) -> Origin {
    let fetched = headers.get("sec-fetch-site");
    if fetched.is_some_and(|site| site != "same-origin") {
        return Origin::Foreign;
    }
    let stated = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let (Some(stated), Some(host)) = (stated, host(headers)) else { return Origin::Foreign };
    let is_ours = |site: &str| site.eq_ignore_ascii_case(host.as_str());
    match stated.split_once("://") {
        Some(("http", site)) if is_ours(site) => Origin::OurPlain,
        Some(("https", site)) if is_ours(site) => Origin::OurSecure,
        Some(_) | None => Origin::Foreign,
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn loopback_answers_only_to_its_own_names() {
        let hosts = Hosts::Loopback(vec!["hall.example.org".to_owned()]);
        let accepts = |name| host(&headers(&[("host", name)])).is_some_and(|it| hosts.accept(&it));
        for ours in ["127.0.0.1:8088", "localhost", "LOCALHOST:1", "[::1]:80", "hall.example.org"] {
            assert!(accepts(ours), "{ours}");
        }
        for other in ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1", ""] {
            assert!(!accepts(other), "{other}");
        }
    }

    #[test]
    fn a_request_names_exactly_one_host() {
        assert!(host(&headers(&[])).is_none());
        assert!(host(&headers(&[("host", "localhost"), ("host", "localhost")])).is_none());
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        let of = |more: &[(&'static str, &str)]| {
            origin(&headers(&[&[("host", "localhost:8088")], more].concat()))
        };
        assert_eq!(of(&[("origin", "http://localhost:8088")]), Origin::OurPlain);
        assert_eq!(of(&[("origin", "https://localhost:8088")]), Origin::OurSecure);
        for foreign in ["null", "http://localhost", "http://localhost:80", "ftp://localhost:8088"] {
            assert_eq!(of(&[("origin", foreign)]), Origin::Foreign, "{foreign}");
        }
        assert_eq!(of(&[]), Origin::Foreign);
        let crossed = [("origin", "http://localhost:8088"), ("sec-fetch-site", "same-site")];
        assert_eq!(of(&crossed), Origin::Foreign);
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = headers(&[("cookie", "a=1; session=xyz"), ("cookie", "b=2")]);
        assert_eq!(cookie(&headers, "session"), Some("xyz"));
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "sess"), None);
    }
}
