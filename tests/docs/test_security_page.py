"""Every defence that docs/security.md claims names a test, and the test is there."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from service.settings import load_settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!Threat|---)(.+?) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _tests_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


@pytest.mark.parametrize(("threat", "_", "tests"), ROWS, ids=[row[0] for row in ROWS])
def test_a_threat_has_tests_and_they_exist(threat: str, _: str, tests: str) -> None:
    named = NAMED.findall(tests)
    assert named, threat
    for file, name in named:
        assert name in _tests_in(ROOT / file)


def test_the_page_lists_threats() -> None:
    assert len(ROWS) > 10


def test_the_example_is_accepted() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    settings = load_settings(**tomllib.loads(example))
    assert settings.security_protocol == "SASL_SSL"
