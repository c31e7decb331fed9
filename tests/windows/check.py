"""Uses the programs for Windows under wine, as somebody does who has just got them.

    check.py BROKER.exe VIEWER.exe FOLDER

The agents are stock pyzmq on this machine: wine's sockets are the machine's own. Each
check begins with an empty folder, and ends with what it has started.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback

import zmq

BROKER, VIEWER, FOLDER = [os.path.abspath(path) for path in sys.argv[1:4]]
WINE = shutil.which("wine64") or "wine"
PATIENCE = 60


def wine(program, *words, code=0, folder=FOLDER):
    """Runs a program to its end, and returns what it says; `code` is None where any will do."""
    done = subprocess.run([WINE, program, *words], cwd=folder, capture_output=True, timeout=PATIENCE, encoding="utf-8")
    assert code in (None, done.returncode), f"{words}: code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


class Broker:
    """A running broker, on ports that were free."""

    def __init__(self, folder, *options):
        words = [WINE, BROKER, "--dir", "logs", "--pub-port", "0", "--sub-port", "0", "--control-port", "0", *options]
        self.errors = open(os.path.join(folder, "errors"), "a+")
        self.process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.banner, self.ports = [], []
        for line in self.process.stdout:
            self.banner.append(line.rstrip())
            self.ports += re.findall(r"on port (\d+)", line)
            if "Loaded" in line:
                return
        raise AssertionError(f"it did not start: {self.banner} {self.said()}")

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ctrl+C, as wine takes it from the system."""
        self.process.send_signal(signal.SIGINT)
        rest = self.process.stdout.read()
        code = self.process.wait(PATIENCE)
        assert code == 0, f"code {code}: {rest}{self.said()}"
        return rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


class Agent:
    """A stock socket that is connected to a port."""

    def __init__(self, kind, port):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.setsockopt(zmq.LINGER, PATIENCE * 1_000)
        self.socket.setsockopt(zmq.RCVTIMEO, PATIENCE * 1_000)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        if kind == zmq.SUB:
            self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def __enter__(self):
        return self.socket

    def __exit__(self, *_):
        self.socket.close()


def publish(port, numbers):
    # A PUSH is sure to lose nothing, before it is connected neither.
    with Agent(zmq.PUSH, port) as agent:
        for number in numbers:
            text = b'{"sender_id":"claude","content":"message %d"}' % number
            agent.send_multipart([b"talk", text])


def received(port, count):
    with Agent(zmq.SUB, port) as agent:
        frames = [agent.recv_multipart() for _ in range(count)]
    return [int(re.search(rb"message (\d+)", payload)[1]) for _, payload in frames]


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def check_a_conversation_survives_a_kill(folder):
    with Broker(folder) as broker:
        publish(broker.ports[0], range(1, 1_001))
        assert received(broker.ports[1], 1_000) == list(range(1, 1_001))
        broker.kill()
    with Broker(folder) as broker:
        assert "Loaded 1000 messages" in broker.banner[-1], broker.banner
        publish(broker.ports[0], range(1_001, 2_001))
        assert received(broker.ports[1], 2_000) == list(range(1, 2_001))
        said = wine(VIEWER, "--dir", "logs", "--count", folder=folder)
        assert said.strip() == "2000", said
        said = wine(BROKER, "archive", "--control-port", broker.ports[2], "--label", "phase", folder=folder)
        assert "phase" in said, said
        publish(broker.ports[0], range(2_001, 2_011))
        assert received(broker.ports[1], 10) == list(range(2_001, 2_011))
        assert "Archived" in broker.stop()
    said = wine(VIEWER, "--dir", "logs", "--list-archives", folder=folder)
    assert said.count("session_") == 2 and "2,000" in said, said
    assert "2010" in wine(VIEWER, "--dir", "logs", "--all", "--count", folder=folder)
    wine(VIEWER, "--dir", "logs", "verify", folder=folder)
    said = wine(VIEWER, "--dir", "logs", "--all", "--stats", folder=folder)
    assert "claude" in said, said


def check_a_second_broker_is_refused(folder):
    with Broker(folder):
        said = wine(BROKER, "--dir", "logs", "--pub-port", "0", "--sub-port", "0", "--control-port", "0", code=1, folder=folder)
        assert "logs" in said, said


def check_status_says_how_it_is(folder):
    with Broker(folder) as broker:
        publish(broker.ports[0], range(1, 11))
        received(broker.ports[1], 10)
        said = wine(BROKER, "status", "--control-port", broker.ports[2], "--json", folder=folder)
        assert '"messages":10' in said.replace(" ", ""), said
        # How much room there is on the disk is known here, too.
        assert not re.search(r'"(room|free|disk_free)":\s*null', said), said


def check_compressed_and_backed_up(folder):
    with Broker(folder) as broker:
        publish(broker.ports[0], range(1, 5_001))
        received(broker.ports[1], 5_000)
        broker.stop()
    wine(BROKER, "compress", "--dir", "logs", folder=folder)
    assert wine(VIEWER, "--dir", "logs", "--all", "--count", folder=folder).strip() == "5000"
    wine(BROKER, "backup", "--dir", "logs", "copy", folder=folder)
    wine(BROKER, "restore", "copy", "--dir", "restored", folder=folder)
    assert wine(VIEWER, "--dir", "restored", "--all", "--count", folder=folder).strip() == "5000"


def check_the_service(folder):
    """Installed, stopped, started, told of changed options, and removed, with its journal kept."""
    ports = free_ports(3)
    with open(os.path.join(folder, "broker.toml"), "w") as file:
        file.write('dir = "logs"\nlog-file = "broker.log"\non-stop = "keep"\non-hup = "reload"\n')
        file.write("pub-port = {}\nsub-port = {}\ncontrol-port = {}\n".format(*ports))
    session = os.path.join(folder, "logs", "current_session.jsonl")
    log = os.path.join(folder, "broker.log")
    try:
        said = wine(BROKER, "service", "install", "--config", "broker.toml", folder=folder)
        assert "The service zmq-broker runs" in said, said
        publish(ports[0], range(1, 101))
        assert received(ports[1], 100) == list(range(1, 101))
        # As after an upgrade: it is stopped and started.
        wine(BROKER, "service", "install", "--config", "broker.toml", folder=folder)
        publish(ports[0], range(101, 201))
        assert received(ports[1], 200) == list(range(1, 201)), "a restart is no new phase"
        with open(os.path.join(folder, "broker.toml"), "a") as file:
            file.write('history = 5\nlog-level = "info"\n')
        wine(BROKER, "service", "reload", folder=folder)
        until(lambda: "history needs a restart" in open(log).read(), "changed options are told")
        wine("net", "stop", "zmq-broker", folder=folder)
        assert os.listdir(os.path.join(folder, "logs", "archive")) == [], "a stop keeps the session"
        wine("net", "start", "zmq-broker", folder=folder)
        assert received(ports[1], 5) == list(range(196, 201))
        wine("net", "stop", "zmq-broker", folder=folder)
        with open(os.path.join(folder, "broker.toml"), "a") as file:
            file.write("historie = 5\n")
        wine("net", "start", "zmq-broker", code=None, folder=folder)
        failed = os.path.join(folder, "broker-failed.txt")
        until(lambda: os.path.exists(failed), "why it does not start is told")
        assert "historie" in open(failed).read(), open(failed).read()
    finally:
        said = wine(BROKER, "service", "remove", folder=folder)
    assert "stay" in said, said
    assert os.path.exists(session)
    said = wine(BROKER, "service", "remove", code=1, folder=folder)
    assert "there is no service" in said, said


def check_what_is_wrong_with_a_service_is_said(folder):
    config = os.path.join(folder, "broker.toml")
    with open(config, "w") as file:
        file.write("histry = 5\n")
    said = wine(BROKER, "service", "install", "--config", "broker.toml", code=1, folder=folder)
    assert "broker.toml:1: there is no option histry; is it history?" in said, said
    said = wine(BROKER, "service", "install", "--config", "C:\\broker.toml", code=1, folder=folder)
    assert "give them one of their own" in said, said
    said = wine(BROKER, "service", "run", "--config", "broker.toml", code=1, folder=folder)
    assert "service install" in said, said


def main():
    wanted = sys.argv[4:]
    # As long as this waits for a word, wine's services live. They have the output of what
    # has started them, so that nobody must wait for the end of that.
    keeper = subprocess.Popen([WINE, "cmd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    keeper.stdout.readline()
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    failed = 0
    for check in checks:
        if wanted and check.__name__ not in wanted:
            continue
        folder = os.path.join(FOLDER, check.__name__)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        try:
            check(folder)
            print("ok", check.__name__, flush=True)
        except Exception:
            failed += 1
            print("FAILED", check.__name__, flush=True)
            traceback.print_exc()
    keeper.stdin.close()
    keeper.wait()
    return 1 if failed else 0


sys.exit(main())
