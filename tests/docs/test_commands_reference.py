"""docs/commands.md says of every command what its --help says.

`python -m tests.docs.test_commands_reference` writes the page anew.
"""

import subprocess
import sys
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "commands.md"
COMMAND = "python -m tests.docs.test_commands_reference"
TYPER = ("-m", "typer", "service.cli", "utils", "docs", "--name=stancewire", "--title=Commands")


def render_page() -> str:
    """Made by typer from the commands themselves."""
    done = subprocess.run([sys.executable, *TYPER], capture_output=True, text=True, check=True)
    return done.stdout.rstrip() + "\n"


def test_the_commands_reference_is_complete_and_up_to_date() -> None:
    current = REFERENCE.read_text(encoding="utf-8") == render_page()
    assert current, f"docs/commands.md is out of date; run: {COMMAND}"


if __name__ == "__main__":
    REFERENCE.write_text(render_page(), encoding="utf-8")
