"""What the commands print: JSON lines for programs, tables for people."""

import os
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    console.print(message, markup=False, emoji=False, soft_wrap=True)


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
            table.add_row("", Text(event["article"]["title"] or article, style="bold"), "", "")
            previous = article
        table.add_row(*event_cells(event))
    Output().print(table)


def event_cells(event: Mapping[str, Any]) -> tuple[Text, Text, Text, Text]:
    """Speaker, quote, stance in colour, confidence. Never read as markup: it is foreign text."""
    speaker = event["speaker"]
    stance = event["stance"]
    return (
        Text(speaker["name"] if speaker else "–"),
        Text(event["text"]),
        Text(stance, style=STYLES.get(stance, "cyan")),
        Text(f"{confidence(stance, event['scores']):.2f}"),
    )


def confidence(stance: str, scores: Mapping[str, float]) -> float:
    """The score of the stance; for none, how far the best label stayed from certain."""
    return scores[stance] if stance in scores else 1 - max(scores.values(), default=0.0)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A plain table."""
    table = Table(*columns, header_style="bold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Output().print(table)


def print_explanations(results: Iterable[Mapping[str, Any]]) -> None:
    """Each text with its stance, then two small tables: hypotheses and similar training quotes."""
    output = Output()
    for result in results:
        stance = result["stance"]
        output.print(Text(stance, style=STYLES.get(stance, "cyan")), Text(result["text"]))
        hypotheses = Table("score", "label", "hypothesis", header_style="bold")
        for one in result["explanation"]["hypotheses"]:
            hypotheses.add_row(f"{one['score']:.2f}", one["label"], Text(one["hypothesis"]))
        similar = Table("similarity", "label", "training quote", header_style="bold")
        for one in result["explanation"]["similar"]:
            similar.add_row(f"{one['similarity']:.2f}", one["label"], Text(one["text"]))
        output.print(hypotheses, similar)
