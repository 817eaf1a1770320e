"""What README and guides show is what happens: the example, the commands, the consumer."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.broker import EmbeddedBroker
from service.clients import create_topics
from service.processes import worker_environment
from service.settings import Settings
from tests.integration.harness import WorkerProcess, settings_for, wait_until
from tests.pages import blocks

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


GUIDES = [ROOT / "docs" / name for name in ("quickstart.md", "replay.md", "speakers.md")]


def _commands() -> list[str]:
    pages = [README, *(guide.read_text(encoding="utf-8") for guide in GUIDES)]
    lines = "".join(block for page in pages for block in blocks(page, "sh")).splitlines()
    return [line for line in lines if line.startswith(("stancewire", "echo"))]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Path]]:
    """A broker and a worker that has classified the sample articles; in a folder with them."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "seeds").symlink_to(ROOT / "seeds")
    with EmbeddedBroker() as broker:
        settings = settings_for(broker.address, model="keywords")
        create_topics(settings, partitions=4, replicas=1)
        worker = WorkerProcess(settings, folder / "worker.log").start()
        try:
            worker.wait_ready()
            _shell("stancewire publish seeds/articles.jsonl", settings, folder)
            wait_until(lambda: worker.metric("articles_total") == 5, 30, worker.tail)
            yield settings, folder
        finally:
            worker.stop()


def _environment(settings: Settings) -> dict[str, str]:
    commands = Path(sys.executable).parent
    return worker_environment(settings) | {"PATH": f"{commands}:{os.environ['PATH']}"}


def _shell(command: str, settings: Settings, folder: Path) -> str:
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=_environment(settings),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stderr}"
    return result.stdout


def test_the_article_shown_gives_the_event_shown(tmp_path: Path) -> None:
    [article] = re.findall(r"<!-- in -->\n```json\n(.*?)\n```", README)
    [shown] = re.findall(r"<!-- out -->\n```json\n(.*?)\n```", README, re.DOTALL)
    file = tmp_path / "article.jsonl"
    file.write_text(article, encoding="utf-8")
    command = [sys.executable, "-m", "service", "process", str(file), "--format", "jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=90)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    expected = json.loads(shown)
    assert len(events) == 2
    for field in expected.keys() - {"classified_at", "scores"}:
        assert events[1][field] == expected[field], field
    assert events[1]["scores"] == pytest.approx(expected["scores"], abs=0.02)


@pytest.mark.parametrize("command", _commands())
def test_a_command_shown_works(command: str, running: tuple[Settings, Path]) -> None:
    if "| jq" in command and shutil.which("jq") is None:
        pytest.skip("jq is not installed: apt-get install jq")
    output = _shell(command, *running)
    # These say what they did on standard error, or have nothing to tell: the samples are years old.
    silent = ("create", "publish", "replay", ">", "dead-letters list", "watch-speakers")
    assert output or any(word in command for word in silent)


def test_the_consumer_shown_prints_threatening_quotes(running: tuple[Settings, Path]) -> None:
    settings, _ = running
    [program] = blocks(README, "python")
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        env=os.environ | {"STANCEWIRE_BROKERS": settings.brokers},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert "–" in process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_make_targets_shown_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= shown
    assert shown <= targets
