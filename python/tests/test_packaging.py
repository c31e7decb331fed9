"""What the packages start is what the broker understands."""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
import tempfile
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
        self.assertIn("BROKER_ON_HUP", found)
        for name in found:
            self.assertIn(f"[env: {name}=", text)

    def check(self, options: str) -> str:
        """What the broker says of a file of options, which is good."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "broker.toml"
            path.write_text(options, encoding="utf-8")
            command = [os.environ["RECORDER_BROKER"], "config", "check", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_file_of_options_is_good_also_where_all_its_lines_count(self) -> None:
        text = (PACKAGING / "debian/broker.toml").read_text(encoding="utf-8")
        self.assertIn(" 0 options", self.check(text))
        every, count = re.subn(r"^#([a-z-]+ = )", r"\1", text, flags=re.MULTILINE)
        self.assertGreater(count, 5)
        self.assertIn(f" {count} options", self.check(every))

    def test_the_manual_of_the_bridge_has_all_its_options(self) -> None:
        page = (PACKAGING / "man/zmq-bridge.1").read_text(encoding="utf-8").replace("\\-", "-")
        source = (ROOT / "bins/bridge/src/args.rs").read_text(encoding="utf-8")
        option = r"#\[arg\(((?:[^]]|\](?!\n))*)\)\]\s+(?:pub\(crate\) )?(\w+):"
        names = set()
        for attributes, field in re.findall(option, source):
            given = re.search(r'long = "([^"]+)"', attributes)
            if "long" in attributes:
                names.add(given[1] if given else field.replace("_", "-"))
        self.assertGreater(len(names), 20)
        for name in names:
            self.assertRegex(page, rf"--{name}\b")

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
