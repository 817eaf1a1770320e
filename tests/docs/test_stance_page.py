"""What docs/stance.md shows is what happens: its commands run, its failures fail as it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.training.report import packaged

PAGE = (Path(__file__).parents[2] / "docs" / "stance.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", _blocks("sh"))
def test_the_commands_run(tmp_path: Path, block: str) -> None:
    [labels] = _blocks("toml")
    (tmp_path / "mine.toml").write_text(labels, encoding="utf-8")
    command = f"stancewire() {{ '{sys.executable}' -m service \"$@\"; }}\n{block}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_what_the_page_says_of_its_failures_is_so() -> None:
    model = packaged()
    rows = re.findall(r"^\| “(.+?)” \| `(\w+)` \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert len(rows) >= 6
    for text, given, meant in rows:
        assert model.labels.decide(model.score([text])[0]) == given, text
        assert given != meant
