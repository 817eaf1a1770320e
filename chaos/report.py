"""Results of many runs as tables: for people on the terminal, and as Markdown for the docs."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence

from chaos.result import Injected, Result

COLUMNS = (
    "fault",
    "times",
    "came out again",
    "workers ended (code: times)",
    "recovery p50",
    "worst",
)


def by_fault(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """One row a fault, mixes of several in one row, and a row for all."""
    groups: defaultdict[str, list[Injected]] = defaultdict(list)
    for one in (one for result in results for one in result.injected):
        groups[one.name].append(one)
    rows = [_row(name, groups[name]) for name in sorted(groups, key=lambda n: (n == "mixed", n))]
    return [*rows, _row("all", [one for group in groups.values() for one in group])]


def _row(name: str, group: Sequence[Injected]) -> tuple[str, ...]:
    never = sum(one.recovery_seconds is None for one in group)
    times = [
        one.recovery_seconds
        for one in group
        if one.recovery_seconds is not None and not one.broker_wedged
    ]
    exits = Counter(code for one in group for code in one.exits)
    return (
        name,
        str(len(group)),
        str(sum(one.duplicates for one in group)),
        ", ".join(f"{code}: {count}" for code, count in sorted(exits.items())) or "–",
        f"{statistics.median(times):.1f} s" if times else "–",
        f"never: {never}" if never else f"{max(times, default=0.0):.1f} s",
    )


def totals(results: Sequence[Result]) -> dict[str, int]:
    """What all runs together published, and all that must be 0."""
    counts: Counter[str] = Counter(
        {
            "runs": len(results),
            "faults": sum(len(one.faults) for result in results for one in result.injected),
            "articles": sum(result.verdict.articles for result in results),
            "quotes": sum(result.verdict.quotes for result in results),
        }
    )
    for result in results:
        counts.update(result.verdict.failures)  # zeros stay visible
        counts.update(result.failures)
    counts["broker_wedged"] = sum(
        one.broker_wedged for result in results for one in result.injected
    )
    counts["duplicates"] = sum(len(result.verdict.duplicates) for result in results)
    return dict(counts)


def markdown(results: Sequence[Result]) -> str:
    """The same as Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *by_fault(results)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    summary = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in totals(results).items())
    return f"{summary}\n\n{table}"
