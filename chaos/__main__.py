"""`python -m chaos`: run plans, print what came of them. Exit code 1 when anything was lost."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chaos.faults import FAULTS, plan
from chaos.plain_worker import PATTERNS
from chaos.report import COLUMNS, by_fault, markdown, totals
from chaos.result import STANCEWIRE, Plan, Result
from chaos.run import run
from service.output import print_line, print_table

PLAIN_RECOVERY_SECONDS = 15.0
"""It may never deliver: the next fault does not wait for that, the end of the run does."""


def main(
    seed: Annotated[int, typer.Option(help="Of the first run; the next ones count up.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Each with a broker of its own.")] = 8,
    injections: Annotated[int, typer.Option(min=1, help="In each run.")] = 25,
    fault: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(FAULTS)}.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="In the group.")] = 2,
    rate: Annotated[float, typer.Option(help="Articles published a second.")] = 40.0,
    model: Annotated[str, typer.Option(help="Classifier of the workers.")] = "keywords",
    plain: Annotated[
        str | None, typer.Option(help=f"A plain Faust agent instead: {', '.join(PATTERNS)}.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
    logs: Annotated[
        Path | None, typer.Option(help="Keep the workers' logs in this folder.")
    ] = None,
) -> None:
    """Inject faults into real workers and a real broker's network; check that nothing is lost."""
    if unknown := set(fault or ()) - FAULTS.keys():
        raise typer.BadParameter(f"no such fault: {', '.join(sorted(unknown))}")
    if plain and plain not in PATTERNS:
        raise typer.BadParameter(f"no such pattern: {plain}")
    plans = [
        Plan(
            seed=number,
            injections=plan(number, injections, tuple(fault or ())),
            workers=workers,
            articles_per_second=rate,
            model=model,
            worker=("chaos.plain_worker", plain) if plain else STANCEWIRE,
            logs=logs and logs.absolute() / f"seed-{number}",
            **({"recovery_seconds": PLAIN_RECOVERY_SECONDS} if plain else {}),
        )
        for number in range(seed, seed + runs)
    ]
    results = [_run(one) for one in plans]
    print_table(COLUMNS, by_fault(results))
    print_line(json.dumps(totals(results)))
    if report:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(markdown(results) + "\n")
    raise typer.Exit(0 if all(result.holds for result in results) else 1)


def _run(one: Plan) -> Result:
    console = Console(stderr=True)
    console.print(f"seed {one.seed}: {len(one.injections)} injections")
    result = run(one, lambda step: console.print(f"  {step}", highlight=False))
    verdict = result.verdict
    console.print(f"  {result.seconds:.0f} s, {verdict.quotes} quotes, {verdict.failures}")
    for kind in verdict.failures:
        for finding in getattr(verdict, kind)[:10]:
            console.print(f"  {kind}: {finding}", style="red", markup=False)
    return result


if __name__ == "__main__":
    typer.run(main)
