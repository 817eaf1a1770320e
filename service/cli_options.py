"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from service.output import Format

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Files (.jsonl, .json, .txt), folders of them, or - for standard input.",
        show_default=False,
    ),
]
OutputFormat = Annotated[
    Format, typer.Option("--format", "-f", help="A table, or one JSON object a line.")
]
Brokers = Annotated[
    str | None,
    typer.Option("--brokers", "-b", help="host:port,…; default: the setting.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Classifier: a folder or id; default: the setting.",
        show_default=False,
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        "-l",
        help="TOML file with a label set; default: the setting.",
        show_default=False,
    ),
]
