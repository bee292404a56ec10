//! Reads a page of the web as text. Off unless an operator switches it on.
//!
//! Owns      two clients: one that reaches public addresses only, and one for hosts that are listed.
//! Promises  no address of this machine or of a private network is reached, by name, by number, by a
//!           redirect or by a name that changes its mind, unless its host is listed; no cookie, no
//!           password and no address of a page goes anywhere; a bound on time, bytes and hops.
//!
//! Invariants: FETCH-1 every hop is checked as the first is. FETCH-2 the address that was checked is the one that is connected to.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use protocol::tool::{Taint, ToolError, ToolOutput};
use reqwest::{Client, Response, Url, header, redirect};
use serde_json::{Value, json};

use super::readable;
use crate::models::address::{PublicOnly, is_private_host};

/// The most redirects that are followed.
const HOPS_MAX: usize = 4;
/// The longest address, in bytes.
const URL_BYTES_MAX: usize = 2_000;
/// How long connecting may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

pub(super) const DESCRIPTION: &str = "Reads a public web page, or a text or JSON file on the web, and returns its \
    text. It runs no scripts, has no login, and what it returns is what somebody else wrote.";

pub(super) fn parameters() -> Value {
    json!({
        "type": "object",
        "properties": {
            "url": { "type": "string", "minLength": 8, "maxLength": URL_BYTES_MAX,
                "description": "The address, beginning with https://" },
        },
        "required": ["url"],
        "additionalProperties": false,
    })
}

/// Limits of reading the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchConfig {
    /// How long one page may take, redirects included.
    pub time_max: Duration,
    /// The most bytes of one page.
    pub page_bytes_max: usize,
    /// Hosts that may be reached although they are on this machine or in a private network.
    pub private_hosts: BTreeSet<String>,
}

pub(super) struct Fetcher {
    config: FetchConfig,
    public: Client,
    listed: Client,
}

impl Fetcher {
    pub(super) fn new(config: FetchConfig) -> reqwest::Result<Self> {
        let builder = || {
            Client::builder()
                .user_agent(concat!("guildhall/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .connect_timeout(CONNECT_TIME_MAX)
                .pool_max_idle_per_host(0)
        };
        // FETCH-2: what the resolver lets through is what is connected to.
        let public = builder().dns_resolver(Arc::new(PublicOnly)).build()?;
        Ok(Self { config, public, listed: builder().build()? })
    }

    pub(super) async fn call(&self, arguments: &Value) -> Result<ToolOutput, ToolError> {
        let url = arguments.get("url").and_then(Value::as_str).unwrap_or_default();
        match tokio::time::timeout(self.config.time_max, self.read(url)).await {
            Ok(read) => read,
            Err(_elapsed) => Err(ToolError::TimedOut),
        }
    }

    async fn read(&self, address: &str) -> Result<ToolOutput, ToolError> {
        let mut url = Url::parse(address).map_err(|_no_url| forbidden("the address is none"))?;
        for _hop in 0..=HOPS_MAX {
            // FETCH-1: every hop is checked as the first is.
            let client = self.client(&url)?;
            let request = client
                .get(url.clone())
                .header(header::ACCEPT, "text/html, text/plain;q=0.9, */*;q=0.1");
            let response = request.send().await.map_err(unavailable)?;
            if !response.status().is_redirection() {
                return self.take(response).await;
            }
            let next = response.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
            let next = next.and_then(|it| url.join(it).ok());
            url = next.ok_or_else(|| forbidden("it leads nowhere"))?;
        }
        Err(forbidden("it leads on and on"))
    }

    /// The client that may reach an address.
    fn client(&self, url: &Url) -> Result<&Client, ToolError> {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
            return Err(forbidden("only pages of the web can be read"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(forbidden("the address holds a name or a password"));
        }
        if URL_BYTES_MAX < url.as_str().len() {
            return Err(forbidden("the address is too long"));
        }
        if self.config.private_hosts.contains(&host) {
            return Ok(&self.listed);
        }
        let usual = if url.scheme() == "https" { 443 } else { 80 };
        if url.port_or_known_default() != Some(usual) {
            return Err(forbidden("the address names a port of its own"));
        }
        if is_private_host(&host) {
            return Err(forbidden("the address is not a public one"));
        }
        Ok(&self.public)
    }

    async fn take(&self, mut response: Response) -> Result<ToolOutput, ToolError> {
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let kind = kind.unwrap_or("text/plain").split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        let is_text = kind.starts_with("text/")
            || matches!(
                kind.as_str(),
                "application/json" | "application/xml" | "application/xhtml+xml"
            )
            || kind.ends_with("+json")
            || kind.ends_with("+xml");
        if !is_text {
            return Err(forbidden("what is there is no text"));
        }
        let bytes_max = self.config.page_bytes_max;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unavailable)? {
            if bytes_max - body.len() < piece.len() {
                return Err(ToolError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        let text = String::from_utf8_lossy(&body);
        let is_html = kind == "text/html" || kind == "application/xhtml+xml";
        let text = if is_html { shown(&text) } else { text.into_owned() };
        let text = match status.is_success() {
            true => text,
            false => format!("The server answered with status {}.\n\n{text}", status.as_u16()),
        };
        Ok(ToolOutput { text, taint: Taint::Web, is_error: !status.is_success() })
    }
}

fn shown(html: &str) -> String {
    let page = readable::read(html);
    if page.title.is_empty() { page.text } else { format!("{}\n\n{}", page.title, page.text) }
}

fn forbidden(what: &'static str) -> ToolError {
    ToolError::Forbidden { what }
}

fn unavailable(error: reqwest::Error) -> ToolError {
    ToolError::Unavailable(Box::new(error.without_url()))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    fn fetcher(private_hosts: &[&str], page_bytes_max: usize) -> Fetcher {
        let private_hosts = private_hosts.iter().map(|it| (*it).to_owned()).collect();
        let time_max = Duration::from_secs(2);
        Fetcher::new(FetchConfig { time_max, page_bytes_max, private_hosts }).unwrap()
    }

    async fn fetch(fetcher: &Fetcher, url: &str) -> Result<ToolOutput, ToolError> {
        fetcher.call(&json!({ "url": url })).await
    }

    /// A server that answers every request alike, and where it is.
    async fn server(answer: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut seen = [0; 4_096];
                if stream.read(&mut seen).await.is_ok() {
                    // lost-ok: whoever asked has seen enough and gone.
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            }
        };
        tokio::runtime::Handle::current().spawn(serve);
        port
    }

    fn page(kind: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn what_is_not_public_is_never_reached_in_any_spelling() {
        let port = server(page("text/plain", "secret")).await;
        let fetcher = fetcher(&[], 1_000);
        let hosts = [
            "127.0.0.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "x.localhost",
            "0.0.0.0",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "10.0.0.1",
            "192.168.1.1",
            "100.64.0.1",
        ];
        for host in hosts {
            for url in [
                format!("http://{host}/"),
                format!("https://{host}/x"),
                format!("http://{host}:{port}/"),
            ] {
                let found = fetch(&fetcher, &url).await;
                assert!(matches!(found, Err(ToolError::Forbidden { .. })), "{url}: {found:?}");
            }
        }
        for url in [
            "ftp://example.org/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "gopher://example.org",
            "//x",
            "",
        ] {
            assert!(
                matches!(fetch(&fetcher, url).await, Err(ToolError::Forbidden { .. })),
                "{url}"
            );
        }
        for url in
            ["https://a:b@example.org/", "https://example.org:22/", "http://example.org:6379/"]
        {
            assert!(
                matches!(fetch(&fetcher, url).await, Err(ToolError::Forbidden { .. })),
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn fetch_1_a_redirect_to_what_is_not_public_is_not_followed() {
        let inner = server(page("text/plain", "secret")).await;
        // The first host is listed, the second is not, although both are this machine.
        for target in [
            format!("http://127.0.0.2:{inner}/"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "file:///etc/passwd".to_owned(),
        ] {
            let answer = format!(
                "HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let outer = server(answer).await;
            let found =
                fetch(&fetcher(&["127.0.0.1"], 1_000), &format!("http://127.0.0.1:{outer}/")).await;
            assert!(matches!(found, Err(ToolError::Forbidden { .. })), "{target}: {found:?}");
        }
        let port = server("HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()).await;
        let found =
            fetch(&fetcher(&["127.0.0.1"], 1_000), &format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(found, Err(ToolError::Forbidden { .. })), "{found:?}");
    }

    #[tokio::test]
    async fn fetch_2_a_name_that_resolves_to_this_machine_is_refused_when_it_is_connected_to() {
        let names = tokio::net::lookup_host(("ip6-localhost", 80)).await;
        if names.is_ok() {
            let found = fetch(&fetcher(&[], 1_000), "http://ip6-localhost/").await;
            assert!(matches!(found, Err(ToolError::Unavailable(_))), "{found:?}");
        }
        use reqwest::dns::Resolve as _;
        assert!(PublicOnly.resolve("localhost".parse().unwrap()).await.is_err());
    }

    #[tokio::test]
    async fn a_listed_page_is_read_within_its_limits() {
        let html = "<html><title>T</title><body><script>no()</script><p>Hello</p></body></html>";
        let port = server(page("text/html; charset=utf-8", html)).await;
        let url = format!("http://127.0.0.1:{port}/");
        let output = fetch(&fetcher(&["127.0.0.1"], 1_000), &url).await.unwrap();
        assert_eq!(
            (output.text.as_str(), output.taint, output.is_error),
            ("T\n\nHello", Taint::Web, false)
        );
        let found = fetch(&fetcher(&["127.0.0.1"], 10), &url).await;
        assert!(matches!(found, Err(ToolError::TooLarge)), "{found:?}");
        let port = server(page("application/octet-stream", "x")).await;
        let found =
            fetch(&fetcher(&["127.0.0.1"], 1_000), &format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(found, Err(ToolError::Forbidden { .. })), "{found:?}");
        let port = server(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nhalf".to_owned()
                + &"x".repeat(2_000),
        )
        .await;
        let found =
            fetch(&fetcher(&["127.0.0.1"], 1_000), &format!("http://127.0.0.1:{port}/")).await;
        assert!(matches!(found, Err(ToolError::TooLarge)), "{found:?}");
    }
}
