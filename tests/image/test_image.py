"""The image: built, small, and at work as its own user on a root that nobody can write to.

`make image`; as root, on Debian or Ubuntu. Takes some ten minutes the first time.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.broker import EmbeddedBroker, free_port
from service.clients import create_topics, read_to_end
from service.processes import worker_environment
from service.settings import Settings
from tests.image.build import build, buildah, missing_tools
from tests.integration.harness import WorkerProcess, run_command, settings_for, wait_until

pytestmark = pytest.mark.timeout(1800)
MOST_MIB = 1_320  # 1,262 when it was last measured: torch 530, the model 79, onnxruntime 74
# Inside a mount namespace of its own: the image's root becomes read-only for this process alone.
START = """
mount --bind "$ROOT_FOLDER" "$ROOT_FOLDER"
mount -o remount,bind,ro "$ROOT_FOLDER"
mount -t proc proc "$ROOT_FOLDER/proc"
mount --rbind /dev "$ROOT_FOLDER/dev"
exec chroot --userspec=10001:10001 --groups=10001 "$ROOT_FOLDER" "$@"
"""


@pytest.fixture(scope="session")
def root() -> Iterator[Path]:
    """The image's files."""
    if os.geteuid() or missing_tools():
        pytest.fail(f"needs root and: apt-get install {' '.join(missing_tools())}")
    container = buildah("from", "--pull-never", build())
    yield Path(buildah("mount", container))
    buildah("umount", container)
    buildah("rm", container)


@contextmanager
def running(
    root: Path, settings: Settings, log: Path, *command: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A command of the image, as `docker run --read-only` would start it."""
    environment = {
        name: value for name, value in worker_environment(settings).items() if "STANCEWIRE" in name
    }
    path = "/opt/stancewire/bin:/usr/local/bin:/usr/bin:/bin"
    variables = environment | {"PATH": path, "ROOT_FOLDER": str(root), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "bash", "-euc", START, "-", *command],
            env=variables | {"PATH": f"{path}:/usr/sbin:/sbin", "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def test_the_image_is_small_and_holds_neither_compilers_nor_caches_nor_cuda(root: Path) -> None:
    size = int(subprocess.check_output(["du", "-sxm", root], text=True).split()[0])
    parts = subprocess.check_output(["du", "-sm", root / "opt/stancewire"], text=True).split()[0]
    print(f"image: {size} MiB, of it Stancewire with all it needs: {parts} MiB")
    assert size < MOST_MIB
    found = [
        path for name in ("gcc", "cc", "c++", "pip") for path in root.glob(f"opt/**/bin/{name}")
    ]
    assert found == []
    assert list(root.glob("root/.cache/*")) == []
    assert [*root.glob("opt/stancewire/lib/python3.11/site-packages/nvidia*")] == []


def test_the_container_classifies_the_sample_articles_as_nobody_on_a_root_it_cannot_write(
    root: Path, tmp_path: Path
) -> None:
    with EmbeddedBroker() as broker:
        settings = settings_for(broker.address, http_port=free_port())
        create_topics(settings, partitions=4, replicas=1)
        log = tmp_path / "worker.log"
        started = time.monotonic()
        with running(root, settings, log, "stancewire", "worker") as worker:
            served = WorkerProcess(settings, log)
            wait_until(lambda: worker.poll() or served.get("/readyz")[0] == 200, 120, served.tail)
            print(f"ready after {time.monotonic() - started:.1f} s")
            assert worker.poll() is None, served.tail()
            assert run_command(settings, "publish", "seeds/articles.jsonl").returncode == 0
            wait_until(lambda: len(list(read_to_end(settings, settings.topic_quotes))) >= 60, 60)
            status = Path(f"/proc/{worker.pid}/status").read_text()
            assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.M)
            worker.terminate()
            assert worker.wait(40) == 0
        quotes = [json.loads(one.value) for one in read_to_end(settings, settings.topic_quotes)]
        assert {quote["article"]["id"] for quote in quotes} == {
            json.loads(line)["id"] for line in Path("seeds/articles.jsonl").read_text().splitlines()
        }


def test_nothing_in_the_container_can_be_written(root: Path, tmp_path: Path) -> None:
    settings = settings_for("127.0.0.1:1")
    log = tmp_path / "touch.log"
    command = "touch /tmp/x; touch /x; touch /opt/stancewire/x; true"
    with running(root, settings, log, "sh", "-c", command) as process:
        process.wait(30)
    assert log.read_text().count("touch: cannot touch") == 3
