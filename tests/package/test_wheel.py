"""The wheel: it builds, and what it holds works outside the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's own files, installed apart; its dependencies are those of the test run."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(folder), str(wheel)], check=True)
    return folder


def _run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=site.parent,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )


def test_it_holds_code_models_seeds_and_types_but_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "service/cli.py",
        "service/quotes/__init__.py",
        "service/py.typed",
        "models/py.typed",
        "models/labels/stances.toml",
        "models/packaged/encoder.onnx",
        "models/packaged/neighbours.npy",
        "seeds/articles.jsonl",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]
    assert not [name for name in names if name.startswith("models/training/")]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_classifies_its_own_sample_articles_outside_the_checkout(site: Path) -> None:
    where = _run(site, "-c", "import service, models, seeds; print(service.__file__)").stdout
    assert where.startswith(str(site))
    articles = _run(site, "-c", "import seeds; print(seeds.sample_articles())").stdout.strip()
    out = _run(site, "-m", "service", "process", articles, "--format", "jsonl").stdout
    events = [json.loads(line) for line in out.splitlines()]
    assert len({event["article"]["id"] for event in events}) == 5
    assert events[0]["model"]["name"] == "stancewire-mpnet-6"


def test_it_installs_the_command(site: Path) -> None:
    script = site / "bin" / "stancewire"
    assert "stancewire" in _run(site, str(script), "--help").stdout
