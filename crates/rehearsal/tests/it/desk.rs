//! The operator's desk, as its page and others ask for it.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use rehearsal::{Button, Config, Desk, Operator, Ran};
use serde_json::json;

use crate::Hall;

/// Notes what it was asked to run.
#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<&'static str>>);

impl Operator for Notebook {
    fn run(&self, button: &'static str) -> BoxFuture<'static, Ran> {
        self.0.lock().unwrap().push(button);
        let page = Some("<html>made</html>".to_owned());
        Box::pin(async { Ran { is_good: true, words: "done".to_owned(), page } })
    }
}

#[tokio::test]
async fn desk_2_only_the_name_of_one_of_its_buttons_reaches_the_operator() {
    let operator = Arc::new(Notebook::default());
    let button = Button { name: "tidy", label: "Tidy", command: "tidy up".to_owned(), about: "" };
    let desk = Desk { buttons: vec![button], tips: Vec::new(), operator: operator.clone() };
    let hall = Hall::open_with(Config { desk: Some(desk), ..crate::config() }).await;
    let own = hall.rehearsal.url();
    let press = async |body: serde_json::Value| {
        let request = hall.client.post(format!("{own}/desk/press")).json(&body);
        request.header("origin", &own).send().await.unwrap()
    };
    for other in ["", "tidy up", "Tidy", "../tidy"] {
        assert_eq!(press(json!({ "button": other })).await.status(), 404, "{other}");
    }
    assert!(operator.0.lock().unwrap().is_empty());
    let pressed = press(json!({"button": "tidy", "command": "rm"})).await;
    let ran: serde_json::Value = pressed.json().await.unwrap();
    assert_eq!(ran, json!({"is_good": true, "words": "done", "page": "/desk/page/tidy"}));
    assert_eq!(*operator.0.lock().unwrap(), ["tidy"]);
    let page = hall.client.get(format!("{own}/desk/page/tidy")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && policy.ends_with("sandbox"), "{policy}");
    assert_eq!(page.text().await.unwrap(), "<html>made</html>");
}

#[tokio::test]
async fn a_rehearsal_without_a_desk_has_none_to_press() {
    let hall = Hall::open().await;
    assert!(hall.get("/chat/people").await.get("desk").is_none());
    let own = hall.rehearsal.url();
    let request = hall.client.post(format!("{own}/desk/press")).json(&json!({"button": "tidy"}));
    assert_eq!(request.header("origin", &own).send().await.unwrap().status(), 404);
}
