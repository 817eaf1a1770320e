"""The command `stancewire watch-speakers`."""

from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from service.cli_options import Brokers, OutputFormat
from service.output import STYLES, Format, Output, foreign, print_line, say
from service.settings import load_settings

if TYPE_CHECKING:
    from service.speakers.tally import Tally


def watch_speakers(
    format: OutputFormat = Format.TABLE,
    brokers: Brokers = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when all quotes there are by now are counted.")
    ] = False,
) -> None:
    """Who takes which stance how often: keeps the topic of the speakers current.

    Counts quotes by speaker and by source over 1 h, 24 h and 7 days; the same words in several
    papers count once. Writes, and prints, each tally that changes.
    """
    from service.speakers.watch import watch_speakers as watch

    console = Output()
    changed = count()
    with closing(watch(load_settings(brokers=brokers), once=once)) as tallies:
        for tally in tallies:
            next(changed)
            if format is Format.JSONL:
                print_line(tally.to_json().decode())
            else:
                console.print(_line(tally), soft_wrap=True)
    say(f"{next(changed)} tallies changed; what was published over 7 days ago does not count")


def _line(tally: "Tally") -> Text:
    """Anna Berg  1h 2 sceptical  24h …  7d …  from conciliatory to sceptical."""
    line = foreign(tally.name, "bold" if tally.subject == "speaker" else "italic")
    for window, counts in tally.windows.items():
        line.append(f"  {window}", "dim")
        for stance, number in counts.items():
            line.append(f" {number} ").append(foreign(stance, STYLES.get(stance, "cyan")))
    if tally.turn:
        line.append("  from ").append(foreign(tally.turn.before, STYLES.get(tally.turn.before, "")))
        line.append(" to ").append(foreign(tally.turn.now, STYLES.get(tally.turn.now, "")))
    return line
