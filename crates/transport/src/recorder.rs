//! What is recorded: batches wait in a queue, are committed a group at a time, and
//! sessions are closed when that is due.

mod commit;
mod queue;
mod rotation;
mod turns;

pub(crate) use self::commit::{AT_ONCE, ArchiveRequest, Recorder};
pub(crate) use self::queue::{Queue, Taken};
pub(crate) use self::rotation::Rotation;
pub(crate) use self::turns::Recording;
