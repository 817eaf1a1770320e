"""`stancewire demo`: the main job, and that nothing is left of it however it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.harness import VALIDATOR, wait_until

DEMO = (sys.executable, "-m", "service", "demo")


class Demo:
    """One run of the command, recognisable by a mark in the environment of its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = f"DEMO_MARK={uuid.uuid4().hex}"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        name, value = self.mark.split("=")
        return subprocess.Popen(
            [*DEMO, *arguments],
            env=os.environ | {name: value, "TMPDIR": str(self.folder), "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=90)
        return process.returncode, out, err

    def processes(self) -> list[int]:
        """Process ids that carry the mark."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue  # ended meanwhile, or not ours to read
        return found

    def assert_nothing_left(self) -> None:
        assert self.processes() == []
        assert list(self.folder.glob("stancewire-*")) == []


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    run = Demo(tmp_path)
    yield run
    for pid in run.processes():
        os.kill(pid, signal.SIGKILL)


def test_it_shows_quotes_with_speaker_and_stance_and_a_line_of_metrics(demo: Demo) -> None:
    code, out, err = demo.run()
    assert code == 0, err
    assert "Jens Stoltenberg" in out
    assert "Two paths are still open" in out
    assert "conciliatory" in out
    assert re.search(r"/metrics: 5 articles, quotes: \d+ sceptical", out)
    assert err == "", "progress belongs on a terminal only"
    demo.assert_nothing_left()


def test_jsonl_is_the_events_and_nothing_else(demo: Demo) -> None:
    code, out, err = demo.run("--format", "jsonl", "--model", "keywords")
    assert code == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert len({event["article"]["id"] for event in events}) == 5
    assert not [error for event in events for error in VALIDATOR.iter_errors(event)]
    [speaker] = {
        event["speaker"]["name"] for event in events if "not withdrawing, but" in event["text"]
    }
    assert speaker == "Jens Stoltenberg"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("processes", [2, 3], ids=["broker_up", "worker_up"])
def test_interrupted_it_leaves_nothing_and_prints_no_traceback(
    demo: Demo, number: signal.Signals, processes: int
) -> None:
    process = demo.start("--model", "keywords")
    wait_until(lambda: len(demo.processes()) >= processes, 30)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    demo.assert_nothing_left()


def test_a_worker_that_cannot_start_is_explained_and_leaves_nothing(demo: Demo) -> None:
    code, out, err = demo.run("--model", "/no/such/model")
    assert code == 1
    assert out == ""
    assert "the worker ended with code 2" in err
    assert "/no/such/model" in err
    assert "Traceback" not in err
    demo.assert_nothing_left()


def test_keep_leaves_it_running_and_says_where(demo: Demo) -> None:
    code, _, err = demo.run("--model", "keywords", "--keep")
    assert code == 0, err
    found = re.search(r"stop +kill (\d+) (\d+)", err)
    assert found, err
    assert {int(found[1]), int(found[2])} == set(demo.processes())
    assert re.search(r"broker +127\.0\.0\.1:\d+", err)
    assert re.search(r"worker +http://127\.0\.0\.1:\d+/metrics", err)
    for pid in (int(found[1]), int(found[2])):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not demo.processes(), 40)
