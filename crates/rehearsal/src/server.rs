//! The running server: binds, accepts, answers, and stops when it is dropped.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use tower_service::Service;

use crate::config::Config;
use crate::models::ModelWorld;
use crate::telegram::{self, HangUp};
use crate::webhook::Deliverer;
use crate::world::World;

/// How often what is past its time is looked for.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// Wait after a failed `accept`, such as when there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A rehearsal that is being served. Dropping it closes every connection.
#[derive(Debug)]
pub struct Rehearsal {
    addr: SocketAddr,
    world: World,
    models: ModelWorld,
    /// Owns every task; aborted on drop.
    _tasks: JoinSet<()>,
}

impl Rehearsal {
    /// Binds and serves on the current tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the client for webhooks cannot be made.
    pub async fn start(mut config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(config.addr).await?;
        let addr = listener.local_addr()?;
        config.desk = config.desk.and_then(|it| it.at(addr));
        let world = World::new(config.clone());
        let models = ModelWorld::default();
        let mut tasks = JoinSet::new();
        let bots: Vec<_> = world.lock().bot_indices().collect();
        for bot in bots {
            let deliverer =
                Deliverer::new(world.clone(), bot, &config).map_err(io::Error::other)?;
            tasks.spawn(deliverer.run());
        }
        tasks.spawn(sweep(world.clone()));
        let router = crate::router(&world, &models, config.desk.as_ref());
        tasks.spawn(accept(listener, world.clone(), router));
        Ok(Self { addr, world, models, _tasks: tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://<addr>`, the base URL of the Bot API, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The model server beside it.
    #[must_use]
    pub fn models(&self) -> &ModelWorld {
        &self.models
    }

    /// The world it serves.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }
}

async fn sweep(world: World) {
    let mut ticks = interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        world.lock().sweep(Instant::now());
    }
}

async fn accept(listener: TcpListener, world: World, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, world.clone(), router.clone()));
                }
                Err(_no_resources) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_finished) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, world: World, router: Router) {
    if stream.set_nodelay(true).is_err() {
        // lost-ok: only a delay of small answers.
    }
    let service = service_fn(|request: Request<Incoming>| {
        let (world, router) = (&world, &router);
        async move { answer(world, router, request.map(Body::new)).await }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if served.is_err() {
        // lost-ok: the client went away, or a fault hung up on it; the history has what was accepted.
    }
}

/// An error here makes hyper close the connection without an answer.
async fn answer(world: &World, router: &Router, request: Request<Body>) -> io::Result<Response> {
    let response = if telegram::is_ours(request.uri().path()) {
        telegram::serve(world, request).await
    } else {
        let served: Result<Response, Infallible> = router.clone().call(request).await;
        match served {
            Ok(response) => response,
            Err(never) => match never {},
        }
    };
    if response.extensions().get::<HangUp>().is_some() {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(response)
}
