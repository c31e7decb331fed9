"""Checks alerts and dashboard with promtool, and lets a real Prometheus scrape a broker.

    python3 check.py BROKER

BROKER is the program. promtool and prometheus are those of Debian's package prometheus.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 60


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def promtool(*words: str, text: str | None = None) -> None:
    """Lets promtool check something, and ends where that is wrong."""
    done = subprocess.run(["promtool", *words], cwd=HERE, input=text, text=True, check=False)
    if done.returncode:
        sys.exit(f"promtool {' '.join(words)} failed")


def get(url: str) -> str:
    """What is there over HTTP."""
    with urllib.request.urlopen(url, timeout=10) as reply:
        return str(reply.read().decode())


def expressions(part: object) -> list[str]:
    """What the dashboard asks for."""
    if isinstance(part, dict):
        found = [part["expr"]] if "expr" in part else []
        return found + [one for value in part.values() for one in expressions(value)]
    if isinstance(part, list):
        return [one for value in part for one in expressions(value)]
    return []


class Scrape:
    """A broker that has recorded something, and a Prometheus that scrapes it."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.ports = [free_port() for _ in range(5)]
        publish, subscribe, control, metrics, web = self.ports
        self.metrics = f"127.0.0.1:{metrics}"
        self.web = f"http://127.0.0.1:{web}"
        ports = ["--pub-port", str(publish), "--sub-port", str(subscribe)]
        ports += ["--control-port", str(control)]
        place = ["--dir", str(folder / "journal")]
        options = [*place, *ports, "--metrics", self.metrics]
        self.running = [subprocess.Popen([broker, *options], stdout=subprocess.PIPE, text=True)]
        assert self.running[0].stdout is not None
        for line in self.running[0].stdout:
            if "Metrics on" in line:
                break
        # It publishes a message, and sees it delivered and recorded.
        done = subprocess.run([broker, "doctor", *place, *ports], capture_output=True, check=False)
        if done.returncode not in (0, 3):
            sys.exit(done.stderr.decode())
        config = (HERE / "scrape.yml").read_text().replace("127.0.0.1:9555", self.metrics)
        often = "global: {scrape_interval: 1s, evaluation_interval: 1s}"
        config = f"{often}\nrule_files: [{HERE / 'alerts.yml'}]\n{config}"
        (folder / "prometheus.yml").write_text(config)
        words = ["prometheus", f"--config.file={folder / 'prometheus.yml'}"]
        words += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{web}"]
        log = (folder / "prometheus.log").open("w")
        self.running.append(subprocess.Popen(words, stdout=log, stderr=log, text=True))

    def ask(self, expression: str) -> list[dict[str, object]]:
        """What Prometheus answers now."""
        query = urllib.parse.urlencode({"query": expression})
        answer = json.loads(get(f"{self.web}/api/v1/query?{query}"))
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def wait(self, expression: str) -> list[dict[str, object]]:
        """Asks until there is something."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                found = self.ask(expression)
            except OSError:
                found = []
            if found:
                return found
            if time.monotonic() > end:
                sys.exit(f"Prometheus has nothing for {expression}")
            time.sleep(0.2)

    def check(self) -> None:
        """Looks at what was scraped, at what the dashboard shows, and at the alerts."""
        self.wait('up{job="recorder"} == 1')
        self.wait("recorder_messages_recorded_total == 1")
        self.wait("rate(recorder_messages_recorded_total[1m])")
        text = get(f"http://{self.metrics}/metrics")
        promtool("check", "metrics", text=text)
        dashboard = json.loads((HERE / "dashboard.json").read_text())
        for expression in expressions(dashboard):
            self.ask(expression)
            for name in re.findall(r"\brecorder_[a-z_]+", expression):
                name = re.sub(r"_(bucket|sum|count)$", "", name)
                if f"# TYPE {name} " not in text:
                    sys.exit(f"the broker has no {name}, which the dashboard shows")
        rules = json.loads(get(f"{self.web}/api/v1/rules"))["data"]["groups"][0]["rules"]
        states = {rule["name"]: (rule["health"], rule["state"]) for rule in rules}
        print(states)
        # What a disk does in a few seconds says nothing of the next day: that one may wait.
        for name, (health, state) in states.items():
            if health != "ok" or state == "firing":
                sys.exit(f"{name} is {health} and {state} for a broker that is well")

    def stop(self) -> None:
        """Ends both."""
        for process in reversed(self.running):
            process.terminate()
            process.wait()


def main() -> None:
    """Checks all of it."""
    for program in ("promtool", "prometheus"):
        if shutil.which(program) is None:
            sys.exit(f"there is no {program}: apt install prometheus")
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "scrape.yml")
    promtool("test", "rules", "alerts_test.yml")
    with tempfile.TemporaryDirectory() as folder:
        scrape = Scrape(str(Path(sys.argv[1]).resolve()), Path(folder))
        try:
            scrape.check()
        finally:
            scrape.stop()
    print("rules, dashboard and metrics are good")


if __name__ == "__main__":
    main()
