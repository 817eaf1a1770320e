"""The contracts as others use them: the official parser, and consumers made from the schemas.

Needs Node.js and npm (Debian: nodejs, npm) and a package registry: `make consumers`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.settings import Settings
from tests.pages import blocks

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "docs" / "contracts"
PAGE = (ROOT / "docs" / "consumers.md").read_text(encoding="utf-8")
HERE = Path(__file__).parent

pytestmark = pytest.mark.timeout(600)


def run(*command: str | Path, cwd: Path, given: str | None = None) -> str:
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown(language: str) -> str:
    """The consumer that the page shows."""
    [block] = blocks(PAGE, language)
    return block


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of package.json."""
    if shutil.which("npm") is None:
        pytest.fail("npm is not installed: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(HERE / "package.json", folder)
    run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", cwd=folder)
    return folder


@pytest.fixture(scope="session")
def quotes() -> str:
    """Real output: the sample articles by the packaged model."""
    command = (sys.executable, "-m", "service", "process", "seeds/articles.jsonl")
    return run(*command, "--format", "jsonl", cwd=ROOT)


def threats(quotes: str) -> int:
    return quotes.count('"stance":"threatening"')


def test_the_official_parser_finds_no_error_and_our_topics(node: Path) -> None:
    script = shutil.copy(HERE / "validate.cjs", node)
    addresses = run("node", script, CONTRACTS / "asyncapi.json", cwd=node).split()
    assert set(addresses) == set(Settings().all_topics)


def test_the_typescript_consumer_compiles_strictly_and_reads_real_output(
    node: Path, quotes: str
) -> None:
    types = run("npx", "json2ts", CONTRACTS / "quote-event.schema.json", cwd=node)
    (node / "quote-event.ts").write_text(types)
    (node / "consumer.ts").write_text(shown("typescript"))
    strict = ("--strict", "--target", "es2022", "--module", "commonjs", "--types", "node")
    run("npx", "tsc", *strict, "consumer.ts", cwd=node)
    lines = run("node", "consumer.js", cwd=node, given=quotes).splitlines()
    assert len(lines) == threats(quotes) > 0
    assert all(" – " in line for line in lines)


def test_the_python_consumer_reads_real_output(tmp_path: Path, quotes: str) -> None:
    schema = CONTRACTS / "quote-event.schema.json"
    options = ("--input-file-type", "jsonschema", "--output-model-type", "pydantic_v2.BaseModel")
    generator = (sys.executable, "-m", "datamodel_code_generator")
    run(*generator, "--input", schema, *options, "--output", "quote_event.py", cwd=tmp_path)
    (tmp_path / "consumer.py").write_text(shown("python"))
    lines = run(sys.executable, "consumer.py", cwd=tmp_path, given=quotes).splitlines()
    assert len(lines) == threats(quotes) > 0
    assert all(" – " in line for line in lines)
