#!/usr/bin/env python3
"""Takes one safeguard after the other out of a scratch copy, and looks whether
the simulation notices: `just simulate-without [SECONDS] [NAME ...]`.

Prints a row for each: its name, the seed that found it, and what broke.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

T = "crates/transport/src/"
J = "crates/journal/src/"

# Name, file, what stands there, what stands there without the safeguard.
SAFEGUARDS = [
    ("bytes that come together with the end are looked at",
     T + "net/inbound/receive.rs",
     "        if came > 0 {\n",
     "        if matches!(result, Ok(count) if count < wanted) {\n            return Err(Ended::Left);\n        }\n        if came > 0 {\n"),
    ("only who was asked is found empty at a stop",
     T + "net/server.rs", "if draining && found.asked.read {", "if draining {"),
    ("a pause of the broker is nobody's silence",
     T + "net/server.rs", "now.duration_since(self.asked).min(TICK)", "now.duration_since(self.asked)"),
    ("a pause of the broker expires no consumer",
     T + "control.rs", "self.consumers.expire(time.min(2 * TICK))", "self.consumers.expire(time)"),
    ("a cursor reads up to the committed end",
     T + "tail.rs", "until: in_memory.unwrap_or(end),", "until: in_memory.unwrap_or(end).max(1 << 40),"),
    ("a consumer reads up to the committed end",
     T + "control/walk.rs", "current.segment.reader(current.bytes)?", "current.segment.reader(1 << 40)?"),
    ("every file that was left is reported",
     T + "recorder/commit.rs",
     "let archived = archived.filter_map(|fresh| fresh.archived.as_ref());",
     "let archived = archived.rev().take(1).filter_map(|fresh| fresh.archived.as_ref());"),
    ("a narrow topic stays until the wider one is there",
     T + "delivery/subscriber.rs", "            if pending {\n", "            if pending && topics.is_empty() {\n"),
    ("a replay leaves out what was brought",
     T + "delivery/subscriber.rs", "without: Some(caught_up),", "without: None,"),
    ("the live place stays while a replay runs",
     T + "delivery/subscriber.rs", "self.live.get_or_insert_with(|| Cursor::at_head(head))",
     "self.live.insert(Cursor::at_head(head))"),
    ("a covered topic joins the one that covers it",
     T + "delivery/subscriber.rs", "if self.caught_up.matches(&topic) {", "if self.caught_up.contains(&topic) {"),
    ("what is recorded while topics are gathered is replayed",
     T + "delivery/subscriber.rs", "cursor: asked.unwrap_or(window),", "cursor: asked.filter(|_| false).unwrap_or(window),"),
    ("nothing is recorded before what a full disk holds up",
     T + "recorder/turns.rs", "            && recorder.held.is_none()\n", ""),
    ("intake commits only where nothing waits",
     T + "recorder/turns.rs", "            && self.queue.is_idle()\n", ""),
    ("another message under a known name is refused",
     T + "control/publishing.rs", "return Some(match entry.digest == digest {", "return Some(match true {"),
    ("a repetition is recognised",
     T + "control/publishing.rs", "if let Some(entry) = self.dedupe.find(key, last) {",
     "if let Some(entry) = self.dedupe.find(key, last).filter(|_| false) {"),
    ("a repetition waits for the first one",
     T + "control/publishing.rs", ".and_then(|id| self.pending.get_mut(id));", ".and_then(|id| self.pending.get_mut(id)).filter(|_| false);"),
    ("known messages are read back after a restart",
     T + "control/dedupe/load.rs", "    found.reverse();\n", "    found.clear();\n"),
    ("no position comes back that was forgotten",
     T + "control/positions.rs", "            if !state.will_forget(&name) {", "            if !name.is_empty() {"),
    ("orders for positions keep their order",
     T + "control/positions.rs", ".take_while(|order| keeps(order))", ".filter(|order| keeps(order))"),
    ("a consumer's position is stored before it is confirmed",
     T + "control/positions.rs", "        write_all(&self.dir, &newest)?;\n", ""),
    ("a consumer passes from a closed session to the next",
     T + "control/walk.rs",
     "            return Ok(Read::Elsewhere);\n        }\n        reader.set_limit(end);\n",
     "            return Ok(Read::Head);\n        }\n        reader.set_limit(end);\n"),
    ("a file whose fsync failed is left",
     J + "writer/failure.rs", "                Err(error) => self.state = WriterState::Leaving(Cause::from(&error)),",
     "                Err(_) => return self.write_and_sync(groups).map_err(Into::into),"),
    ("a file that is left is cut back",
     J + "writer/leave.rs", "if file.size().at(Operation::Measure, &path)? > self.session.bytes {",
     "if file.size().at(Operation::Measure, &path)? > u64::MAX - 1 {"),
    ("numbers go on above what was known",
     J + "standing.rs", "Some(_) => head.reserved.max(noted).max(seen),", "Some(_) => in_files,"),
    ("the head is stored before a number is told",
     J + "writer.rs", "        self.cover(groups, next - 1)?;\n", ""),
    ("what a full disk let through is cut off",
     J + "writer/failure.rs", "        self.leftover = Leftover::Uncut;\n", ""),
    ("the names of sessions are made durable",
     J + "fs.rs", "    match fs.sync_dir(path) {\n        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(false),",
     "    match Ok(()).inspect(|()| drop((fs, path))) {\n        Err(error) if io::Error::kind(&error) == io::ErrorKind::InvalidInput => Ok(false),"),
]


def run(scratch, env, seconds):
    """Returns the seed and what it says, or None."""
    command = ["cargo", "test", "-q", "-p", "transport", "--lib",
               "simulation::promises", "--", "--nocapture"]
    done = subprocess.run(command, cwd=scratch, env=env, capture_output=True, text=True,
                          timeout=seconds * 3 + 1200)
    output = done.stdout + done.stderr
    found = re.search(r"seed (\d+) breaks a promise: (.*)", output)
    if found:
        return found.group(1), found.group(2)
    if "1 passed" not in output:
        return "?", "does not compile or run: " + output.strip()[-300:]
    return None


def try_all(safeguards, names, env, run):
    """Takes out those with these names, or all; returns whether any was missed."""
    root = Path(__file__).resolve().parents[2]
    scratch = root / "target" / "without"
    subprocess.run(["git", "worktree", "remove", "--force", scratch], cwd=root,
                   capture_output=True, check=False)
    subprocess.run(["git", "worktree", "prune"], cwd=root, check=True)
    subprocess.run(["git", "worktree", "add", "--detach", scratch], cwd=root,
                   capture_output=True, check=True)
    env = dict(os.environ, RUST_BACKTRACE="0",
               CARGO_TARGET_DIR=str(root / "target" / "without-target"), **env)
    missed = 0
    for name, file, there, without in safeguards:
        if names and not any(part in name for part in names):
            continue
        path = scratch / file
        text = path.read_text()
        if text.count(there) != 1:
            print(f"| {name} | ? | stands {text.count(there)} times in {file} |", flush=True)
            missed += 1
            continue
        path.write_text(text.replace(there, without))
        found = run(scratch, env)
        path.write_text(text)
        by, what = found or ("none", "not found")
        missed += found is None or by == "?"
        print(f"| {name} | {by} | {what[:160]} |", flush=True)
    subprocess.run(["git", "worktree", "remove", "--force", scratch], cwd=root, check=True)
    return missed > 0


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    env = {"SIMULATE_SECONDS": str(seconds)}
    return int(try_all(SAFEGUARDS, sys.argv[2:], env, lambda *where: run(*where, seconds)))


if __name__ == "__main__":
    sys.exit(main())
