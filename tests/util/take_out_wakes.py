#!/usr/bin/env python3
"""Breaks the ways in which threads sleep and wake each other, one after the other, in a
scratch copy of the last commit, and looks whether the schedules notice:
`just schedules-without [SCHEDULES] [NAME ...]`.

Prints a row for each: what was broken, how many schedules it took, and what they found.
"""

import re
import subprocess
import sys

from take_out import try_all

T = "crates/transport/src/"
J = "crates/journal/src/journal.rs"
Q = "crates/query/src/scan/queue.rs"

ANNOUNCE = "    sleeper.about_to_sleep();\n"
NOTIFY = "        self.changed.notify_all();\n"

# Name, file, what stands there, what stands there instead.
BREAKS = [
    ("waker: no wait is announced",
     T + "net/waker.rs", "self.waker.asleep.store(true, Ordering::SeqCst);", ""),
    ("waker: who wakes leaves the announcement",
     T + "net/waker.rs", "self.asleep.swap(false, Ordering::SeqCst)", "self.asleep.load(Ordering::SeqCst)"),
    ("waker: bytes that are written late are not counted",
     T + "net/waker.rs", "            self.owed += 1;\n", ""),
    ("waker: one byte too few is read",
     T + "net/waker.rs", "if self.owed > 0 {", "if self.owed > 1 {"),
    ("intake: announced behind the look",
     T + "intake/announce.rs", ANNOUNCE + "    let room = !queue.is_full();\n",
     "    let room = !queue.is_full();\n" + ANNOUNCE),
    ("intake: no look at the messages whose senders wait",
     T + "intake/announce.rs", "() if room && !publishes.is_empty() => Some(Duration::ZERO),", ""),
    ("intake: no look at the phase",
     T + "intake/announce.rs", "() if !stopping && !phase.is_running() => Some(Duration::ZERO),",
     "() if !stopping && !phase.is_recording() => Some(Duration::ZERO),"),
    ("queue: a batch is left without a word",
     T + "recorder/queue.rs", "        state.batches.push_back(batch);\n" + NOTIFY,
     "        state.batches.push_back(batch);\n"),
    ("queue: room is made without a word",
     T + "recorder/queue.rs", "            self.intake.wake();\n", ""),
    ("queue: it ends without a word",
     T + "recorder/queue.rs", "        self.lock().ended = true;\n" + NOTIFY,
     "        self.lock().ended = true;\n"),
    ("queue: the recorder does not look at the end",
     T + "recorder/queue.rs", "state.batches.is_empty() && !state.ended && !state.nudged\n            });",
     "state.batches.is_empty() && !state.nudged\n            });"),
    ("queue: a nudge is only a notification",
     T + "recorder/queue.rs", "        self.lock().nudged = true;\n", ""),
    ("queue: a nudge is only noted",
     T + "recorder/queue.rs", "        self.lock().nudged = true;\n" + NOTIFY,
     "        self.lock().nudged = true;\n"),
    ("queue: what is found is not idle until it is taken",
     T + "recorder/queue.rs", "        state.nudged = true;\n    }\n\n    /// Tells whether nothing is there",
     "        state.nudged |= false;\n    }\n\n    /// Tells whether nothing is there"),
    ("turns: intake commits although batches wait",
     T + "recorder/turns.rs", "            && self.queue.is_idle()\n", ""),
    ("turns: intake commits before what a full disk holds up",
     T + "recorder/turns.rs", "            && recorder.held.is_none()\n", ""),
    ("turns: a failure on another thread is not looked at",
     T + "recorder/turns.rs", "recorder.failed.take() {", "recorder.failed.take().filter(|_| false) {"),
    ("turns: requests stay when the thread ends",
     T + "recorder/turns.rs", "        self.0.lock().requests = mpsc::channel().1;\n", ""),
    ("publishes: closed without being noted",
     T + "pending.rs", "        self.lock().closed = true;\n", ""),
    ("publishes: taken back before it is closed",
     T + "pending.rs",
     "        self.lock().closed = true;\n        for publish in self.take_back() {",
     "        let back = self.take_back();\n        self.lock().closed = true;\n        for publish in back {"),
    ("publishes: closed, and nothing is taken back",
     T + "pending.rs", "for publish in self.take_back() {", "for publish in self.take(0) {"),
    ("subscriber: announced behind the look",
     T + "delivery/served.rs", "        self.sleeper.about_to_sleep();\n        self.asleep = true;\n",
     "        let up_to_date = service.subscriber.is_up_to_date(&self.delivery.tail);\n"
     "        self.sleeper.about_to_sleep();\n        self.asleep = true;\n"
     "        if up_to_date {\n            service.idle = true;\n"
     "            self.watch = Some(service.link.watch(false, IDLE));\n            return Next::Idle;\n        }\n"),
    ("subscriber: no look at the tail behind the announcement",
     T + "delivery/served.rs", " || !service.subscriber.is_up_to_date(&delivery.tail)", ""),
    ("subscriber: no look at the phase behind the announcement",
     T + "delivery/served.rs", "!delivery.phase.is_recording() || ", ""),
    ("subscriber: the phase is looked at behind the tail",
     T + "delivery/served.rs", "Turn::Idle if !is_recording =>", "Turn::Idle if !(is_recording && phase.is_recording()) =>"),
    ("slot: one that is being served is not woken",
     T + "delivery/slot.rs", "        if !served {\n", "        if !served && self.service.try_lock().is_ok() {\n"),
    ("slot: one that is not idle is taken for served",
     T + "delivery/slot.rs", "service.idle && service.stays_idle(tail));", "!service.idle || service.stays_idle(tail));"),
    ("slot: an error stays on the other thread",
     T + "delivery/slot.rs", "self.turn(tail).is_ok_and(|turn| turn == Turn::Idle);", "self.turn(tail).map_or(true, |turn| turn == Turn::Idle);"),
    ("listeners: only the first is woken",
     T + "tail/listeners.rs", "for listener in self.lock().iter() {", "for listener in self.lock().iter().take(1) {"),
    ("control: announced behind the look",
     T + "control/events.rs",
     "        sleeper.about_to_sleep();\n        // What came before the announcement has woken nobody.\n        self.lock().is_empty() && phase.is_recording()\n",
     "        let quiet = self.lock().is_empty() && phase.is_recording();\n        sleeper.about_to_sleep();\n        quiet\n"),
    ("control: woken before the event is there",
     T + "control/events.rs", "        self.lock().push(event);\n        self.waker.wake();\n",
     "        self.waker.wake();\n        self.lock().push(event);\n"),
    ("control: no look at the phase",
     T + "control/events.rs", "self.lock().is_empty() && phase.is_recording()", "self.lock().is_empty() | phase.is_closing()"),
    ("feed: what finds the outbox empty is not told",
     T + "control/feed.rs", "state.outbox.len() == 1", "state.outbox.len() > 1"),
    ("feed: what is put back comes behind",
     T + "control/feed.rs", "push_front(out)", "push_back(out)"),
    ("feed: closed without being noted",
     T + "control/feed.rs", "        state.closed = true;\n", ""),
    ("journal: the leader wakes one",
     J, "self.shared.ended.notify_all();", "self.shared.ended.notify_one();"),
    ("journal: the leader wakes nobody",
     J, "        self.shared.ended.notify_all();\n", ""),
    ("journal: the leader wakes before it gives the writer back",
     J, "        state.writer = Some(writer);\n        self.shared.ended.notify_all();\n",
     "        drop(state);\n        self.shared.ended.notify_all();\n        let mut state = self.lock();\n        state.writer = Some(writer);\n"),
    ("journal: a panic goes on at once",
     J, "                writer.abandon();\n                (writer.commit(&[]), Some(panic))\n",
     "                resume_unwind(panic)\n"),
    ("journal: those behind a group that failed are not told",
     J, "for outcome in [outcome, &*std::mem::take(&mut state.outcome)] {", "for outcome in [outcome] {"),
    ("scan: a result is left without a word",
     Q, "        if is_next {\n", "        if is_next && at > self.count {\n"),
    ("scan: the caller takes without a word",
     Q, "        if is_awaited {\n", "        if is_awaited && at > self.count {\n"),
    ("scan: those who wait are not counted",
     Q, "            state.waiting += 1;\n", "            state.waiting += 0;\n"),
    ("scan: it stops without a word",
     Q, "        self.lock().is_stopped = true;\n        self.taken.notify_all();\n",
     "        self.lock().is_stopped = true;\n"),
    ("scan: a worker that is gone stops nobody",
     Q, "        state.is_stopped |= state.claimed < self.0.count;\n", ""),
    ("scan: a worker ends without a word",
     Q, "        drop(state);\n        self.0.ready.notify_one();\n", "        drop(state);\n"),
]


def run(scratch, env):
    """Returns how many schedules it took, and what they found, or None."""
    command = ["cargo", "test", "-q", "-p", "schedules"]
    done = subprocess.run(command, cwd=scratch, env=env, capture_output=True, text=True,
                          timeout=1200)
    output = done.stdout + done.stderr
    failed = re.findall(r"^---- (\S+) stdout ----$", output, re.MULTILINE)
    if failed:
        took = min(map(int, re.findall(r"found by schedule (\d+)", output)))
        panics = re.findall(r"panicked at .*?:\n(.*)", output)
        said = [re.sub(r"(deadlock)!.*|(exceeded max_steps bound).*", r"\1\2", one) for one in panics]
        kinds = "; ".join(sorted({one for one in said if "as was to be" not in one}))
        return str(took), f"{kinds} in {', '.join(failed)}"
    if "0 failed" not in output:
        return "?", "does not compile or run: " + output.strip()[-300:]
    return None


def main():
    schedules = sys.argv[1] if len(sys.argv) > 1 else "1000"
    return int(try_all(BREAKS, sys.argv[2:], {"SCHEDULES": schedules}, run))


if __name__ == "__main__":
    sys.exit(main())
