"""Faults against real workers: a few minutes of what `make chaos` does for an hour."""

import pytest

from chaos.faults import FAULTS, Injection, plan
from chaos.result import Plan
from chaos.run import run

PARTS = 4


def _part(number: int) -> list[Injection]:
    """A quarter of the faults, each once, and one mix of them."""
    names = tuple(sorted(FAULTS))[number::PARTS]
    return plan(number, len(names) + 1, names)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("number", range(PARTS))
def test_no_fault_loses_invents_or_reorders_anything(number: int) -> None:
    result = run(Plan(number, _part(number), articles_per_second=20), print)
    print(*result.injected, sep="\n")
    assert result.verdict.failures == dict.fromkeys(result.verdict.failures, 0), result.verdict
    assert result.holds
    assert result.verdict.quotes > 1000


@pytest.mark.timeout(240)
def test_a_plain_faust_agent_loses_quotes_under_the_same_faults() -> None:
    """So the check can fail."""
    injections = plan(1, 3, ("kill", "network refused"))
    worker = ("chaos.plain_worker", "take")
    short = Plan(1, injections, worker=worker, recovery_seconds=10, rest_seconds=10)
    result = run(short, print)
    assert result.verdict.failures["missing"] > 0
    assert not result.holds
