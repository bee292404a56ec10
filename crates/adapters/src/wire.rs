//! One request over HTTP and its answer, for the two peers that every message takes us to: the Bot
//! API and a model.
//!
//! Encrypted addresses are asked through reqwest. Plain ones, which are servers on this machine or
//! its network, are asked through the client below reqwest, hyper's own, with a pool of the same
//! settings: what reqwest adds (redirects, retries, proxies, cookies) is not used here, and still costs
//! half as much again as the whole exchange.
//!
//! Promises  no redirect is followed, and no error carries the address.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http;
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Request, StatusCode};

/// Why nothing, or no more, came back.
pub(crate) type WireError = Box<dyn Error + Send + Sync>;

/// What both clients are told about connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    /// How long opening one may take.
    pub connect_time_max: Duration,
    /// How long an unused one is kept.
    pub idle_time_max: Duration,
    /// How many unused ones are kept.
    pub idle_max: usize,
    /// After how long without traffic the other side is asked whether it is still there.
    pub keepalive: Option<Duration>,
}

impl Pool {
    /// A client of reqwest with such a pool, that follows no redirect.
    ///
    /// # Errors
    /// TLS or the resolver cannot be set up.
    pub(crate) fn client(self, builder: ClientBuilder) -> reqwest::Result<Client> {
        let builder = builder
            .redirect(Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .tcp_keepalive(self.keepalive)
            .connect_timeout(self.connect_time_max)
            .pool_idle_timeout(self.idle_time_max)
            .pool_max_idle_per_host(self.idle_max);
        builder.build().map_err(reqwest::Error::without_url)
    }
}

/// How long an unused connection without encryption is kept at most. One on this machine or its network is opened
/// in a tenth of a millisecond, and takes 20 KB of memory while it is open.
const PLAIN_IDLE_TIME_MAX: Duration = Duration::from_millis(250);

/// A pool of connections. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Wire {
    /// Through reqwest.
    Any(Client),
    /// To plain `http` addresses, not through a proxy.
    Plain(Box<legacy::Client<HttpConnector, reqwest::Body>>),
}

impl Wire {
    /// To plain `http` addresses, not through a proxy.
    pub(crate) fn plain(pool: Pool) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_keepalive(pool.keepalive);
        connector.set_connect_timeout(Some(pool.connect_time_max));
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(pool.idle_time_max.min(PLAIN_IDLE_TIME_MAX))
            .pool_max_idle_per_host(pool.idle_max);
        Self::Plain(Box::new(builder.build(connector)))
    }

    /// Sends a request, and waits for the head of its answer. The request's own time limit is not
    /// heeded.
    ///
    /// Not cancel-safe: a request that is dropped may or may not have been carried out.
    ///
    /// # Errors
    /// No answer, or none that is HTTP.
    pub(crate) async fn execute(&self, request: Request) -> Result<Answer, WireError> {
        match self {
            Self::Any(client) => {
                Ok(client.execute(request).await.map_err(reqwest::Error::without_url)?.into())
            }
            Self::Plain(client) => {
                let request = http::Request::try_from(request);
                let request = request.map_err(reqwest::Error::without_url)?;
                Ok(client.request(request).await?.map(Body::new).into())
            }
        }
    }
}

/// An answer whose body is still to be read.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: BodyDataStream,
}

impl From<http::Response<Body>> for Answer {
    fn from(answer: http::Response<Body>) -> Self {
        let (head, body) = answer.into_parts();
        Self { status: head.status, headers: head.headers, body: body.into_data_stream() }
    }
}

impl From<reqwest::Response> for Answer {
    fn from(answer: reqwest::Response) -> Self {
        http::Response::<reqwest::Body>::from(answer).map(Body::new).into()
    }
}

impl Answer {
    /// The next piece of the body; `None` at its end. Cancel-safe.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, WireError> {
        self.body.next().await.transpose().map_err(axum::Error::into_inner)
    }

    /// Takes the end of the body, if it is here already, so that the connection can be used again.
    pub(crate) fn finish(mut self) {
        // lost-ok: an answer that has ended is not worth waiting for what comes after it.
        drop(self.chunk().now_or_never());
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode as Status;
    use axum::routing::any;
    use reqwest::{Method, Url, header};

    use super::*;
    use crate::telegram::testing::serve;

    const POOL: Pool = Pool {
        connect_time_max: Duration::from_secs(5),
        idle_time_max: Duration::from_secs(5),
        idle_max: 4,
        keepalive: None,
    };

    fn both() -> [Wire; 2] {
        [Wire::Any(POOL.client(Client::builder().no_proxy()).unwrap()), Wire::plain(POOL)]
    }

    #[tokio::test]
    async fn both_ask_and_hear_the_same() {
        let echo = |head: HeaderMap, body: String| async move {
            let said = head.get("x-word").unwrap().to_str().unwrap().to_owned();
            (Status::IM_A_TEAPOT, [("x-word", said)], body.repeat(10_000))
        };
        let (url, _server) = serve(Router::new().fallback(any(echo))).await;
        for wire in both() {
            let mut request = Request::new(Method::POST, Url::parse(&url).unwrap());
            request.headers_mut().insert("x-word", "tea".parse().unwrap());
            *request.body_mut() = Some("0123456789".into());
            let mut answer = wire.execute(request).await.unwrap();
            assert_eq!(
                (answer.status, answer.headers["x-word"].as_bytes()),
                (Status::IM_A_TEAPOT, &b"tea"[..])
            );
            let mut length = 0;
            while let Some(piece) = answer.chunk().await.unwrap() {
                length += piece.len();
            }
            assert_eq!(length, 100_000);
        }
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_errors_do_not_name_the_address() {
        let away = || async { (Status::FOUND, [(header::LOCATION, "http://127.0.0.1:1/")]) };
        let (url, _server) = serve(Router::new().fallback(any(away))).await;
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nowhere = format!("http://{}/secret", closed.local_addr().unwrap());
        drop(closed);
        let ask = |url: &str| Request::new(Method::GET, Url::parse(url).unwrap());
        for wire in both() {
            assert_eq!(wire.execute(ask(&url)).await.unwrap().status, Status::FOUND);
            let error = wire.execute(ask(&nowhere)).await.err().unwrap();
            let mut cause: Option<&dyn Error> = Some(&*error);
            while let Some(error) = cause {
                assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
                cause = error.source();
            }
        }
    }
}
