"""A real broker for the tests."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEADLINE = 120.0  # seconds; only a test that fails waits for all of it


def until(what: str, condition: Callable[[], Any]) -> Any:
    """Waits for the condition."""
    give_up = time.monotonic() + DEADLINE
    while not (result := condition()):
        if time.monotonic() > give_up:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.005)
    return result


class Broker:
    """A broker with a directory and a control port of its own."""

    def __init__(self, folder: str, options: tuple[str, ...] = (), port: int = 0) -> None:
        self.logs = Path(folder) / "logs"
        self.options = options
        self.port = port
        self.start()

    @property
    def endpoint(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [os.environ["RECORDER_BROKER"], "--dir", str(self.logs), *self.options]
        command += ["--pub-port", "0", "--sub-port", "0", "--control-port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Listening for requests on port" in line:
                self.port = int(line.split()[-1])
            if "from previous session" in line:
                return
        raise AssertionError(f"the broker ended with {self.process.wait()}")

    def kill(self) -> None:
        """Kills it with -9."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def records(self) -> list[dict[str, Any]]:
        """All whole records of all sessions, in order."""
        files = sorted(self.logs.glob("archive/*.jsonl"))
        files.append(self.logs / "current_session.jsonl")
        found = []
        for file in files:
            if file.exists():
                for line in file.read_bytes().split(b"\n"):
                    try:
                        found.append(json.loads(line))
                    except ValueError:
                        continue  # torn by a kill, or still being written
        return sorted(found, key=lambda record: int(record["message_num"]))


class TestCase(unittest.TestCase):
    """A test with a directory and brokers that end with it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def broker(self, *options: str, lasting: bool = False) -> Broker:
        """Starts a broker; a lasting one can be killed and started again on its port."""
        broker = Broker(self.folder, options, self.free_port() if lasting else 0)
        self.addCleanup(broker.kill)
        return broker

    @staticmethod
    def free_port() -> int:
        """A port on which nobody listens, for one test at a time."""
        return int(os.environ["RECORDER_PORT"])
