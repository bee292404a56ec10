//! What becomes of edits and pins of the panel of `/status`.

use kit::Cx;
use protocol::{MessageId, messenger::MessengerError};
use tracing::warn;

use super::{Input, Job, JobId, Outbox};

impl Outbox {
    /// An edit may be repeated: the message says the same then.
    pub(super) fn edit_ended(
        &mut self,
        id: JobId,
        job: Job,
        result: Result<MessageId, MessengerError>,
        cx: &mut Cx<'_, Self>,
    ) {
        let chat = job.to().chat;
        match result {
            Err(MessengerError::Flooded { retry_after }) => {
                self.jobs.insert(id, job);
                self.perform(Input::Flooded(chat, Some(id), retry_after), cx);
            }
            Err(
                MessengerError::Unreachable(_)
                | MessengerError::Broken { .. }
                | MessengerError::Unauthorized
                | MessengerError::Conflict,
            ) => {
                self.jobs.insert(id, job);
                self.perform(Input::Unreachable(chat, id), cx);
            }
            Ok(_)
            | Err(
                MessengerError::Forbidden
                | MessengerError::Rejected { .. }
                | MessengerError::Migrated { .. },
            ) => {
                if let Job::Edit { reply, .. } = job {
                    // lost-ok: the session restarted and will edit it again.
                    reply.send(result).ok();
                }
                self.perform(Input::Settled(chat), cx);
            }
        }
    }

    /// OUTBOX-4: only a wait is waited for. Nothing is lost without a pin.
    pub(super) fn pin_ended(
        &mut self,
        id: JobId,
        job: Job,
        result: Result<MessageId, MessengerError>,
        cx: &mut Cx<'_, Self>,
    ) {
        let chat = job.to().chat;
        if let Err(MessengerError::Flooded { retry_after }) = result {
            self.jobs.insert(id, job);
            return self.perform(Input::Flooded(chat, Some(id), retry_after), cx);
        }
        if let Err(error) = result {
            warn!(error.message = %error, event.action = "pin_refused", "a panel stands without a pin");
        }
        self.perform(Input::Settled(chat), cx);
    }
}
