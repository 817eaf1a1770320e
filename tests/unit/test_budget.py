"""The budget of articles in work: bounded by number and by bytes, and never a deadlock."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.budget import Budget

MANY = 10**9


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(limited())


async def is_waiting(task: asyncio.Task[None]) -> bool:
    """Still not let in after the loop had every chance to do so."""
    for _ in range(10):
        await asyncio.sleep(0)
    return not task.done()


def test_articles_are_let_in_up_to_the_number() -> None:
    async def scenario() -> None:
        budget = Budget(max_articles=2, max_bytes=MANY)
        await budget.acquire(1)
        await budget.acquire(1)
        third = asyncio.create_task(budget.acquire(1))
        assert await is_waiting(third)
        budget.release(1)
        await third
        assert budget.articles == 2

    run(scenario)


def test_articles_are_let_in_up_to_the_bytes() -> None:
    async def scenario() -> None:
        budget = Budget(max_articles=100, max_bytes=10)
        await budget.acquire(6)
        await budget.acquire(4)
        third = asyncio.create_task(budget.acquire(1))
        assert await is_waiting(third)
        budget.release(4)
        await third
        assert budget.bytes == 7

    run(scenario)


def test_release_that_frees_too_little_lets_nobody_in() -> None:
    async def scenario() -> None:
        budget = Budget(max_articles=100, max_bytes=10)
        await budget.acquire(2)
        await budget.acquire(8)
        large = asyncio.create_task(budget.acquire(9))
        budget.release(2)
        assert await is_waiting(large)
        budget.release(8)
        await large

    run(scenario)


def test_article_larger_than_everything_is_let_in_when_it_is_alone() -> None:
    async def scenario() -> None:
        budget = Budget(max_articles=100, max_bytes=10)
        await budget.acquire(1)
        huge = asyncio.create_task(budget.acquire(1_000))
        assert await is_waiting(huge)
        budget.release(1)
        await huge
        beside = asyncio.create_task(budget.acquire(0))
        assert await is_waiting(beside)
        budget.release(1_000)
        await beside

    run(scenario)


def test_what_is_released_is_what_was_taken() -> None:
    async def scenario() -> None:
        budget = Budget(max_articles=3, max_bytes=100)
        for size in (5, 0, 7):
            await budget.acquire(size)
        for size in (7, 5, 0):
            budget.release(size)
        assert (budget.articles, budget.bytes) == (0, 0)

    run(scenario)


def test_wait_that_is_cancelled_takes_nothing() -> None:
    async def scenario() -> None:
        budget = Budget(max_articles=1, max_bytes=MANY)
        await budget.acquire(1)
        waiter = asyncio.create_task(budget.acquire(5))
        assert await is_waiting(waiter)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        assert (budget.articles, budget.bytes) == (1, 1)

    run(scenario)


@pytest.mark.parametrize("max_bytes", [1, 10, 50], ids=str)
def test_flood_passes_within_the_limits_and_all_of_it(max_bytes: int) -> None:
    async def scenario() -> None:
        budget = Budget(max_articles=4, max_bytes=max_bytes)
        done = 0

        async def work(size: int) -> None:
            nonlocal done
            await asyncio.sleep(0)
            budget.release(size)
            done += 1

        tasks = []
        for number in range(300):
            size = number % 17
            await budget.acquire(size)
            assert budget.articles <= 4
            assert budget.bytes <= max_bytes or budget.articles == 1
            tasks.append(asyncio.create_task(work(size)))
        await asyncio.gather(*tasks)
        assert (done, budget.articles, budget.bytes) == (300, 0, 0)

    run(scenario)
