"""What the commands print: JSON lines for programs, tables for people."""

import os
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

# What a terminal obeys instead of showing it; tabs and ends of lines are harmless.
CONTROLS = dict.fromkeys(
    {*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A}, "\N{REPLACEMENT CHARACTER}"
)
STYLES = {"sceptical": "yellow", "conciliatory": "green", "threatening": "bold red", "none": "dim"}


class Format(StrEnum):
    """`--format` of every command that prints data."""

    TABLE = "table"
    JSONL = "jsonl"


class Output(Console):
    """A rich console on standard output."""

    def on_broken_pipe(self) -> None:
        """`| head` has seen enough: nothing failed."""
        _reader_left()


def print_line(line: str) -> None:
    """One line on standard output, at once: a program may be waiting for it."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_left()


def _reader_left() -> NoReturn:
    """End well, here and now: typer would end a command whose pipe is closed with exit code 1."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0)


def say(message: str) -> None:
    """One line for people, on standard error."""
    console = Console(stderr=True, highlight=False)
    console.print(foreign(message), soft_wrap=True)


def foreign(words: object, style: str = "") -> Text:
    """Words that others wrote: neither markup nor orders to the terminal."""
    return Text(str(words).translate(CONTROLS), style=style)


def print_events(events: Iterable[Mapping[str, Any]]) -> None:
    """A table of quote events."""
    table = Table(show_lines=False, header_style="bold", expand=False)
    table.add_column("speaker", max_width=28, overflow="fold")
    table.add_column("quote", ratio=1, overflow="fold")
    table.add_column("stance")
    table.add_column("confidence", justify="right")
    previous = None
    for event in events:
        article = event["article"]["id"]
        if article != previous:
            table.add_section()
            table.add_row("", foreign(event["article"]["title"] or article, "bold"), "", "")
            previous = article
        table.add_row(*event_cells(event))
    Output().print(table)


def event_cells(event: Mapping[str, Any]) -> tuple[Text, Text, Text, Text]:
    """Speaker, quote, stance in colour, confidence."""
    speaker = event["speaker"]
    stance = event["stance"]
    return (
        foreign(speaker["name"] if speaker else "–"),
        foreign(event["text"]),
        foreign(stance, STYLES.get(stance, "cyan")),
        Text(f"{confidence(stance, event['scores']):.2f}"),
    )


def confidence(stance: str, scores: Mapping[str, float]) -> float:
    """The score of the stance; for none, how far the best label stayed from certain."""
    return scores[stance] if stance in scores else 1 - max(scores.values(), default=0.0)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A plain table."""
    table = Table(*columns, header_style="bold")
    for row in rows:
        table.add_row(*(foreign(cell) for cell in row))
    Output().print(table)


def print_explanations(results: Iterable[Mapping[str, Any]]) -> None:
    """Each text with its stance, then two small tables: hypotheses and similar training quotes."""
    output = Output()
    for result in results:
        stance = result["stance"]
        output.print(foreign(stance, STYLES.get(stance, "cyan")), foreign(result["text"]))
        hypotheses = Table("score", "label", "hypothesis", header_style="bold")
        for one in result["explanation"]["hypotheses"]:
            hypotheses.add_row(f"{one['score']:.2f}", one["label"], foreign(one["hypothesis"]))
        similar = Table("similarity", "label", "training quote", header_style="bold")
        for one in result["explanation"]["similar"]:
            similar.add_row(f"{one['similarity']:.2f}", one["label"], foreign(one["text"]))
        output.print(hypotheses, similar)
