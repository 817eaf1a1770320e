"""Sharing model calls: who gets what, and who pays when the model fails. Real threads and loops."""

import asyncio
import gc
import random
import threading
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from models.classifier import EncodedText
from service import batching
from service.batching import Batcher, Scores
from service.errors import InvalidArticle, Reason
from service.score_cache import ScoreCache

PATIENCE = 10.0  # seconds; a test that waits that long hangs


class Model:
    """Scores a text by its length; notes every call; can be held and can fail."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.free.set()

    def score(self, batch: Sequence[EncodedText]) -> list[Scores]:
        self.calls.append([one.text for one in batch])
        self.threads.add(threading.current_thread().name)
        assert self.free.wait(PATIENCE)
        if any("poison" in one.text for one in batch):
            raise ValueError("cannot read this")
        return [{"length": float(len(one.text))} for one in batch]

    @property
    def scored(self) -> list[str]:
        return [text for call in self.calls for text in call]


def encode(*texts: str) -> list[EncodedText]:
    """A token a character."""
    return [EncodedText(text, array("I", map(ord, text))) for text in texts]


def distinct(number: int, size: int) -> list[EncodedText]:
    """So many texts of so many tokens, no two alike."""
    return encode(*(f"{index:0{size}d}" for index in range(number)))


def memory(quotes: int = 0) -> ScoreCache:
    """Remembers nothing unless told."""
    return ScoreCache(quotes, ("length",))


def padded(call: Sequence[str]) -> int:
    return len(call) * max(map(len, call))


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


@contextmanager
def held(model: Model) -> Iterator[None]:
    """Its calls end when the block does."""
    model.free.clear()
    try:
        yield
    finally:
        model.free.set()


async def in_the_call(
    model: Model, batcher: Batcher, texts: Sequence[EncodedText]
) -> "asyncio.Task[list[Scores]]":
    """An article of which the model scores a first part now: its first call ever."""
    task = asyncio.create_task(batcher.classify(texts))
    await until(lambda: len(model.calls) == 1)
    return task


async def give_up(task: "asyncio.Task[list[Scores]]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Pauses:
    """The longest time for which the event loop did not turn inside the block, in seconds.

    By the clock on the wall, or by the computing of the loop's own thread: what other processes of
    a busy machine take is then left out.
    """

    longest = 0.0

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock

    async def __aenter__(self) -> "Pauses":
        gc.collect()
        gc.freeze()  # as a worker does; else a collection looks through all that other tests loaded
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._beating.cancel()
        gc.unfreeze()

    async def _beat(self) -> None:
        while True:
            before = self._clock()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, self._clock() - before)


def test_results_come_in_the_order_of_the_texts() -> None:
    async def scenario() -> None:
        async with Batcher(Model().score, memory(), max_tokens=12) as batcher:
            texts = encode(*("x" * number for number in range(10, 0, -1)))
            assert lengths(await batcher.classify(texts)) == list(range(10, 0, -1))

    run(scenario)


def test_concurrent_articles_share_one_call_and_get_their_own_results() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0.2) as batcher:
            first, second, third = await asyncio.gather(
                batcher.classify(encode("a", "bb")),
                batcher.classify(encode("ccc")),
                batcher.classify(encode("d", "ee", "fff")),
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
        async with Batcher(model.score, memory(), max_tokens=40, wait_seconds=0) as batcher:
            with held(model):
                huge = await in_the_call(model, batcher, distinct(100, 5))
                small = asyncio.create_task(batcher.classify(encode("small", "SMALL")))
                await asyncio.sleep(0)
            await small
            assert not huge.done()
            assert len(await huge) == 100

    run(scenario)
    assert {"small", "SMALL"} <= set(model.calls[1])
    assert len(model.scored) == 102


def test_quotes_gather_while_the_model_works() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0) as batcher:
            with held(model):
                first = await in_the_call(model, batcher, encode("first"))
                others = [asyncio.create_task(batcher.classify(encode(text))) for text in "abc"]
                await asyncio.sleep(0)
            await asyncio.gather(first, *others)

    run(scenario)
    assert model.calls == [["first"], ["a", "b", "c"]]


@pytest.mark.parametrize("number", [5, 30, 300])
def test_no_call_has_more_than_max_tokens_padding_included_but_for_a_longer_text(
    number: int,
) -> None:
    model = Model()
    lots = random.Random(number)

    async def scenario() -> None:
        async with Batcher(model.score, memory(), max_tokens=40, wait_seconds=0.02) as batcher:
            articles = [
                encode(*(f"{article:x<{lots.randrange(3, 50)}}{text}" for text in range(8)))
                for article in range(number)
            ]
            await asyncio.gather(*(batcher.classify(texts) for texts in articles))

    run(scenario)
    assert all(padded(call) <= 40 or len(call) == 1 for call in model.calls)
    assert len(model.scored) == number * 8
    assert max(len(call) for call in model.calls) > 1


@pytest.mark.parametrize(
    "texts",
    [
        ["abcd"],
        ["ab", "cd"],
    ],
    ids=["one text", "two texts"],
)
def test_full_batch_does_not_wait_for_more(texts: list[str]) -> None:
    async def scenario() -> None:
        async with Batcher(Model().score, memory(), max_tokens=4, wait_seconds=60) as batcher:
            async with asyncio.timeout(1):
                assert lengths(await batcher.classify(encode(*texts))) == [*map(len, texts)]

    run(scenario)


def test_article_without_quotes_needs_no_call() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory()) as batcher:
            assert await batcher.classify([]) == []

    run(scenario)
    assert model.calls == []


def test_text_that_the_model_fails_on_hurts_only_its_own_article() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0.1) as batcher:
            good, bad, also_good = await asyncio.gather(
                batcher.classify(encode("aaaaaa", "bbbbbbb")),
                batcher.classify(encode("fine 1", "poison", "fine too")),
                batcher.classify(encode("ccccccc")),
                return_exceptions=True,
            )
            assert not isinstance(good, BaseException)
            assert lengths(good) == [6, 7]
            assert not isinstance(also_good, BaseException)
            assert lengths(also_good) == [7]
            assert isinstance(bad, InvalidArticle)
            assert bad.reason is Reason.CLASSIFICATION_FAILED
            assert "6 characters" in str(bad)
            assert "cannot read this" in str(bad)
            assert "poison" not in str(bad)

    run(scenario)
    assert len(model.calls[0]) == 6


def test_batcher_goes_on_after_a_failure() -> None:
    async def scenario() -> None:
        async with Batcher(Model().score, memory()) as batcher:
            with pytest.raises(InvalidArticle):
                await batcher.classify(encode("poison", "poisoned", "poison"))
            assert lengths(await batcher.classify(encode("abc"))) == [3]

    run(scenario)


@pytest.mark.parametrize("results", [0, 1, 3], ids=["none", "too few", "too many"])
def test_wrong_number_of_results_is_a_failure_of_the_model_and_not_of_the_batcher(
    results: int,
) -> None:
    def score(texts: Sequence[EncodedText]) -> list[Scores]:
        return [{"length": 1.0}] * (results if len(texts) == 2 else len(texts))

    async def scenario() -> None:
        async with Batcher(score, memory(), wait_seconds=0.05) as batcher:
            assert lengths(await batcher.classify(encode("a", "b"))) == [1, 1]

    run(scenario)


def test_cancelled_article_is_skipped_and_others_notice_nothing() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0) as batcher:
            with held(model):
                first = await in_the_call(model, batcher, encode("first"))
                given_up = asyncio.create_task(batcher.classify(encode("given up", "given up too")))
                kept = asyncio.create_task(batcher.classify(encode("kept")))
                await asyncio.sleep(0)
                await give_up(given_up)
            assert lengths(await first) == [5]
            assert lengths(await kept) == [4]
            assert given_up.cancelled()

    run(scenario)
    assert model.calls == [["first"], ["kept"]]


def test_article_cancelled_during_its_call_leaves_the_other_articles_of_that_call_alone() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0.05) as batcher:
            with held(model):
                given_up = asyncio.create_task(batcher.classify(encode("given up")))
                kept = await in_the_call(model, batcher, encode("kept"))
                await give_up(given_up)
            assert lengths(await kept) == [4]

    run(scenario)
    [call] = model.calls
    assert sorted(call) == ["given up", "kept"]


def test_batch_of_which_all_were_cancelled_makes_no_call() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0.05) as batcher:
            task = asyncio.create_task(batcher.classify(encode("given up")))
            await asyncio.sleep(0.01)
            await give_up(task)
            await asyncio.sleep(0.1)
            assert model.calls == []
            assert lengths(await batcher.classify(encode("next"))) == [4]

    run(scenario)


def test_event_loop_stays_responsive_while_the_model_blocks() -> None:
    def score(texts: Sequence[EncodedText]) -> list[Scores]:
        time.sleep(0.5)
        return [{"length": 0.0}] * len(texts)

    pauses = Pauses()

    async def scenario() -> None:
        async with Batcher(score, memory()) as batcher, pauses:
            await batcher.classify(encode("a"))

    run(scenario)
    assert 0 < pauses.longest < 0.3


def test_model_runs_in_one_thread_of_its_own_unless_told_otherwise() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), max_tokens=1) as batcher:
            await asyncio.gather(*(batcher.classify(encode(text)) for text in "abcde"))

    run(scenario)
    assert model.threads == {"model_0"}


@pytest.mark.parametrize("when", ["gathering", "in the call", "queued behind a call"])
def test_nobody_waits_for_ever_when_the_batcher_closes(when: str) -> None:
    model = Model()

    async def scenario() -> None:
        waiting = 60.0 if when == "gathering" else 0.0
        async with Batcher(model.score, memory(), wait_seconds=waiting) as batcher:
            model.free.clear()
            tasks = [asyncio.create_task(batcher.classify(encode("a")))]
            if when == "gathering":
                await asyncio.sleep(0.02)
            else:
                await until(lambda: len(model.calls) == 1)
            if when == "queued behind a call":
                tasks.append(asyncio.create_task(batcher.classify(encode("b", "c"))))
                await asyncio.sleep(0)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in outcomes] == [asyncio.CancelledError] * len(tasks)

    try:
        run(scenario)
    finally:
        model.free.set()


def test_classifying_after_the_batcher_has_closed_is_cancelled_and_does_not_hang() -> None:
    async def scenario() -> None:
        batcher = Batcher(Model().score, memory())
        async with batcher:
            pass
        with pytest.raises(asyncio.CancelledError):
            await batcher.classify(encode("a"))

    run(scenario)


def test_closing_while_a_huge_article_is_taken_in_lets_nobody_wait_for_ever() -> None:
    known = distinct(5000, 4)

    async def scenario() -> None:
        cache = memory(10_000)
        async with Batcher(Model().score, cache) as batcher:
            await batcher.classify(known)
            task = asyncio.create_task(batcher.classify([*known, *encode("new")]))
            await asyncio.sleep(0)
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError)

    run(scenario)


@pytest.mark.parametrize("max_tokens", [256, 65_536])
def test_forming_calls_holds_the_event_loop_up_for_moments_only(max_tokens: int) -> None:
    pauses = Pauses(time.thread_time)

    async def scenario() -> None:
        async with Batcher(Model().score, memory(), max_tokens=max_tokens) as batcher, pauses:
            await batcher.classify(distinct(6000, 12))

    run(scenario)
    assert 0 < pauses.longest < 0.3


def test_every_call_is_observed_with_its_seconds_and_its_size() -> None:
    seen: list[tuple[float, int]] = []

    async def scenario() -> None:
        async with Batcher(
            Model().score, memory(), max_tokens=2, observe=lambda *call: seen.append(call)
        ) as batcher:
            await batcher.classify(encode("a", "b", "c"))

    run(scenario)
    assert sorted(texts for _, texts in seen) == [1, 2]
    assert all(0 <= seconds < PATIENCE for seconds, _ in seen)


def test_the_same_quote_in_two_articles_at_one_time_is_scored_once() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0) as batcher:
            with held(model):
                first = await in_the_call(model, batcher, encode("same", "first"))
                during = asyncio.create_task(batcher.classify(encode("other", "same", "new")))
                behind = asyncio.create_task(batcher.classify(encode("new", "new")))
                await asyncio.sleep(0)
            assert lengths(await first) == [4, 5]
            assert lengths(await during) == [5, 4, 3]
            assert lengths(await behind) == [3, 3]

    run(scenario)
    assert sorted(model.scored) == ["first", "new", "other", "same"]


def test_a_quote_scored_before_is_not_scored_again() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(10)) as batcher:
            before = await batcher.classify(encode("same", "first"))
            assert await batcher.classify(encode("first", "same")) == before[::-1]
            assert lengths(await batcher.classify(encode("same", "another"))) == [4, 7]

    run(scenario)
    assert sorted(model.scored) == ["another", "first", "same"]


@pytest.mark.parametrize("when", ["in line", "in the call"])
@pytest.mark.parametrize("who", ["who asked first", "who asked last"])
def test_giving_up_one_article_leaves_the_other_that_waits_for_the_same_quote(
    when: str, who: str
) -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0) as batcher:
            with held(model):
                if when == "in line":
                    first = await in_the_call(model, batcher, encode("first"))
                tasks = [asyncio.create_task(batcher.classify(encode("same")))]
                if when == "in the call":
                    await until(lambda: len(model.calls) == 1)
                tasks.append(asyncio.create_task(batcher.classify(encode("same", "more"))))
                await asyncio.sleep(0)
                given_up = tasks.pop(0 if who == "who asked first" else 1)
                await give_up(given_up)
                assert given_up.cancelled()
            [kept] = tasks
            assert lengths(await kept)[0] == 4
            if when == "in line":
                assert lengths(await first) == [5]

    run(scenario)
    assert model.scored.count("same") == 1
    assert ("more" in model.scored) == (who == "who asked first")


def test_cache_hits_and_misses_are_reported_for_each_article() -> None:
    seen: list[tuple[int, int]] = []

    async def scenario() -> None:
        async with Batcher(
            Model().score, memory(10), observe_cache=lambda *counts: seen.append(counts)
        ) as batcher:
            await batcher.classify(encode("a", "bb"))
            await batcher.classify(encode("bb", "a", "ccc"))
            await batcher.classify(encode("d", "d", "d"))
            await batcher.classify(encode("a"))

    run(scenario)
    assert seen == [(0, 2), (2, 1), (2, 1), (1, 0)]


def test_without_a_cache_everything_is_scored_again() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(0)) as batcher:
            for _ in range(3):
                assert lengths(await batcher.classify(encode("same"))) == [4]

    run(scenario)
    assert model.calls == [["same"]] * 3


@pytest.mark.parametrize("quotes", [0, 10])
def test_nobody_hangs_when_a_failing_quote_is_asked_for_again(quotes: int) -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(quotes), wait_seconds=0) as batcher:
            for _ in range(3):
                with pytest.raises(InvalidArticle):
                    await batcher.classify(encode("poison"))
            with held(model):
                first = asyncio.create_task(batcher.classify(encode("poison", "good")))
                calls = len(model.calls)
                await until(lambda: len(model.calls) > calls)
                during = asyncio.create_task(batcher.classify(encode("poison")))
                await asyncio.sleep(0)
            outcomes = await asyncio.gather(first, during, return_exceptions=True)
            assert [type(one) for one in outcomes] == [InvalidArticle] * 2
            assert lengths(await batcher.classify(encode("good"))) == [4]

    run(scenario)


def test_several_calls_run_side_by_side() -> None:
    together = threading.Barrier(2)

    def score(batch: Sequence[EncodedText]) -> list[Scores]:
        together.wait(PATIENCE / 2)  # ends only when the other call is there too
        return [{"length": float(len(one))} for one in batch]

    async def scenario() -> None:
        async with Batcher(score, memory(), calls=2, wait_seconds=0.05) as batcher:
            outcome = await asyncio.gather(
                batcher.classify(encode("a" * 60)), batcher.classify(encode("b" * 61))
            )
            assert [lengths(scores) for scores in outcome] == [[60], [61]]

    run(scenario)


def test_no_more_calls_run_side_by_side_than_allowed() -> None:
    running: set[int] = set()
    most = 0

    def score(batch: Sequence[EncodedText]) -> list[Scores]:
        nonlocal most
        running.add(threading.get_ident())
        most = max(most, len(running))
        time.sleep(0.002)
        running.discard(threading.get_ident())
        return [{"length": float(len(one))} for one in batch]

    async def scenario() -> None:
        async with Batcher(score, memory(), calls=3, max_tokens=16) as batcher:
            assert lengths(await batcher.classify(distinct(100, 8))) == [8] * 100

    run(scenario)
    assert most == 3


def test_a_huge_article_does_not_block_the_event_loop() -> None:
    model = Model()
    texts = distinct(100_000, 12)
    pauses = Pauses(time.thread_time)

    async def scenario() -> None:
        async with Batcher(model.score, memory(1_000)) as batcher, pauses:
            huge = asyncio.create_task(batcher.classify(texts))
            await until(lambda: len(model.calls) > 200)
            await give_up(huge)
            assert lengths(await batcher.classify(encode("next"))) == [4]

    run(scenario)
    assert 0 < pauses.longest < 0.3


def test_texts_of_one_call_are_about_equally_long_when_many_wait() -> None:
    model = Model()
    lots = random.Random(5)
    texts = encode(*(f"{index:x<{lots.randrange(4, 64)}}" for index in range(1_000)))

    async def scenario() -> None:
        async with Batcher(model.score, memory()) as batcher:
            articles = [texts[start : start + 10] for start in range(0, len(texts), 10)]
            await asyncio.gather(*(batcher.classify(article) for article in articles))

    run(scenario)
    assert sorted(model.scored) == sorted(one.text for one in texts)
    assert sum(map(padded, model.calls)) < 1.15 * sum(map(len, texts))


def test_an_urgent_small_article_overtakes_a_huge_one_within_a_couple_of_calls() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), max_tokens=64, wait_seconds=0) as batcher:
            with held(model):
                huge = await in_the_call(model, batcher, distinct(2_000, 8))
                await asyncio.sleep(0.05)  # the rest of the huge one is in line
                small = asyncio.create_task(batcher.classify(encode("a" * 30, "b" * 3)))
                await asyncio.sleep(0)
            assert lengths(await small) == [30, 3]
            assert not huge.done()
            assert lengths(await huge) == [8] * 2_000

    run(scenario)
    [*_, last] = [
        number for number, call in enumerate(model.calls) if {"a" * 30, "b" * 3} & set(call)
    ]
    assert last <= 2 + batching.CALLS_AHEAD


def test_a_huge_article_is_finished_although_small_ones_keep_coming(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batching, "MAX_DUE_SECONDS", 0.5)
    served = 0

    def score(batch: Sequence[EncodedText]) -> list[Scores]:
        time.sleep(0.001)
        return [{"length": float(len(one))} for one in batch]

    async def keep_coming(batcher: Batcher, name: str) -> None:
        nonlocal served
        while True:
            await batcher.classify(encode(f"{name}{served:063d}"))  # fills a call
            served += 1

    async def scenario() -> None:
        async with Batcher(score, memory(), max_tokens=64, wait_seconds=0) as batcher:
            small = [asyncio.create_task(keep_coming(batcher, name)) for name in "abcdefgh"]
            assert lengths(await batcher.classify(distinct(1_000, 8))) == [8] * 1_000
            for task in small:
                task.cancel()
            await asyncio.gather(*small, return_exceptions=True)

    run(scenario)
    assert served > 8  # each came more than once meanwhile


def test_a_huge_article_that_is_given_up_makes_no_more_calls() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), max_tokens=64, wait_seconds=0) as batcher:
            with held(model):
                huge = await in_the_call(model, batcher, distinct(2_000, 8))
                await asyncio.sleep(0.05)  # the rest of it is in line, its next call is formed
                await give_up(huge)
            assert lengths(await batcher.classify(encode("next"))) == [4]

    run(scenario)
    assert model.calls[1:] == [["next"]]


def test_a_given_up_quote_is_scored_when_it_is_asked_for_again() -> None:
    model = Model()

    async def scenario() -> None:
        async with Batcher(model.score, memory(), wait_seconds=0) as batcher:
            with held(model):
                first = await in_the_call(model, batcher, encode("first"))
                given_up = asyncio.create_task(batcher.classify(encode("again", "never")))
                await asyncio.sleep(0)
                await give_up(given_up)
                again = asyncio.create_task(batcher.classify(encode("again")))
                await asyncio.sleep(0)
            assert lengths(await first) == [5]
            assert lengths(await again) == [5]

    run(scenario)
    assert model.calls == [["first"], ["again"]]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
def test_a_model_out_of_memory_fails_as_that_and_is_not_tried_text_by_text(
    error: Exception,
) -> None:
    calls = []

    def score(batch: Sequence[EncodedText]) -> list[Scores]:
        calls.append(len(batch))
        raise error

    async def scenario() -> None:
        async with Batcher(score, memory(), wait_seconds=0.05) as batcher:
            with pytest.raises(type(error)):
                await batcher.classify(encode("a", "bb"))

    run(scenario)
    assert calls == [2]
