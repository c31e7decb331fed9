"""The client as one file is made of the package as it is now."""

from __future__ import annotations

import importlib.util
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]


class SingleFile(unittest.TestCase):
    def test_it_is_up_to_date(self) -> None:
        path = ROOT / "python/single_file.py"
        spec = importlib.util.spec_from_file_location("single_file", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        there = (ROOT / "examples/python/recorder_client.py").read_text(encoding="utf-8")
        how = "python3 python/single_file.py > examples/python/recorder_client.py"
        self.assertTrue(there == module.single_file(), f"make it anew: {how}")
