"""Feels the worker's pulse: tells health, metrics and watchdog how its loop and its clients do.

Runs on the worker's loop from the moment the app starts: joining the group is watched too.
"""

import asyncio
import contextlib
import logging
from typing import Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted

from service.health import Health
from service.metrics import Metrics
from service.offsets import OffsetLedger
from service.transport import LedgerConsumer
from service.watchdog import Facts, Watchdog

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
CONNECT_SECONDS = 2.0
LAG_SECONDS = 2.0
LAG_TIMEOUT_SECONDS = 5.0


class Pulse:
    """Watches one app until it stops.

    Args:
        app: whose consumer and producer are ours.
        ledger: what is begun and what may be committed.
        metrics: told the lag.
        health: told what probes ask for.
        watchdog: told everything that tells a standstill.
    """

    def __init__(
        self,
        app: faust.App,
        ledger: OffsetLedger,
        metrics: Metrics,
        health: Health,
        watchdog: Watchdog,
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._metrics = metrics
        self._health = health
        self._watchdog = watchdog
        self._waiting: int | None = None  # messages not delivered, when it was last asked

    async def beat(self) -> None:
        """Tell twice a second how it goes."""
        health = self._health
        while not self._app.should_stop:
            health.beat()
            health.connected = await _is_connected(self._app)
            health.rebalancing = bool(self._app.rebalancing)
            health.assigned = len(_assignment(self._app))
            self._watchdog.tell(self._facts())
            await asyncio.sleep(BEAT_SECONDS)

    async def measure_lag(self) -> None:
        """Ask every two seconds how much there is to do."""
        while not self._app.should_stop:
            self._metrics.event_loop_tasks.set(len(asyncio.all_tasks()))
            try:
                async with asyncio.timeout(LAG_TIMEOUT_SECONDS):
                    await self._measure_lag()
            except Exception as error:  # a rebalance, a broker away: the next round will do
                log.debug("lag not known: %r", error)
                self._waiting = None
            await asyncio.sleep(LAG_SECONDS)

    def _facts(self) -> Facts:
        assigned = _assignment(self._app)
        consumer = cast(LedgerConsumer, self._app.consumer)
        committed = {tp: consumer.committed(tp) for tp in assigned}
        return Facts(
            connected=self._health.connected,
            partitions=len(assigned),
            rebalancing=self._health.rebalancing,
            generation=self._app.consumer_generation_id,
            in_work=self._health.oldest_since is not None,
            begun=self._ledger.begun,
            waiting=self._waiting,
            committed=sum(committed.values()),
            uncommitted=any((self._ledger.committable(tp) or 0) > committed[tp] for tp in assigned),
        )

    async def _measure_lag(self) -> None:
        """Messages not committed, for each assigned partition, also while nothing arrives.

        The end is the higher of two answers: the high watermark of the last fetch is stale while a
        full buffer pauses a partition, and the end offset asked for is too low on the embedded
        broker.
        """
        assigned = _assignment(self._app)
        consumer = cast(LedgerConsumer, self._app.consumer)
        ends = await consumer.highwaters(*assigned) if assigned else {}
        begins = await consumer.earliest_offsets(*assigned) if assigned else {}
        lag: dict[tuple[str, int], int] = {}
        waiting = 0
        for tp in assigned:
            begin = begins.get(tp) or 0
            end = max(consumer.highwater(tp) or 0, ends.get(tp) or 0)
            lag[tp.topic, tp.partition] = max(0, end - max(consumer.committed(tp), begin))
            waiting += consumer.waiting(tp, begin, end)
        if not self._app.rebalancing:  # before its end, what is committed is not known
            self._metrics.set_lag(lag)
        self._waiting = waiting


def _assignment(app: faust.App) -> set[Any]:
    try:
        return set(app.consumer.assignment())
    except ConsumerNotStarted:
        return set()


async def _is_connected(app: faust.App) -> bool:
    """Does the producer hold a connection to any broker? If not, try to get one."""
    producer = getattr(app.producer, "_producer", None)
    if producer is None:
        return False
    client = producer.client
    if not any(connection.connected() for connection in client._conns.values()):
        with contextlib.suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(client.force_metadata_update(), CONNECT_SECONDS)
    return any(connection.connected() for connection in client._conns.values())
