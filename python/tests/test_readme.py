"""The examples of the README run, in their order, beside one broker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from .util import TestCase

FOLDER = Path(__file__).parents[1]
SAYS = (
    "and a hundred more, up to 101",
    "101 status {'sender_id'",
    "<Message 111 [answer]",
    "111 messages are now in session_",
    "",
)


class Readme(TestCase):
    def test_each_example_works(self) -> None:
        text = (FOLDER / "README.md").read_text(encoding="utf-8")
        examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        self.assertEqual(len(examples), len(SAYS))
        broker = self.broker()
        for example, says in zip(examples, SAYS):
            source = example.replace("Recorder(", f"Recorder({broker.endpoint!r}, ", 1)
            ended = subprocess.run(
                [sys.executable, "-c", source],
                env={**os.environ, "PYTHONPATH": str(FOLDER)},
                capture_output=True,
                text=True,
                check=False,
            )
            with self.subTest(source):
                self.assertEqual((ended.returncode, ended.stderr), (0, ""))
                self.assertIn(says, ended.stdout)
