"""The real Prometheus (Debian: prometheus) as a process that scrapes one worker with our rules."""

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from service.broker import HOST, free_port
from service.processes import stop_process

RULES = Path(__file__).parents[1] / "deploy" / "prometheus"
RULE_FILES = (RULES / "recording.yaml", RULES / "alerts.yaml")
DASHBOARD = RULES.parent / "grafana" / "dashboards" / "stancewire.json"
VARIABLES = {"$job": ".+", "$__rate_interval": "1m"}  # as Grafana fills them in
STOP_SECONDS = 10.0


class Prometheus:
    """A server; use as a context manager.

    Args:
        folder: for its configuration, log and `data`, which may hold a past.
        target: port of the worker.
    """

    def __init__(self, folder: Path, target: int) -> None:
        self.data = folder / "data"
        self._folder = folder
        self._target = target
        self._port = free_port()

    def __enter__(self) -> "Prometheus":
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in RULE_FILES],
            "scrape_configs": [
                {
                    "job_name": "stancewire",
                    "static_configs": [
                        {"targets": [f"{HOST}:{self._target}"], "labels": {"instance": "worker-0"}}
                    ],
                }
            ],
        }
        file = self._folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(config))
        command = (
            "prometheus", f"--config.file={file}", f"--storage.tsdb.path={self.data}",
            f"--web.listen-address={HOST}:{self._port}",
        )  # fmt: skip
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        return self

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._port}"

    def __exit__(self, *_: object) -> None:
        stop_process(self._process, STOP_SECONDS)

    def get(self, path: str, **parameters: str | float) -> Any:
        """The data of an answer of its HTTP API. Raises: OSError."""
        query = urllib.parse.urlencode(parameters)
        url = f"{self.url}/api/v1/{path}?{query}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
            return json.load(answer)["data"]

    def query(self, expression: str, at: float | None = None) -> list[Any]:
        """The series of an expression, now or at a moment (Unix time in seconds)."""
        when = {} if at is None else {"time": at}
        result: list[Any] = self.get("query", query=expression, **when)["result"]
        return result

    def curves(self, expression: str, moments: range) -> list[Any]:
        """The series of an expression at these moments (Unix time in seconds)."""
        span = {"start": moments[0], "end": moments[-1], "step": moments.step}
        result: list[Any] = self.get("query_range", query=expression, **span)["result"]
        return result

    def answers(self) -> bool:
        """Whether it has started."""
        try:
            return bool(self.query("vector(1)"))
        except OSError:
            return False

    def scrapes(self) -> int:
        """How often it has scraped the worker in the last hour; 0 while it does not answer."""
        try:
            found = self.query("count_over_time(stancewire_stalled[1h])")
        except OSError:
            return 0
        return int(found[0]["value"][1]) if found else 0


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels with their queries as Grafana would send them."""
    text = DASHBOARD.read_text(encoding="utf-8")
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return [panel for panel in json.loads(text)["panels"] if "targets" in panel]
