"""What others wrote is shown to people, not obeyed by their terminals."""

from typing import Any

import pytest

from service.output import event_cells, print_events, print_explanations, print_table, say

TITLE = "\x1b]0;title of your window\x07"
RED = "\x1b[31m"
EIGHT_BIT = "\x9b2J"
HOSTILE = f"[bold]a{TITLE}{RED}{EIGHT_BIT}\x08\x7f\rb :smile:"
SHOWN = "[bold]a�]0;title of your window��[31m�2J���b :smile:"
EVENT: dict[str, Any] = {
    "article": {"id": HOSTILE, "title": HOSTILE},
    "speaker": {"name": HOSTILE},
    "text": HOSTILE,
    "stance": HOSTILE,
    "scores": {},
}
EXPLAINED = {
    "stance": HOSTILE,
    "text": HOSTILE,
    "explanation": {
        "hypotheses": [{"score": 1.0, "label": "none", "hypothesis": HOSTILE}],
        "similar": [{"similarity": 1.0, "label": "none", "text": HOSTILE}],
    },
}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")


@pytest.mark.parametrize(
    ("show", "times"),
    [
        (lambda: say(HOSTILE), 1),
        (lambda: print_events([EVENT]), 3),
        (lambda: print_table(["one"], [[HOSTILE]]), 1),
        (lambda: print_explanations([EXPLAINED]), 4),
    ],
    ids=["line", "events", "table", "explanations"],
)
def test_foreign_words_are_neither_markup_nor_orders_to_the_terminal(
    show: Any, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    show()
    printed = "".join(capsys.readouterr())
    assert printed.count(SHOWN) >= times
    assert not {character for character in printed if not character.isprintable()} - {"\n"}


def test_a_line_of_tail_is_no_order_either() -> None:
    assert all("\x1b" not in cell.plain for cell in event_cells(EVENT))


def test_line_breaks_and_tabs_stay(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\n\ttwo")
    assert capsys.readouterr().err == "one\n        two\n"
