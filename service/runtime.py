"""What lives beside the Faust app in one worker process: model, metrics, probes, guard, end.

Knows no Faust. Whatever can go wrong without Kafka goes wrong in `prepare`.
"""

import gc
import logging
import sys
from collections.abc import Callable

from models import Classifier
from service.clients import require_topics
from service.guard import Guard, HardStop, RunningClock
from service.health import Health
from service.http_server import HttpServer
from service.live import LivePage, RecentQuotes
from service.metrics import Metrics
from service.model import load_model
from service.offsets import OffsetLedger
from service.settings import Settings
from service.telemetry import Telemetry
from service.tracing import load_tracing
from service.warm_up import warm_up
from service.watchdog import Watchdog

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.001
# Beyond the drain: for the last commit, the producer's flush and leaving the group.
MARGIN_SECONDS = 8.0


class Runtime:
    """The parts, made from settings.

    Args:
        settings: of the worker.
        current_generation: of the consumer group, for the ledger.
    """

    def __init__(self, settings: Settings, current_generation: Callable[[], int]) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.ledger = OffsetLedger(current_generation)
        self.clock = RunningClock()
        self.hard_stop = HardStop()
        self.watchdog = Watchdog(
            stall_timeout_seconds=settings.stall_timeout_seconds,
            commit_interval_seconds=settings.commit_interval_seconds,
            rebalance_timeout_seconds=settings.rebalance_timeout_seconds,
            clock=self.clock,
        )
        self.health = Health(
            # The longest way that is not stuck: quotes refused by the broker for their size, then
            # three dead letters, each smaller than the one before. Chunks begin it anew.
            in_flight_limit_seconds=settings.article_timeout_seconds
            + 4 * settings.delivery_timeout_seconds
            + MARGIN_SECONDS,
            call_limit_seconds=settings.article_timeout_seconds + MARGIN_SECONDS,
            clock=self.clock,
            watchdog=self.watchdog,
        )
        recent = RecentQuotes()
        tracing = load_tracing(wanted=settings.tracing)
        self.telemetry = Telemetry(self.health, self.metrics, recent, tracing)
        self.http = HttpServer(
            settings.http_host,
            settings.http_port,
            self.health,
            self.metrics,
            LivePage(recent, self.metrics.counts) if settings.live_page else None,
        )
        self.classifier: Classifier | None = None
        self.call_tokens = 0  # known when the classifier is

    def prepare(self) -> None:
        """Everything that can go wrong without Kafka, then: is Kafka there, are the topics?

        Raises:
            FatalError: with the exit code.
        """
        self.hard_stop.start()
        port = self.http.start()
        where = self.settings.http_host, port
        log.info("serving /metrics, /livez and /readyz on %s:%d", *where)
        if self.settings.live_page:
            log.info("quotes as they pass: http://%s:%d/", *where)
        self.classifier = load_model(self.settings)
        self.call_tokens = warm_up(self.classifier)
        labels = self.classifier.labels
        self.metrics.set_model(
            self.classifier.name,
            self.classifier.version,
            labels.version,
            (*labels.names, "none"),
        )
        # Python's threads take turns of 5 ms otherwise: a long article's splitter would hold up the
        # event loop at each of its steps.
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.freeze()  # what is loaded stays: no collection need look through it again
        self.health.model_loaded = True
        log.info("model %s %s is loaded", self.classifier.name, self.classifier.version)
        require_topics(self.settings)

    def guard(self, give_up: Callable[[str], None]) -> Guard:
        """What ends the worker when it does not live; one that is stopping has a time limit."""

        def problems() -> list[str]:
            return [] if self.health.stopping else self.health.problems_alive()

        return Guard(problems, self.metrics.stalled.set, give_up, self.clock)

    def leave(self, *, exit_code: int, limit_seconds: float | None = None) -> None:
        """Begin to stop, and end all the same if that hangs: a broker that does not answer.

        Nothing is lost by a hard end: what is not delivered is not committed.

        Args:
            exit_code: of the hard end.
            limit_seconds: until then; default: what the drain may take, and a margin.
        """
        self.health.stopping = True
        limit = limit_seconds or self.settings.drain_timeout_seconds + MARGIN_SECONDS
        self.hard_stop.arm(exit_code, limit)
