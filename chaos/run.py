"""One run: a broker behind a proxy, a fleet of workers, a stream of articles, faults, a verdict."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from chaos import group
from chaos.articles import MAX_MESSAGE_BYTES, NumberedArticle, with_poison
from chaos.checker import check
from chaos.faults import Cluster, Injection
from chaos.faulty_worker import CONTROL_VARIABLE, Control
from chaos.observer import Observer
from chaos.proxy import Proxy
from chaos.publisher import Publisher
from chaos.result import Injected, Plan, Result
from chaos.workers import Exit, Fleet, wait_until
from service.broker import HOST, EmbeddedBroker, free_port
from service.clients import create_topics
from service.runtime import MARGIN_SECONDS
from service.settings import Settings, load_settings

PARTITIONS = 4
SUSPICION_SECONDS = 75.0
"""So long after a fault the watchdog has ended whatever hangs: it may be the broker that does."""

START_SECONDS = 90.0
LAST_SECONDS = 10.0
SILENCE_SECONDS = 20.0
"""While articles are published, a group that works is never silent for so long."""


def chaos_settings(brokers: str, model: str) -> Settings:
    """A group that notices a dead member soon, and limits that a run reaches."""
    return load_settings(
        brokers=brokers,
        model=model,
        http_port=0,
        session_timeout_seconds=4,
        heartbeat_seconds=0.5,
        rebalance_timeout_seconds=15,
        drain_timeout_seconds=5,
        delivery_timeout_seconds=8,
        commit_interval_seconds=0.5,
        fetch_wait_seconds=0.02,  # the embedded broker holds a fetch to the end of it
        max_message_bytes=MAX_MESSAGE_BYTES,
        stall_timeout_seconds=10,
    )


def run(plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Run a plan.

    Args:
        plan: what to do.
        tell: told of each step.

    Raises:
        FatalError: the broker does not start.
        TimeoutError: the workers were not ready before the first fault.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        folder = plan.logs or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        control = Control(folder / "control.json")
        stack.enter_context(_environment(CONTROL_VARIABLE, str(folder / "control.json")))
        port = free_port()
        broker = stack.enter_context(EmbeddedBroker(advertised_port=port))
        proxy = stack.enter_context(Proxy(port, broker.port))
        settings = chaos_settings(f"{HOST}:{port}", plan.model)
        create_topics(settings, partitions=PARTITIONS, replicas=1)
        observer = stack.enter_context(Observer(settings, PARTITIONS))
        fleet = stack.enter_context(Fleet(settings, folder, plan.workers, plan.worker))
        publisher = stack.enter_context(
            Publisher(settings, with_poison(plan.seed), plan.articles_per_second)
        )
        wait_until(lambda: len(observer.seen) > 0, START_SECONDS, lambda: fleet.workers[0].tail())
        cluster = Cluster(fleet, proxy, broker.pid or 0, control)
        own = _Run(plan, cluster, publisher, observer, tell)
        injected = [own.inject(injection) for injection in plan.injections]
        last_exits = own.finish()
        articles = {key: article for key, (article, _) in publisher.published.items()}
        verdict = check(articles, observer.received, observer.seen, observer.audits)
        _attribute(injected, verdict.duplicates, fleet.exits)
        return Result(plan.seed, verdict, injected, last_exits, time.monotonic() - started)


class _Run:
    """One run under way."""

    def __init__(
        self,
        plan: Plan,
        cluster: Cluster,
        publisher: Publisher,
        observer: Observer,
        tell: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._cluster = cluster
        self._publisher = publisher
        self._observer = observer
        self._tell = tell
        self._given_up: set[str] = set()  # articles that an earlier fault has lost

    def inject(self, injection: Injection) -> Injected:
        """Inject, then wait until all that was published before the end of it is delivered."""
        time.sleep(injection.after)
        self._tell(" + ".join(injection.faults))
        began = time.monotonic()
        injection.inject(self._cluster)
        one = Injected(injection.name, injection.faults, began, time.monotonic())
        published = [article for article, _ in list(self._publisher.published.values())]
        left = Waiting(
            [article for article in published if article.id not in self._given_up], self._observer
        )
        limit = self._plan.recovery_seconds
        if not holds_within(left.nothing, min(SUSPICION_SECONDS, limit)):
            one.broker_wedged = self._free_if_wedged()
            patience = limit if one.broker_wedged else limit - SUSPICION_SECONDS
            if not holds_within(left.nothing, patience):
                self._given_up |= {article.id for article in left.articles}
                self._tell(f"  not recovered: {len(left.articles)} articles are not delivered")
                return one
        one.recovery_seconds = max(0.0, left.last - one.ended)
        self._tell(f"  recovered in {one.recovery_seconds:.1f} s")
        return one

    def finish(self) -> list[int]:
        """Publish no more, wait for the rest, end the workers; their exit codes."""
        self._tell("the rest")
        self._publisher.stop()
        # A worker that gives up by itself, for the last fault, may still be on its way out.
        time.sleep(self._cluster.fleet.settings.drain_timeout_seconds + MARGIN_SECONDS)
        limit = self._plan.rest_seconds
        if not holds_within(self._complete(), limit) and self._free_if_wedged():
            holds_within(self._complete(), limit)
        exits = self._cluster.fleet.terminate_all()
        holds_within(self._complete(), LAST_SECONDS)
        return exits

    def _complete(self) -> Callable[[], bool]:
        """All is committed and read, as an audit tells that begins from now on."""
        observer, audited = self._observer, len(self._observer.audits)

        def complete() -> bool:
            if observer.error:
                raise observer.error
            fresh = len(observer.audits) > audited + 1
            return fresh and observer.all_committed() and observer.caught_up()

        return complete

    def _free_if_wedged(self) -> bool:
        """Prove, with no worker alive, that the broker's group lets nobody in; then free it."""
        if self._observer.silent_seconds() < SILENCE_SECONDS:
            return False  # the group works; what is missing is missing
        fleet = self._cluster.fleet
        with fleet.nobody():
            wedged = group.is_wedged(fleet.settings)
            if wedged:
                group.free(fleet.settings, PARTITIONS)
        return wedged


def holds_within(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to hold in time."""
    with suppress(TimeoutError):
        wait_until(condition, seconds)
        return True
    return False


class Waiting:
    """Articles that are not delivered yet, and when the last of the others was."""

    def __init__(self, articles: list[NumberedArticle], observer: Observer) -> None:
        self.articles = articles
        self._observer = observer
        self.last = 0.0

    def nothing(self) -> bool:
        """All are delivered; to be asked again and again, it remembers which are."""
        self.articles = [article for article in self.articles if not self._delivered(article)]
        return not self.articles

    def _delivered(self, article: NumberedArticle) -> bool:
        seen = self._observer.outcomes(article.id)
        wanted = ("",) if article.reason else article.quotes
        if any(text not in seen for text in wanted):
            return False
        self.last = max(self.last, *(seen[text] for text in wanted))
        return True


def _attribute(
    injected: list[Injected], duplicates: Sequence[float], exits: Sequence[Exit]
) -> None:
    """To each injection what happened between its beginning and the next one's."""
    ends = [one.began for one in injected[1:]] + [float("inf")]
    for one, end in zip(injected, ends, strict=True):
        one.duplicates = sum(one.began <= moment < end for moment in duplicates)
        happened = [gone for gone in exits if one.began <= gone.moment < end]
        one.exits = [gone.code for gone in happened]
        one.unwanted_exits = [gone.code for gone in happened if not gone.wanted]


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
