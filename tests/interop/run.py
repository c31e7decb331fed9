#!/usr/bin/env python3
"""Tries the broker with other implementations of ZeroMQ, as far as they can be had.

    run.py BROKER FOLDER [PAGE]

BROKER is the program. Implementations are installed into FOLDER, with pip, npm and
apt-get download, on the first run. With PAGE the table in it is replaced.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).parent
# The libzmq in each of these wheels is another one.
PYZMQ = ["23.2.1", "24.0.1", "25.1.2", "26.4.0", "27.1.0"]
# Older ones, out of wheels that no Python of today installs: the version of pyzmq, and of
# the Python that it is for.
WHEELS = {"4.1.6": ("16.0.4", "36"), "4.2.5": ("17.1.2", "36"), "4.3.2": ("18.1.0", "36")}
JARS = pathlib.Path("usr/share/java")


class Missing(Exception):
    """An implementation that can't be had here, and why."""


def call(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, **options)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Missing("%s: %s" % (" ".join(map(str, command[:3])), " ".join(last)[:200]))
    return done.stdout


def pyzmq(version, folder):
    home = folder / ("pyzmq-" + version)
    python = home / "bin" / "python"
    if not (home / "installed").exists():
        call(sys.executable, "-m", "venv", "--clear", home)
        call(python, "-m", "pip", "install", "-q", "--only-binary", ":all:", "pyzmq==" + version)
        (home / "installed").touch()
    return [python, HERE / "client.py"], {"publishers": "PUB XPUB PUSH", "curve": True}


def libzmq(version, folder):
    wheel, python = WHEELS[version]
    home = folder / ("libzmq-" + version)
    if not (home / "installed").exists():
        options = ["-q", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
        options += ["--platform", "manylinux1_x86_64", "--python-version", python]
        options += ["--abi", "cp%sm" % python, "-d", home, "pyzmq==" + wheel]
        call(sys.executable, "-m", "pip", "download", *options)
        with zipfile.ZipFile(next(home.glob("*.whl"))) as packed:
            packed.extractall(home)
        (home / "installed").touch()
    shared = next(home.glob("zmq/.libs/libzmq*"))
    setting = ["env", "PYTHONPATH=%s" % (HERE / "libzmq"), "LIBZMQ=%s" % shared]
    can = {"publishers": "PUB XPUB PUSH", "curve": True}
    return [*setting, sys.executable, HERE / "client.py"], can


def zmq_rs(folder):
    call("cargo", "build", "-q", "--example", "interop", cwd=HERE)
    found = json.loads(call("cargo", "metadata", "--no-deps", "--format-version=1", cwd=HERE))
    program = pathlib.Path(found["target_directory"]) / "debug" / "examples" / "interop"
    return [program], {"publishers": "PUB XPUB PUSH", "curve": False}


def node(folder):
    if not shutil.which("npm"):
        raise Missing("there is no npm")
    home = folder / "node"
    home.mkdir(exist_ok=True)
    shutil.copy(HERE / "client.mjs", home)
    if not (home / "installed").exists():
        call("npm", "install", "--silent", "zeromq@6", cwd=home)
        (home / "installed").touch()
    return ["node", home / "client.mjs"], {"publishers": "PUB PUSH", "curve": True}


def jeromq(folder):
    if not (shutil.which("javac") and shutil.which("apt-get")):
        raise Missing("there is no javac, or no apt-get")
    home = folder / "jeromq"
    home.mkdir(exist_ok=True)
    if not (home / "installed").exists():
        call("apt-get", "download", "libjeromq-java", cwd=home)
        for package in home.glob("*.deb"):
            call("dpkg", "-x", package, home)
        (home / "installed").touch()
    jar = next((home / JARS).glob("jeromq*.jar"))
    call("javac", "-cp", jar, "-d", home, HERE / "Client.java")
    command = ["java", "-cp", "%s:%s" % (jar, home), "Client"]
    return command, {"publishers": "PUB PUSH", "curve": False}


def implementations():
    for version in WHEELS:
        yield "libzmq " + version, lambda folder, version=version: libzmq(version, folder)
    for version in PYZMQ:
        yield "pyzmq " + version, lambda folder, version=version: pyzmq(version, folder)
    yield "zeromq.js 6", node
    yield "JeroMQ of Debian", jeromq
    yield "zmq.rs", zmq_rs


class Broker:
    """A broker of its own for each run."""

    def __init__(self, program, keys):
        self.dir = tempfile.TemporaryDirectory()
        home = pathlib.Path(self.dir.name)
        self.env = {}
        command = [program, "--dir", home / "logs"]
        for name in ("pub", "sub", "control"):
            command += ["--%s-port" % name, "0"]
        if keys:
            self.make_keys(program, home)
            command += ["--curve", home / "keys"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            found = re.match(r"\[\*\] Listening for (\w+) on port (\d+)", line)
            if found:
                name = {"publishers": "PUB", "subscribers": "SUB", "requests": "CONTROL"}
                self.env[name[found[1]] + "_PORT"] = found[2]
            if " messages from previous session" in line:
                break
        self.logs = home / "logs" / "current_session.jsonl"

    def make_keys(self, program, home):
        call(program, "keygen", "--out", home / "keys")
        call(program, "keygen", "--out", home, "client")
        shutil.copy(home / "client.key", home / "keys" / "authorized")
        files = {
            "SERVER_KEY": ("keys/server.key", "public"),
            "PUBLIC_KEY": ("client.key_secret", "public"),
            "SECRET_KEY": ("client.key_secret", "secret"),
        }
        for name, (path, which) in files.items():
            text = (home / path).read_text()
            self.env[name] = re.search('%s-key = "(.*)"' % which, text)[1]

    def recorded(self):
        """How many messages of each socket are on the disk."""
        counts = {}
        for line in self.logs.read_text().splitlines():
            topic = json.loads(line)["topic"]
            counts[topic] = counts.get(topic, 0) + 1
        return counts

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.dir.cleanup()


def attempt(program, command, publishers, keys):
    broker = Broker(program, keys)
    try:
        env = {**os.environ, **broker.env, "PUBLISHERS": publishers}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        if done.returncode:
            return None, (done.stderr.strip().splitlines() or ["it failed"])[-1][:100]
        said = json.loads(done.stdout)
        # A PUB socket may be closed a moment before all of it has come.
        results = [(kind, broker.recorded().get(kind, 0), 100) for kind in publishers.split()]
        results.append(("SUB", said["result"]["SUB"], 100 * len(publishers.split())))
        text = ["%s %d of %d" % one for one in results]
        text += ["%s %s" % (kind, said["result"][kind]) for kind in ("DEALER", "REQ")]
        return said["version"], "; ".join(text)
    except subprocess.TimeoutExpired:
        return None, "no end in 120 s"
    finally:
        broker.stop()


def main():
    program, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["| implementation | library | mechanism | what came of it |", "|---|---|---|---|"]
    left_out = []
    for name, install in implementations():
        try:
            command, can = install(folder)
        except (Missing, OSError, subprocess.TimeoutExpired, StopIteration) as problem:
            left_out.append("%s: %s" % (name, problem))
            continue
        for keys in (False, True) if can["curve"] else (False,):
            version, result = attempt(program, command, can["publishers"], keys)
            row = (name, version or "?", "CURVE" if keys else "NULL", result)
            rows.append("| %s | %s | %s | %s |" % row)
            print(rows[-1], flush=True)
    rows += ["", "Left out:", ""] + ["- " + one for one in left_out] if left_out else []
    print("\n".join("left out: " + one for one in left_out))
    if len(sys.argv) > 3:
        page = pathlib.Path(sys.argv[3])
        begin, end = "<!-- interop -->\n", "<!-- /interop -->"
        before, rest = page.read_text().split(begin)
        page.write_text(before + begin + "\n".join(rows) + "\n" + end + rest.split(end)[1])


main()
