//! What the program's own commands ask of the hall that runs: errands with JSON in and out.
//!
//! CONSOLE-4: they need the operator's token in the `Authorization` header, which a page of another site cannot
//! send and a cookie does not replace. The demo on loopback has no token; there, whatever a browser
//! sends is turned away.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

use crate::{Answer, Bearer, Signed, login::Holder, routes::Hall};

/// Tries rules on the past.
pub(crate) const TRY_RULES: &str = "/rules/try";
/// Reads the rule files anew.
const READ_RULES: &str = "/rules/read";
/// Exports, forgets, blocks or unblocks a person.
const PERSON: &str = "/person";
/// Acknowledges or closes an incident.
const INCIDENT: &str = "/incidents/handle";
/// What playbooks did.
const PLAYBOOKS: &str = "/playbooks/list";
/// Changes the master key.
const ROTATE_KEY: &str = "/key/rotate";
/// What was used of models.
const USAGE: &str = "/usage";
/// Makes a backup.
pub(crate) const MAKE_BACKUP: &str = "/backups/make";
/// Lists, silences or tries alerts.
pub(crate) const ALERTS: &str = "/alerts";
/// Reads what reports are made of.
pub(crate) const EVIDENCE: &str = "/evidence";
/// Looks at the ledger: verifies it, shows records, traces a turn.
pub(crate) const LEDGER: &str = "/ledger";
/// Lists, makes, changes or lets agents go.
const AGENTS: &str = "/agents";
/// How long an errand that reads the past, or all of it, may take.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(60);
/// The largest question: a rule file.
const BODY_BYTES_MAX: usize = 1024 * 1024;

pub(crate) fn router() -> Router<Arc<Hall>> {
    Router::new()
        .route(TRY_RULES, post(try_rules))
        .route(READ_RULES, post(read_rules))
        .route(PERSON, post(person))
        .route(INCIDENT, post(incident))
        .route(PLAYBOOKS, post(playbooks))
        .route(ROTATE_KEY, post(rotate_key))
        .route(USAGE, post(usage))
        .route(MAKE_BACKUP, post(make_backup))
        .route(ALERTS, post(alerts))
        .route(EVIDENCE, post(evidence))
        .route(LEDGER, post(ledger))
        .route(AGENTS, post(agents))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn try_rules(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    run(&hall, &headers, |hall, by| hall.source.try_rules(by, body)).await
}

async fn read_rules(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    run(&hall, &headers, |hall, by| hall.source.read_rules(by)).await
}

async fn person(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    run(&hall, &headers, |hall, by| hall.source.person(by, body)).await
}

async fn incident(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    run(&hall, &headers, |hall, by| hall.source.incident(by, body)).await
}

async fn playbooks(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    run(&hall, &headers, |hall, by| hall.source.playbooks(by)).await
}

async fn rotate_key(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    run(&hall, &headers, |hall, by| hall.source.rotate_key(by)).await
}

async fn usage(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    run(&hall, &headers, |hall, by| hall.source.usage(by)).await
}

async fn make_backup(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    run(&hall, &headers, |hall, by| hall.source.make_backup(by)).await
}

async fn alerts(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    run(&hall, &headers, |hall, by| hall.source.alerts(by, body)).await
}

async fn evidence(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    run(&hall, &headers, |hall, by| hall.source.evidence(by, body)).await
}

async fn ledger(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    run(&hall, &headers, |hall, by| hall.source.ledger(by, body)).await
}

async fn agents(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    run(&hall, &headers, |hall, by| hall.source.agents(by, body)).await
}

async fn run(
    hall: &Hall,
    headers: &HeaderMap,
    errand: impl FnOnce(&Hall, Bearer) -> Answer,
) -> Response {
    let by = may_send(hall, headers);
    let Ok(by) = by else {
        let signed =
            if by.is_err_and(|it| it.is_reader) { Signed::NotTheirs } else { Signed::Refused };
        // lost-ok: it is refused all the same.
        hall.source.note_login(signed).await.ok();
        return (StatusCode::UNAUTHORIZED, "the token is needed").into_response();
    };
    match errand(hall, by).await {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(why) => (StatusCode::UNPROCESSABLE_ENTITY, why).into_response(),
    }
}

/// Who may send no errand.
struct Turned {
    /// They may look.
    is_reader: bool,
}

fn may_send(hall: &Hall, headers: &HeaderMap) -> Result<Bearer, Turned> {
    let is_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if is_browser {
        return Err(Turned { is_reader: false });
    }
    if hall.open {
        return Ok(Bearer(()));
    }
    match hall.bearer(headers) {
        Some(Holder::Operator) => Ok(Bearer(())),
        Some(Holder::Reader) => Err(Turned { is_reader: true }),
        None => Err(Turned { is_reader: false }),
    }
}
