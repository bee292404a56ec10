//! The store keeps every rule of the port.

use std::sync::Arc;

use protocol::ledger::Ledger;
use store::{EngineKind, Store, conformance};

use crate::common::Home;

for_each_engine!(the_store_keeps_the_rules_of_the_port);

struct OnDisk {
    home: Home,
    store: Option<Store>,
}

impl conformance::Engine for OnDisk {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.store.clone().unwrap())
    }

    fn restart(&mut self) {
        self.store.take().unwrap().close().unwrap();
        self.store = Some(self.home.open().unwrap());
    }
}

async fn the_store_keeps_the_rules_of_the_port(engine: EngineKind) {
    let home = Home::of(engine);
    let store = Some(home.open().unwrap());
    conformance::check(&mut OnDisk { home, store }).await;
}
