//! Accepts connections within limits, and ends them in order.

use std::{fmt, io, net::SocketAddr, sync::Arc, sync::Mutex, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use crate::{
    Source,
    door::Hosts,
    login::Login,
    routes::{self, Hall},
};

/// Connections at a time. Others wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 128;
/// How long a client may take to send a request's head, which is also how long it may idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long one request may take, its body included.
pub(crate) const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// How long one connection may last, and its last request a little more: it ends those that never
/// read.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(300);
/// How long open requests may go on after the stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);
/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The wait after a failure to accept: usually there are no file descriptors left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// The shortest login token.
const TOKEN_BYTES_MIN: usize = 16;

/// Who may see what.
#[derive(Debug, Default)]
pub struct ConsoleConfig {
    /// Everything is open without a login. Only on a loopback address.
    pub loopback_demo: bool,
    /// What an operator types in to sign in. At least 16 bytes; see [`mint_token`](crate::mint_token).
    pub login_token: Option<SecretString>,
    /// What those show who may only look: status and dashboard, no errand.
    pub reader_token: Option<SecretString>,
    /// True if the first who signs in spends the token. [`Console::renew_token`] sets the next one.
    pub login_once: bool,
    /// Names beside its own under which a loopback listener is reached: those of a proxy before it.
    pub extra_hosts: Vec<String>,
}

/// Why the console does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener has no address.
    #[error("the console's address cannot be told")]
    NoAddress(#[source] io::Error),
    /// There would be no way in, or no lock on the door.
    #[error("the console at {0} needs a login token")]
    NoToken(SocketAddr),
    /// The demo has no login, so it stays on this machine.
    #[error("the demo console must listen on a loopback address, and {0} is none")]
    DemoExposed(SocketAddr),
    /// The token could be guessed.
    #[error("the console's login token has fewer than {TOKEN_BYTES_MIN} bytes")]
    WeakToken,
}

/// The running console. Dropping it ends it at once.
#[must_use = "dropping it ends the console"]
pub struct Console {
    address: SocketAddr,
    hall: Arc<Hall>,
    stop: watch::Sender<bool>,
    accepting: JoinSet<()>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Console({})", self.address)
    }
}

impl Console {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the next login token and ends a lock-out. Open sessions go on.
    ///
    /// # Errors
    /// If the token could be guessed; the old one stays.
    pub fn renew_token(&self, token: SecretString) -> Result<(), ServeError> {
        check_token(&token)?;
        self.hall.login().renew(token);
        Ok(())
    }

    /// Takes no more connections, lets open requests end for at most five seconds, and returns.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.ended().await;
    }

    /// Waits until it ends by itself, which only a defect can bring about. Cancel-safe.
    pub async fn ended(&mut self) {
        // lost-ok: it has no result, and a panic in it was logged by the hook.
        while self.accepting.join_next().await.is_some() {}
    }
}

/// Starts the console. Must be called within a tokio runtime, on which it then runs.
///
/// # Errors
/// If the configuration would leave the door open, or without a key.
pub fn serve(
    listener: TcpListener,
    source: Arc<dyn Source>,
    config: ConsoleConfig,
) -> Result<Console, ServeError> {
    let address = listener.local_addr().map_err(ServeError::NoAddress)?;
    let loopback = address.ip().to_canonical().is_loopback();
    if config.loopback_demo && !loopback {
        return Err(ServeError::DemoExposed(address));
    }
    if let Some(reader) = &config.reader_token {
        check_token(reader)?;
    }
    match &config.login_token {
        Some(token) => check_token(token)?,
        None if config.loopback_demo => {}
        None => return Err(ServeError::NoToken(address)),
    }
    let hall = Arc::new(Hall {
        source,
        login: Mutex::new(
            Login::new(config.login_token, config.login_once).with_reader(config.reader_token),
        ),
        open: config.loopback_demo,
        hosts: if loopback { Hosts::Loopback(config.extra_hosts) } else { Hosts::Any },
    });
    let (stop, stopping) = watch::channel(false);
    let mut accepting = JoinSet::new();
    accepting.spawn(accept(listener, routes::router(hall.clone()), stopping));
    Ok(Console { address, hall, stop, accepting })
}

/// Other routes behind the same limits on heads, connections and time. Serves until it is dropped.
#[derive(Debug)]
pub struct Routes {
    stop: watch::Sender<bool>,
    accepting: JoinSet<()>,
}

impl Routes {
    /// Takes no more connections, lets open requests end for at most five seconds, and returns.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.accepting.join_next().await.is_some() {}
    }
}

/// Serves routes that are not the console's, such as a webhook's, with the console's limits. Must
/// be called within a tokio runtime, on which it then runs.
#[must_use = "it serves until it is dropped"]
pub fn serve_routes(listener: TcpListener, router: Router) -> Routes {
    let (stop, stopping) = watch::channel(false);
    let mut accepting = JoinSet::new();
    accepting.spawn(accept(listener, router, stopping));
    Routes { stop, accepting }
}

fn check_token(token: &SecretString) -> Result<(), ServeError> {
    match token.expose_secret().len() < TOKEN_BYTES_MIN {
        true => Err(ServeError::WeakToken),
        false => Ok(()),
    }
}

/// Accepts until the stop, then waits for the open connections. Owns their tasks.
async fn accept(listener: TcpListener, router: Router, stopping: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut stop = stopping.clone();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept_one(&listener, &room) => accepted,
        };
        // lost-ok: a connection has no result, and a panic in it was logged by the hook.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, permit)) => {
                let connection = connection(stream, router.clone(), stopping.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "console cannot accept");
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_TIME_MAX, ended).await.is_err() {
        warn!("console requests did not end in time and were dropped");
    }
}

/// Waits for room, then for a connection. Cancel-safe.
async fn accept_one(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

/// Serves one connection until it ends, its time is over, or the stop.
async fn connection(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>) {
    let service = TowerToHyperService::new(router);
    let mut served = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = served.as_mut() => Ok(ended),
        () = until_end(&mut stop) => {
            served.as_mut().graceful_shutdown();
            timeout(REQUEST_TIME_MAX, served).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        // Clients come and go; nothing here needs an operator.
        Ok(Err(error)) => {
            debug!(error = &error as &dyn std::error::Error, "console connection failed");
        }
        Err(_elapsed) => debug!("console connection lasted too long"),
    }
}

/// Waits for the stop, or until a connection has lasted long enough. Cancel-safe.
async fn until_end(stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        // lost-ok: an error says that the console was dropped, which is a stop too.
        _ = stop.wait_for(|stop| *stop) => {}
        () = sleep(CONNECTION_TIME_MAX) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;
    use crate::{Check, Status, status::HallState};

    const TOKEN: &str = "a-long-enough-token";

    struct Calm;

    impl Source for Calm {
        fn ready(&self) -> Vec<Check> {
            vec![Check { name: "store", ok: false, why: Some("the disk is full".to_owned()) }]
        }
        fn status(&self) -> Status {
            Status {
                state: HallState::Degraded,
                version: "0.1.0".to_owned(),
                uptime_s: 1,
                actors: Vec::new(),
                bots: Vec::new(),
                ledger: protocol::ledger::LedgerGauge::default(),
                breakers: Vec::new(),
                agents: Vec::new(),
                tool_servers: Vec::new(),
            }
        }
        fn metrics(&self) -> String {
            "guildhall_up 1\n# EOF\n".to_owned()
        }
        fn note_login(&self, _: crate::Signed) -> crate::Answer {
            Box::pin(async { Ok(String::new()) })
        }
        fn try_rules(&self, _: crate::Bearer, question: bytes::Bytes) -> crate::Answer {
            Box::pin(async move { Ok(format!("{} bytes", question.len())) })
        }
        fn usage(&self, _: crate::Bearer) -> crate::Answer {
            Box::pin(async { Ok("{}".to_owned()) })
        }

        fn make_backup(&self, _: crate::Bearer) -> crate::Answer {
            Box::pin(async { Ok("{}".to_owned()) })
        }
        fn alerts(&self, _: crate::Bearer, question: bytes::Bytes) -> crate::Answer {
            Box::pin(async move { Ok(format!("{} bytes", question.len())) })
        }
        fn evidence(&self, _: crate::Bearer, _: bytes::Bytes) -> crate::Answer {
            Box::pin(async { Err("nothing ever happened here".to_owned()) })
        }
        fn ledger(&self, _: crate::Bearer, question: bytes::Bytes) -> crate::Answer {
            Box::pin(async move { Ok(format!("{} bytes", question.len())) })
        }
        fn agents(&self, _: crate::Bearer, question: bytes::Bytes) -> crate::Answer {
            Box::pin(async move { Ok(format!("{} bytes", question.len())) })
        }
        fn read_rules(&self, _: crate::Bearer) -> crate::Answer {
            Box::pin(async { Err("rule x is wrong".to_owned()) })
        }

        fn person(&self, _: crate::Bearer, _: bytes::Bytes) -> crate::Answer {
            Box::pin(async { Err("nobody is kept here".to_owned()) })
        }

        fn playbooks(&self, _: crate::Bearer) -> crate::Answer {
            Box::pin(async { Err("there is no playbook".to_owned()) })
        }

        fn incident(&self, _: crate::Bearer, _: bytes::Bytes) -> crate::Answer {
            Box::pin(async { Err("there is no incident".to_owned()) })
        }

        fn rotate_key(&self, _: crate::Bearer) -> crate::Answer {
            Box::pin(async { Err("there is no key here".to_owned()) })
        }
    }

    fn with_login() -> ConsoleConfig {
        ConsoleConfig {
            login_token: Some(TOKEN.into()),
            login_once: true,
            ..ConsoleConfig::default()
        }
    }

    fn demo() -> ConsoleConfig {
        ConsoleConfig { loopback_demo: true, ..ConsoleConfig::default() }
    }

    async fn serve_at(host: &str, config: ConsoleConfig) -> Result<Console, ServeError> {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        serve(listener, Arc::new(Calm), config)
    }

    async fn start(config: ConsoleConfig) -> Console {
        serve_at("127.0.0.1", config).await.unwrap()
    }

    /// Sends bytes and reads until the console ends the connection.
    async fn raw(console: &Console, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", console.address().port())).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The console may reset a connection whose request it did not read to the end.
        stream.read_to_end(&mut answer).await.ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(console: &Console, path: &str, headers: &str) -> String {
        let head = "Host: localhost\r\nConnection: close\r\n";
        raw(console, &format!("GET {path} HTTP/1.1\r\n{head}{headers}\r\n")).await
    }

    async fn post(console: &Console, path: &str, headers: &str, body: &str) -> String {
        let head = "Host: localhost\r\nConnection: close\r\n";
        let length = body.len();
        let head = format!("{head}{headers}Content-Length: {length}\r\n\r\n");
        raw(console, &format!("POST {path} HTTP/1.1\r\n{head}{body}")).await
    }

    fn code(answer: &str) -> &str {
        answer.get(9..12).unwrap_or("none")
    }

    fn set_cookie(answer: &str, name: &str) -> String {
        let start = format!("set-cookie: {name}=");
        let line = answer.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
    }

    const OURS: &str = "Origin: http://localhost\r\n";

    /// Signs in as a browser does: gets the form, then sends it back.
    async fn sign_in(console: &Console, token: &str, origin: &str) -> String {
        let form = set_cookie(&get(console, "/login", "").await, "guildhall_form");
        let form = form.split(';').next().unwrap();
        let headers = format!("{origin}Cookie: guildhall_form={form}\r\n");
        post(console, "/login", &headers, &format!("token={token}&form_token={form}")).await
    }

    #[tokio::test]
    async fn probes_and_metrics_are_open() {
        let console = start(with_login()).await;
        let livez = get(&console, "/livez", "").await;
        assert_eq!((code(&livez), livez.ends_with("\r\n\r\nok")), ("200", true));
        let readyz = get(&console, "/readyz", "").await;
        assert_eq!(code(&readyz), "503");
        assert!(readyz.contains("[-]store failed: the disk is full"), "{readyz}");
        assert_eq!(code(&get(&console, "/readyz?exclude=store", "").await), "200");
        let metrics = get(&console, "/metrics", "").await;
        let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(metrics.contains(kind) && metrics.ends_with("# EOF\n"), "{metrics}");
    }

    #[tokio::test]
    async fn console_1_status_and_dashboard_need_a_login() {
        let console = start(with_login()).await;
        let status = get(&console, "/status", "").await;
        assert_eq!((code(&status), status.contains("uptime")), ("401", false));
        let page = get(&console, "/", "").await;
        assert_eq!((code(&page), page.contains("location: /login")), ("303", true));
        let guessed = "Cookie: guildhall_session=0000\r\n";
        assert_eq!(code(&get(&console, "/status", guessed).await), "401");
    }

    #[tokio::test]
    async fn console_1_the_token_opens_a_session_once() {
        let console = start(with_login()).await;
        let signed_in = sign_in(&console, TOKEN, OURS).await;
        assert_eq!(code(&signed_in), "303");
        let session = set_cookie(&signed_in, "guildhall_session");
        assert!(session.ends_with("HttpOnly; SameSite=Strict"), "{session}");
        let cookie =
            format!("Cookie: guildhall_session={}\r\n", session.split(';').next().unwrap());
        let status = get(&console, "/status", &cookie).await;
        assert!(status.contains(r#""state":"degraded""#), "{status}");
        assert_eq!(code(&get(&console, "/", &cookie).await), "200");
        assert_eq!(code(&sign_in(&console, TOKEN, OURS).await), "401", "the token is spent");
        console.renew_token("another-long-token".into()).unwrap();
        assert!(matches!(console.renew_token("short".into()), Err(ServeError::WeakToken)));
        assert_eq!(code(&sign_in(&console, "another-long-token", OURS).await), "303");
        let out = post(&console, "/logout", &format!("{OURS}{cookie}"), "").await;
        assert_eq!(code(&out), "303");
        assert_eq!(code(&get(&console, "/status", &cookie).await), "401");
    }

    #[tokio::test]
    async fn console_4_an_errand_needs_the_token_and_is_not_run_for_a_browser() {
        let console = start(with_login()).await;
        let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
        let tried = |headers: String| {
            let console = &console;
            async move { post(console, "/rules/try", &headers, "a question").await }
        };
        let answer = tried(bearer.clone()).await;
        assert!(code(&answer) == "200" && answer.ends_with("10 bytes"), "{answer}");
        let cookie = "Cookie: guildhall_session=0000\r\n".to_owned();
        for headers in [String::new(), cookie, format!("{bearer}{OURS}")] {
            assert_eq!(code(&tried(headers.clone()).await), "401", "{headers}");
        }
        let read = post(&console, "/rules/read", &bearer, "").await;
        assert!(code(&read) == "422" && read.ends_with("rule x is wrong"), "{read}");
        assert_eq!(code(&get(&console, "/rules/try", &bearer).await), "405");
        let large = "x".repeat(100 * 1024);
        let answer = post(&console, "/rules/try", &bearer, &large).await;
        assert!(answer.ends_with("102400 bytes"), "a rule file fits: {}", code(&answer));
        let open = start(demo()).await;
        assert_eq!(code(&post(&open, "/rules/try", "", "?").await), "200");
        assert_eq!(code(&post(&open, "/rules/try", OURS, "?").await), "401");
        assert_eq!(code(&post(&open, "/rules/try", "Sec-Fetch-Site: none\r\n", "?").await), "401");
    }

    #[tokio::test]
    async fn a_session_over_https_is_for_https_only() {
        let console = start(with_login()).await;
        let signed_in = sign_in(&console, TOKEN, "Origin: https://localhost\r\n").await;
        assert!(set_cookie(&signed_in, "guildhall_session").ends_with("; Secure"));
    }

    #[tokio::test]
    async fn a_form_from_elsewhere_signs_nobody_in_or_out() {
        let console = start(with_login()).await;
        for origin in ["", "Origin: null\r\n", "Origin: http://evil.example\r\n"] {
            assert_eq!(code(&sign_in(&console, TOKEN, origin).await), "403", "{origin}");
            assert_eq!(code(&post(&console, "/logout", origin, "").await), "403", "{origin}");
        }
        let no_cookie = format!("token={TOKEN}&form_token=");
        assert_eq!(code(&post(&console, "/login", OURS, &no_cookie).await), "403");
        let unequal = format!("{OURS}Cookie: guildhall_form=abc\r\n");
        let body = format!("token={TOKEN}&form_token=abd");
        assert_eq!(code(&post(&console, "/login", &unequal, &body).await), "403");
        assert_eq!(code(&sign_in(&console, TOKEN, OURS).await), "303", "the token was not spent");
    }

    #[tokio::test]
    async fn ten_bad_tries_lock_the_door() {
        let console = start(with_login()).await;
        for _ in 0..10 {
            assert_eq!(code(&sign_in(&console, "wrong", OURS).await), "401");
        }
        for _ in 0..90 {
            assert_eq!(code(&sign_in(&console, TOKEN, OURS).await), "429");
        }
    }

    #[tokio::test]
    async fn the_demo_is_open() {
        let console = start(demo()).await;
        assert_eq!(code(&get(&console, "/status", "").await), "200");
        let page = get(&console, "/", "").await;
        assert!(page.contains(r#"action="/logout" hidden"#), "{page}");
    }

    #[tokio::test]
    async fn console_2_an_exposed_console_needs_a_token() {
        let refused = serve_at("0.0.0.0", ConsoleConfig::default()).await;
        assert!(matches!(refused, Err(ServeError::NoToken(_))));
        let refused = serve_at("0.0.0.0", demo()).await;
        assert!(matches!(refused, Err(ServeError::DemoExposed(_))));
        let refused = serve_at("127.0.0.1", ConsoleConfig::default()).await;
        assert!(matches!(refused, Err(ServeError::NoToken(_))));
        let weak = ConsoleConfig { login_token: Some("short".into()), ..with_login() };
        assert!(matches!(serve_at("0.0.0.0", weak).await, Err(ServeError::WeakToken)));
        let exposed = serve_at("0.0.0.0", with_login()).await.unwrap();
        assert_eq!(code(&get(&exposed, "/status", "").await), "401");
    }

    #[tokio::test]
    async fn a_rebound_name_reaches_nothing_on_loopback() {
        let console = start(demo()).await;
        for path in ["/status", "/livez", "/"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close");
            assert_eq!(code(&raw(&console, &format!("{request}\r\n\r\n")).await), "421");
        }
    }

    #[tokio::test]
    async fn every_answer_carries_the_safety_headers() {
        let console = start(with_login()).await;
        let paths = ["/livez", "/status", "/", "/login", "/console.js", "/console.css", "/none"];
        for path in paths {
            let answer = get(&console, path, "").await;
            for header in [
                "content-security-policy: default-src 'self';",
                "cache-control: no-store",
                "x-content-type-options: nosniff",
                "x-frame-options: DENY",
                "referrer-policy: same-origin",
            ] {
                assert!(answer.contains(header), "{path} lacks {header}: {answer}");
            }
        }
    }

    #[tokio::test]
    async fn the_pages_load_nothing_from_elsewhere() {
        let console = start(demo()).await;
        for path in ["/", "/console.js", "/console.css"] {
            let answer = get(&console, path, "").await;
            assert_eq!(code(&answer), "200");
            assert!(!answer.contains("http://") && !answer.contains("https://"), "{path}");
            assert!(!answer.contains("style=") && !answer.contains("{{"), "{path}");
        }
    }

    #[tokio::test]
    async fn console_3_large_bodies_and_heads_are_refused() {
        let console = start(with_login()).await;
        let body = "x".repeat(4097);
        assert_eq!(code(&post(&console, "/login", OURS, &body).await), "413");
        let head = format!("X-Long: {}\r\n", "x".repeat(20_000));
        assert_eq!(code(&get(&console, "/livez", &head).await), "431");
    }

    #[tokio::test(start_paused = true)]
    async fn console_3_a_client_that_sends_nothing_is_let_go() {
        let console = start(with_login()).await;
        let began = Instant::now();
        raw(&console, "GET /livez HTTP/1.1\r\n").await;
        let waited = began.elapsed();
        assert!((HEAD_TIME_MAX..HEAD_TIME_MAX * 2).contains(&waited), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn console_3_a_connection_that_lasts_is_ended_between_requests() {
        let console = start(with_login()).await;
        let began = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", console.address().port())).await.unwrap();
        let request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut answer = [0; 1024];
        while stream.write_all(request).await.is_ok() {
            if stream.read(&mut answer).await.unwrap_or(0) == 0 {
                break;
            }
            sleep(HEAD_TIME_MAX / 2).await;
        }
        let lasted = began.elapsed();
        assert!((CONNECTION_TIME_MAX..CONNECTION_TIME_MAX * 2).contains(&lasted), "{lasted:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn console_3_a_body_that_never_comes_is_given_up() {
        let console = start(with_login()).await;
        let head = "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        let answer = raw(&console, &format!("{head}Content-Length: 100\r\n\r\ntoken=")).await;
        assert_eq!(code(&answer), "408");
    }

    #[tokio::test]
    async fn console_3_more_connections_than_allowed_wait() {
        let console = start(with_login()).await;
        let address = ("127.0.0.1", console.address().port());
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // Answered, so it is known to be accepted, and kept alive.
            stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
            held.push(stream);
        }
        let mut waits = std::pin::pin!(get(&console, "/livez", ""));
        let early = timeout(Duration::from_millis(100), waits.as_mut()).await;
        assert!(early.is_err(), "answered beyond the limit");
        drop(held.pop());
        assert_eq!(code(&waits.await), "200");
    }

    #[tokio::test]
    async fn a_stop_ends_idle_connections_and_closes_the_port() {
        let console = start(with_login()).await;
        let address = ("127.0.0.1", console.address().port());
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        assert_ne!(idle.read(&mut [0; 1024]).await.unwrap(), 0);
        timeout(STOP_TIME_MAX, console.stop()).await.unwrap();
        assert_eq!(idle.read(&mut [0; 1024]).await.unwrap(), 0, "the connection has ended");
        assert!(TcpStream::connect(address).await.is_err());
    }
}
