//! The parts of a broker in the simulation: each does a turn when it is told to, and
//! none while it is at work already.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::world::{check_failure, draw, note};
use crate::assembly::{Assembled, Shared};
use crate::control::Control;
use crate::delivery::Acceptor;
use crate::intake::{Intake, Unread};
use crate::sync::held;
use crate::worker::{Next, Spawn, Spawned, Worker};

/// A part of the broker, which is absent while it is at work, and in the end.
pub(super) struct Slot<T> {
    part: RefCell<Option<T>>,
    pub(super) done: Cell<bool>,
}

impl<T> Slot<T> {
    pub(super) fn new(part: T) -> Self {
        Self {
            part: RefCell::new(Some(part)),
            done: Cell::new(false),
        }
    }

    /// Lets it work, unless it does already.
    fn run(&self, work: impl FnOnce(&mut T) -> bool) {
        let Some(mut part) = self.part.take() else {
            return;
        };
        match work(&mut part) {
            true => self.done.set(true),
            false => drop(self.part.replace(Some(part))),
        }
    }
}

/// The parts of the running broker.
pub(super) struct Parts {
    pub(super) shared: Shared,
    pub(super) intake: Slot<Intake>,
    pub(super) acceptor: Slot<Acceptor>,
    pub(super) control: Slot<Control>,
    pub(super) recorder: Slot<()>,
    pub(super) workers: Workers,
    pub(super) unread: Cell<Option<Unread>>,
    pub(super) failed: Cell<bool>,
}

/// What the broker has started beside its four parts.
#[derive(Clone, Default)]
pub(super) struct Workers(Arc<Mutex<Vec<Arc<Started>>>>);

pub(super) struct Started {
    worker: Mutex<Option<Box<dyn Worker>>>,
    pub(super) done: AtomicBool,
}

impl Started {
    fn turn(&self) {
        let taken = self.worker.lock().unwrap().take();
        let Some(mut worker) = taken else {
            return;
        };
        match worker.turn() {
            Next::Done => self.done.store(true, Ordering::SeqCst),
            _ => *self.worker.lock().unwrap() = Some(worker),
        }
    }
}

impl Spawn for Workers {
    fn spawn(&self, _: String, worker: Box<dyn Worker>) -> std::io::Result<Box<dyn Spawned>> {
        let started = Arc::new(Started {
            worker: Mutex::new(Some(worker)),
            done: AtomicBool::new(false),
        });
        let mut all = held(self.0.lock());
        all.retain(|one| !one.done.load(Ordering::SeqCst));
        all.push(Arc::clone(&started));
        Ok(Box::new(started))
    }
}

impl Spawned for Arc<Started> {
    fn is_done(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    fn join(self: Box<Self>) {
        while !self.is_done() {
            self.turn();
        }
    }
}

impl Parts {
    /// Takes the parts that were put together; `workers` gets what they start.
    pub(super) fn new(assembled: Assembled, workers: Workers) -> Self {
        let Assembled {
            intake,
            acceptor,
            control,
            shared,
            ..
        } = assembled;
        Self {
            shared,
            intake: Slot::new(intake),
            acceptor: Slot::new(acceptor),
            control: Slot::new(control),
            recorder: Slot::new(()),
            workers,
            unread: Cell::new(None),
            failed: Cell::new(false),
        }
    }

    pub(super) fn intake(&self) {
        self.intake.run(|intake| match intake.turn().unwrap() {
            ControlFlow::Break(unread) => {
                self.unread.set(unread);
                true
            }
            ControlFlow::Continue(()) => false,
        });
    }

    pub(super) fn recorder(&self) {
        let recording = &self.shared.recording;
        if recording.is_lent() {
            return;
        }
        self.recorder.run(|()| match recording.turn() {
            Ok(next) => next == Next::Done,
            Err(failure) => {
                note(format_args!("recording has failed: {failure}"));
                check_failure(&failure);
                self.shared.queue.end();
                self.failed.set(true);
                true
            }
        });
    }

    pub(super) fn acceptor(&self) {
        self.acceptor.run(|acceptor| acceptor.turn() == Next::Done);
    }

    pub(super) fn control(&self) {
        self.control.run(|control| control.turn() == Next::Done);
    }

    fn workers(&self) -> Vec<Arc<Started>> {
        let all = self.workers.0.lock();
        held(all).clone()
    }

    pub(super) fn worker(&self) {
        let workers = self.workers();
        if let Some(worker) = workers.get(draw(workers.len())) {
            worker.turn();
        }
    }

    /// Lets every part do a turn.
    pub(super) fn all(&self) {
        self.acceptor();
        self.control();
        self.intake();
        self.recorder();
        self.workers().iter().for_each(|worker| worker.turn());
    }

    pub(super) fn delivery_is_done(&self) -> bool {
        let workers = self.workers();
        self.acceptor.done.get() && workers.iter().all(|one| one.done.load(Ordering::SeqCst))
    }
}
