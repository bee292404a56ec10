//! Children of one parent: started in order, stopped in reverse.

use std::{fmt, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tracing::warn;

use crate::{
    actor::Actor,
    mailbox::Mailbox,
    supervise::{Exit, Fault, Spec, Supervision},
};

type Stop = Box<dyn Fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>>>;

/// A running child.
pub struct Child {
    id: String,
    stop: Stop,
    shutdown_time_max: Duration,
    task: JoinHandle<()>,
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Running children, in the order of their start.
#[derive(Debug)]
pub struct Children {
    running: Vec<Child>,
    given_up: mpsc::Receiver<(String, Fault)>,
    report: mpsc::Sender<(String, Fault)>,
}

impl Default for Children {
    fn default() -> Self {
        // Each child reports at most once and a tree has a few dozen children: room for all.
        let (report, given_up) = mpsc::channel(64);
        Self { running: Vec::new(), given_up, report }
    }
}

impl Children {
    /// Starts a child on this thread.
    pub fn start<A: Actor>(
        &mut self,
        spec: &Spec,
        mailbox: Mailbox<A::Msg>,
        supervision: Supervision<A>,
    ) {
        let report = self.report.clone();
        let id = spec.id.clone();
        let task = crate::spawn({
            let id = id.clone();
            async move {
                if let Exit::GaveUp(fault) = supervision.await {
                    // lost-ok: the parent is gone, and its children with it.
                    report.send((id, fault)).await.ok();
                }
            }
        });
        let stop: Stop = Box::new(move || {
            let mailbox = mailbox.clone();
            Box::pin(async move { mailbox.stop().await })
        });
        let shutdown_time_max = spec.shutdown_time_max;
        self.running.push(Child { id, stop, shutdown_time_max, task });
    }

    /// Waits until a child has failed too often. Which one, and why.
    ///
    /// Cancel-safe.
    pub async fn given_up(&mut self) -> (String, Fault) {
        match self.given_up.recv().await {
            Some(loss) => loss,
            None => std::future::pending().await,
        }
    }

    /// Stops the children, last started first. Each has its own time; after that it is dropped.
    pub async fn stop(&mut self) {
        while let Some(mut child) = self.running.pop() {
            let ending = async {
                (child.stop)().await;
                // lost-ok: the task's output is `()`, and its panics were caught inside.
                (&mut child.task).await.ok();
            };
            if timeout(child.shutdown_time_max, ending).await.is_err() {
                warn!(labels.actor = child.id, "actor did not end in time and was dropped");
                child.task.abort();
            }
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in &self.running {
            child.task.abort();
        }
    }
}
