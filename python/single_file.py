#!/usr/bin/env python3
"""Makes the blocking client one file to copy into a project.

python3 python/single_file.py > examples/python/recorder_client.py
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "zmq_recorder"
MODULES = (
    "_errors",
    "_keys",
    "_frames",
    "_connection",
    "_requests",
    "_consuming",
    "_messages",
    "_blocking",
)

HEAD = '''"""A client of the broker's control port: publish and know, consume and go on.

One file to copy into a project. Needs pyzmq (pip install pyzmq).

    from recorder_client import Recorder

    with Recorder(sender="me") as recorder:
        number = recorder.publish("greeting", {"content": "hi"})
        print("on disk as message", number)

        for message in recorder.consume("indexer"):
            print(message.number, message.topic, message.payload)
            message.ack()

What goes over the wire is described in docs/protocol.md. The package zmq-recorder has
this and a client for asyncio; the file is made of its modules by python/single_file.py.
"""

from __future__ import annotations
'''


def single_file() -> str:
    """The whole text of the file."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    bodies: list[str] = []
    defined: dict[str, str] = {}
    for module in MODULES:
        source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
        lines = source.splitlines()
        drop: set[int] = set()
        for index, node in enumerate(ast.parse(source).body):
            is_docstring = index == 0 and isinstance(node, ast.Expr)
            if isinstance(node, ast.Import):
                plain.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                if node.level == 0 and node.module != "__future__":
                    names = {alias.name for alias in node.names}
                    named.setdefault(str(node.module), set()).update(names)
            elif not is_docstring:
                check_names(module, node, defined)
                continue
            drop.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        kept = [line for number, line in enumerate(lines, 1) if number not in drop]
        bodies.append("\n".join(kept).strip("\n"))
    imports = [f"import {name}" for name in sorted(plain) if not name.startswith("zmq")]
    imports += [f"from {name} import {', '.join(sorted(named[name]))}" for name in sorted(named)]
    zmqs = [f"import {name}" for name in sorted(plain) if name.startswith("zmq")]
    head = "\n".join([HEAD, *imports, "", *zmqs])
    return "\n\n\n".join([head, *bodies]) + "\n"


def check_names(module: str, node: ast.stmt, defined: dict[str, str]) -> None:
    """In one file a name means one thing."""
    names = [getattr(node, "name", None)]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
    for name in filter(None, names):
        if defined.setdefault(name, module) != module:
            raise SystemExit(f"{name} is defined in {defined[name]} and in {module}")


if __name__ == "__main__":
    sys.stdout.write(single_file())
