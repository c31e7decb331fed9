//! What one step may be: a part of the broker works, a client acts, time passes, or
//! something happens that is nobody's doing.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{World, draw, note};
use crate::clock::simulated as clock;
use crate::recorder::ArchiveRequest;

impl World {
    /// Lets some part of the broker do a turn.
    pub(super) fn work(&self) {
        let parts = self.parts();
        match draw(8) {
            0 | 1 => parts.intake(),
            2 | 3 if draw(self.plan.slowness) > 0 => {}
            2 | 3 => parts.recorder(),
            4 => parts.acceptor(),
            5 => parts.control(),
            _ => parts.worker(),
        }
    }

    /// Lets some client do something, unless it does already.
    pub(super) fn act(&self) {
        if self.clients.is_empty() {
            return;
        }
        let client = &self.clients[draw(self.clients.len())];
        if let Ok(mut client) = client.try_borrow_mut() {
            client.act(self);
        }
    }

    pub(super) fn pass(&self) {
        let millis = match draw(20) {
            0 => 1000 + draw(14_000),
            1..4 => draw(1000),
            _ => draw(20),
        };
        clock::advance(Duration::from_millis(millis as u64));
        self.wall.fetch_add(millis as u64, Ordering::SeqCst);
    }

    /// Something that is nobody's doing.
    pub(super) fn befall(&self) {
        let hours = |count: usize| count as u64 * 3_600_000;
        match draw(8) {
            6 => {
                note(format_args!("everything but the clock is paused"));
                clock::advance(Duration::from_secs(200));
            }
            0 if self.plan.rotation => {
                note(format_args!("the clock is set on"));
                self.wall.fetch_add(hours(draw(30)), Ordering::SeqCst);
            }
            1 if self.plan.rotation => {
                note(format_args!("the clock is set back"));
                self.wall.fetch_sub(hours(draw(3)), Ordering::SeqCst);
            }
            2 if self.plan.rotation => self.archive(),
            3 if self.plan.faults && draw(4) == 0 => {
                note(format_args!("the disk is full"));
                self.disk.set_full(true);
            }
            _ => self.disk.set_full(false),
        }
    }

    fn archive(&self) {
        note(format_args!("the session is to be closed"));
        let request = ArchiveRequest {
            label: None,
            reply: Box::new(|_| {}),
        };
        let parts = self.parts();
        let _sent = parts.shared.requests.send(request);
        parts.shared.queue.nudge();
    }
}
