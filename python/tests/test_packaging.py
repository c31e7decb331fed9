"""What the packages start is what the broker understands."""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"


class Packaging(unittest.TestCase):
    def help(self) -> str:
        command = [os.environ["RECORDER_BROKER"], "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def test_each_variable_is_one_of_the_brokers(self) -> None:
        text = self.help()
        found = set()
        for file in PACKAGING.rglob("*"):
            if file.is_file():
                found.update(re.findall(r"\bBROKER_[A-Z_]+", file.read_text(encoding="utf-8")))
        self.assertIn("BROKER_DIR", found)
        for name in found:
            self.assertIn(f"[env: {name}=", text)

    def test_the_agent_of_macos_starts_the_broker(self) -> None:
        text = (PACKAGING / "launchd/zmq-recorder.broker.plist").read_bytes()
        agent = plistlib.loads(text)
        program, *options = agent["ProgramArguments"]
        self.assertTrue(program.endswith("/zmq-broker"))
        for option in options[::2]:
            self.assertIn(option, self.help())
        name = Path("zmq-recorder.broker.plist").stem
        self.assertEqual(agent["Label"], name, "launchctl knows it by its file's name")

    def test_each_file_of_the_debian_package_is_there(self) -> None:
        manifest = (ROOT / "python/Cargo.toml").read_text(encoding="utf-8")
        sources = re.findall(r'^    \["([^"]+)",', manifest, re.MULTILINE)
        self.assertGreater(len(sources), 10)
        for source in sources:
            # The rest is made by packaging/make.sh.
            if "target/" not in source:
                found = list((ROOT / "python").glob(source))
                self.assertTrue(found, source)

    def test_a_stop_is_given_longer_than_the_broker_takes(self) -> None:
        default = re.search(r"--stop-timeout.*?\[default: (\d+)\]", self.help(), re.DOTALL)
        assert default is not None
        for unit in PACKAGING.rglob("*.service"):
            found = re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
            assert found is not None, unit
            self.assertGreater(int(found[1]), int(default[1]))
