"""Sharing model calls: who gets what, and who pays when the model fails. Real threads and loops."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from service.batching import Batcher, Scores
from service.errors import InvalidArticle, Reason

PATIENCE = 10.0  # seconds; a test that waits that long hangs


class Model:
    """Scores a text by its length; notes every call; can be held and can fail."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.free.set()

    def score(self, texts: Sequence[str]) -> list[Scores]:
        self.calls.append(list(texts))
        self.threads.add(threading.current_thread().name)
        assert self.free.wait(PATIENCE)
        if any("poison" in text for text in texts):
            raise ValueError("cannot read this")
        return [{"length": float(len(text))} for text in texts]


def lengths(scores: Sequence[Scores]) -> list[int]:
    return [int(one["length"]) for one in scores]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(PATIENCE):
            await scenario()

    asyncio.run(limited())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what it waits for happens in a thread
        await asyncio.sleep(0.001)


def test_results_come_in_the_order_of_the_texts() -> None:
    async def scenario() -> None:
        async with Batcher(Model().score, max_quotes=3) as batcher:
            texts = ["x" * number for number in range(10, 0, -1)]
            assert lengths(await batcher.classify(texts)) == list(range(10, 0, -1))

    run(scenario)


def test_concurrent_articles_share_one_call_and_get_their_own_results() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, wait_seconds=0.2, max_quotes=6) as batcher:
            first, second, third = await asyncio.gather(
                batcher.classify(["a", "bb"]),
                batcher.classify(["ccc"]),
                batcher.classify(["d", "ee", "fff"]),
            )
            assert lengths(first) == [1, 2]
            assert lengths(second) == [3]
            assert lengths(third) == [1, 2, 3]

    run(scenario)
    [call] = model.calls
    assert sorted(call) == ["a", "bb", "ccc", "d", "ee", "fff"]


def test_small_article_does_not_wait_for_a_huge_one_to_end() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, max_quotes=4, wait_seconds=0) as batcher:
            model.free.clear()
            huge = asyncio.create_task(batcher.classify(["huge"] * 100))
            await until(lambda: len(model.calls) == 1)
            small = asyncio.create_task(batcher.classify(["small", "small"]))
            await asyncio.sleep(0)
            model.free.set()
            await small
            assert not huge.done()
            assert len(await huge) == 100

    run(scenario)
    assert model.calls[1].count("small") == 2
    assert sum(len(call) for call in model.calls) == 102


def test_quotes_gather_while_the_model_works() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, wait_seconds=0) as batcher:
            model.free.clear()
            first = asyncio.create_task(batcher.classify(["first"]))
            await until(lambda: len(model.calls) == 1)
            others = [asyncio.create_task(batcher.classify([text])) for text in "abc"]
            await asyncio.sleep(0)
            model.free.set()
            await asyncio.gather(first, *others)

    run(scenario)
    assert model.calls == [["first"], ["a", "b", "c"]]


def test_no_call_has_more_than_max_quotes() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, max_quotes=4, wait_seconds=0.02) as batcher:
            await asyncio.gather(*(batcher.classify(["x"] * size) for size in range(8)))

    run(scenario)
    sizes = [len(call) for call in model.calls]
    assert max(sizes) == 4
    assert sum(sizes) == sum(range(8))


def test_full_batch_does_not_wait_for_more() -> None:
    async def scenario() -> None:
        async with Batcher(Model().score, max_quotes=2, wait_seconds=60) as batcher:
            assert lengths(await batcher.classify(["a", "bb"])) == [1, 2]

    run(scenario)


def test_article_without_quotes_needs_no_call() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score) as batcher:
            assert await batcher.classify([]) == []

    run(scenario)
    assert model.calls == []


def test_text_that_the_model_fails_on_hurts_only_its_own_article() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, wait_seconds=0.1) as batcher:
            good, bad, also_good = await asyncio.gather(
                batcher.classify(["a", "bb"]),
                batcher.classify(["fine", "poison", "fine too"]),
                batcher.classify(["ccc"]),
                return_exceptions=True,
            )
            assert not isinstance(good, BaseException)
            assert lengths(good) == [1, 2]
            assert not isinstance(also_good, BaseException)
            assert lengths(also_good) == [3]
            assert isinstance(bad, InvalidArticle)
            assert bad.reason is Reason.CLASSIFICATION_FAILED
            assert "6 characters" in str(bad)
            assert "cannot read this" in str(bad)
            assert "poison" not in str(bad)

    run(scenario)
    assert len(model.calls[0]) == 6


def test_batcher_goes_on_after_a_failure() -> None:
    async def scenario() -> None:
        async with Batcher(Model().score) as batcher:
            with pytest.raises(InvalidArticle):
                await batcher.classify(["poison", "poison", "poison"])
            assert lengths(await batcher.classify(["abc"])) == [3]

    run(scenario)


@pytest.mark.parametrize("results", [0, 1, 3], ids=["none", "too few", "too many"])
def test_wrong_number_of_results_is_a_failure_of_the_model_and_not_of_the_batcher(
    results: int,
) -> None:
    def score(texts: Sequence[str]) -> list[Scores]:
        return [{"length": 1.0}] * (results if len(texts) == 2 else len(texts))

    async def scenario() -> None:
        async with Batcher(score, wait_seconds=0.05) as batcher:
            assert lengths(await batcher.classify(["a", "b"])) == [1, 1]

    run(scenario)


def test_cancelled_article_is_skipped_and_others_notice_nothing() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, wait_seconds=0) as batcher:
            model.free.clear()
            first = asyncio.create_task(batcher.classify(["first"]))
            await until(lambda: len(model.calls) == 1)
            given_up = asyncio.create_task(batcher.classify(["given up", "given up too"]))
            kept = asyncio.create_task(batcher.classify(["kept"]))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            model.free.set()
            assert lengths(await first) == [5]
            assert lengths(await kept) == [4]
            assert given_up.cancelled()

    run(scenario)
    assert model.calls == [["first"], ["kept"]]


def test_article_cancelled_during_its_call_leaves_the_other_articles_of_that_call_alone() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, wait_seconds=0.05) as batcher:
            model.free.clear()
            given_up = asyncio.create_task(batcher.classify(["given up"]))
            kept = asyncio.create_task(batcher.classify(["kept"]))
            await until(lambda: len(model.calls) == 1)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            model.free.set()
            assert lengths(await kept) == [4]

    run(scenario)
    assert model.calls == [["given up", "kept"]]


def test_batch_of_which_all_were_cancelled_makes_no_call() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, wait_seconds=0.05) as batcher:
            task = asyncio.create_task(batcher.classify(["given up"]))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(0.1)
            assert model.calls == []
            assert lengths(await batcher.classify(["next"])) == [4]

    run(scenario)


def test_event_loop_stays_responsive_while_the_model_blocks() -> None:
    def score(texts: Sequence[str]) -> list[Scores]:
        time.sleep(0.5)
        return [{"length": 0.0}] * len(texts)

    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            longest = max(longest, time.perf_counter() - before)

    async def scenario() -> None:
        async with Batcher(score) as batcher:
            beating = asyncio.create_task(beat())
            await batcher.classify(["a"])
            beating.cancel()

    run(scenario)
    assert 0 < longest < 0.3


def test_model_runs_in_one_thread_of_its_own() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, max_quotes=1) as batcher:
            await asyncio.gather(*(batcher.classify(["x"]) for _ in range(5)))

    run(scenario)
    assert model.threads == {"model_0"}


@pytest.mark.parametrize("when", ["gathering", "in the call", "queued behind a call"])
def test_nobody_waits_for_ever_when_the_batcher_closes(when: str) -> None:
    model = Model()

    async def scenario() -> None:
        waiting = 60.0 if when == "gathering" else 0.0
        async with Batcher(model.score, wait_seconds=waiting) as batcher:
            model.free.clear()
            tasks = [asyncio.create_task(batcher.classify(["a"]))]
            if when == "gathering":
                await asyncio.sleep(0.02)
            else:
                await until(lambda: len(model.calls) == 1)
            if when == "queued behind a call":
                tasks.append(asyncio.create_task(batcher.classify(["b", "c"])))
                await asyncio.sleep(0)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in outcomes] == [asyncio.CancelledError] * len(tasks)

    try:
        run(scenario)
    finally:
        model.free.set()


def test_every_call_is_observed_with_its_seconds_and_its_size() -> None:
    seen: list[tuple[float, int]] = []

    async def scenario() -> None:
        async with Batcher(
            Model().score, max_quotes=2, observe=lambda *call: seen.append(call)
        ) as batcher:
            await batcher.classify(["a", "b", "c"])

    run(scenario)
    assert [texts for _, texts in seen] == [2, 1]
    assert all(0 <= seconds < PATIENCE for seconds, _ in seen)
