"""The table in docs/settings.md says of every setting what the code says.

`python -m tests.docs.test_settings_reference` writes the table anew.
"""

import re
from pathlib import Path

from service.settings import ENV_PREFIX, Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "settings.md"
COMMAND = "python -m tests.docs.test_settings_reference"
TABLE = re.compile(r"^\|.*\|\n(?:\|.*\|\n)+", re.MULTILINE)


def render_table() -> str:
    """The table of docs/settings.md, in the order of the fields."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "unset" if field.default is None else f"`{field.default}`"
        meaning = (field.description or "").replace("|", "\\|")
        lines.append(f"| `{ENV_PREFIX}{name.upper()}` | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def test_the_settings_reference_is_complete_and_up_to_date() -> None:
    tables = TABLE.findall(REFERENCE.read_text(encoding="utf-8"))
    assert tables == [render_table()], f"docs/settings.md is out of date; run: {COMMAND}"


def test_every_setting_says_what_it_means() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not field.description]
    assert silent == []


if __name__ == "__main__":
    page = REFERENCE.read_text(encoding="utf-8")
    REFERENCE.write_text(TABLE.sub(lambda _: render_table(), page), encoding="utf-8")
