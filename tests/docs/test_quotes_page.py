"""What docs/quotes.md shows is what happens."""

import json
import re
from pathlib import Path

from service.quotes import extract_quotes

PAGE = (Path(__file__).parents[2] / "docs" / "quotes.md").read_text(encoding="utf-8")
MODULES = Path(__file__).parents[2] / "service" / "quotes"


def _block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found.group(1)


def test_the_worked_example_gives_the_quotes_that_the_page_shows() -> None:
    quotes = [
        {
            "text": quote.text,
            "offsets": [list(segment) for segment in quote.segments],
            "speaker": quote.speaker and quote.speaker.name,
            "mention": quote.speaker and quote.speaker.mention,
            "cue": quote.cue,
            "kind": quote.kind,
        }
        for quote in extract_quotes(_block("text"))
    ]
    assert quotes == json.loads(_block("json"))


def test_the_page_names_every_module_and_no_other() -> None:
    named = set(re.findall(r"`(\w+\.py)`", PAGE))
    modules = {path.name for path in MODULES.glob("*.py")}
    assert modules - named <= {"__init__.py", "model.py", "lexicon.py"}
    assert named <= modules | {path.name for path in (MODULES / "data").glob("*.py")}
