"""Faust's Kafka consumer, with its offset arithmetic replaced by ours. Why: decision record 0001.

Faust 0.15.3 may commit past an article in work (its gap test is off by one), forgets
acknowledgements when a rebalance begins, may hand out records fetched before a rebalance as if they
were fetched after it, and waits without bound for streams that hang. The overrides below
close these holes; everything else is Faust's.
"""

import asyncio
import gc
import time
from collections.abc import Iterable, Mapping
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from service.offsets import OffsetLedger
from service.records import read_carefully

DRAIN_POLL_SECONDS = 0.05


class FetchThread(AIOKafkaConsumerThread):
    """Faust's thread around the Kafka client, which fixes how long the broker may hold a fetch."""

    fetch_wait_seconds: float

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        client = super()._create_worker_consumer(transport)
        client._fetch_max_wait_ms = int(self.fetch_wait_seconds * 1000)
        return client

    def read_position(self, tp: TP) -> int | None:
        """The offset that the client hands out next; None as long as it does not know."""
        assigned = self._ensure_consumer()._subscription.subscription.assignment
        state = assigned.state_value(tp)
        return state.position if state.has_valid_position else None


class LedgerConsumer(Consumer):
    """Commits what the ledger says is delivered, and nothing else."""

    ledger: OffsetLedger
    drain_timeout_seconds: float
    fetch_wait_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handed_out: dict[TP, int] = {}  # behind the last record that Faust was given
        self._fetched_in = 0  # generation of the records that Faust was given last

    def _new_consumer_thread(self) -> FetchThread:
        thread = FetchThread(self, loop=self.loop, beacon=self.beacon)
        thread.fetch_wait_seconds = self.fetch_wait_seconds
        return thread

    def ack(self, message: Message) -> bool:
        """Let Faust stop waiting for `message`; what gets committed is the ledger's business."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def committed(self, tp: TP) -> int:
        """The position that is committed as far as this worker knows; 0 when none is."""
        return self._committed_offset[tp] or 0

    def waiting(self, tp: TP, begin: int, end: int) -> int:
        """Messages between `begin` and `end` that are not read, or read and not delivered.

        The lag tells another thing: it counts transaction markers, which nobody is ever given, and,
        in a group that began with the latest message, all that lies before.
        """
        done = max(begin, self.committed(tp), self.ledger.committable(tp) or 0)
        position = cast(FetchThread, self._thread).read_position(tp)
        unread = end - (done if position is None else position)
        undelivered = self._handed_out.get(tp, 0) - done
        return max(0, unread) + max(0, undelivered)

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Called by every commit. Faust's own lists of acks (`tps`) play no part."""
        del tps
        committable: dict[TP, int] = {}
        try:
            assigned = self.assignment()
        except ConsumerNotStarted:
            return committable
        for tp in assigned:
            position = self.ledger.committable(tp)
            if position is not None and position > self.committed(tp):
                committable[tp] = position
        return committable

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Faust notes offsets it never saw, for its own arithmetic; the ledger needs no notes."""

    async def _wait_next_records(
        self,
        timeout: float,  # noqa: ASYNC109 - Faust's signature
    ) -> tuple[Mapping[TP, list[Any]] | None, set[TP] | None]:
        """Drop records whose fetch spans a rebalance, and read them again from what is committed.

        They may be from before it, when the position was further on: handing them out would skip
        all that lies between.
        """
        if (
            not self.flow_active
        ):  # waited for here, or every rebalance would look like a stale fetch
            await self.wait(cast(Any, self.can_resume_flow))
        generation = self.app.consumer_generation_id
        records, active = await super()._wait_next_records(timeout)
        if not records or generation == self.app.consumer_generation_id:
            self._fetched_in = generation
            for tp, some in (records or {}).items():
                self._handed_out[tp] = some[-1].offset + 1
            return records, active
        generation = self.app.consumer_generation_id
        try:
            await self._read_again(records)
        except Exception:
            if generation == self.app.consumer_generation_id and not self.app.rebalancing:
                raise
            # The next rebalance is under way; it seeks when it ends.
        return {}, active

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        """With the generation in which it was fetched.

        Faust takes the present one, which the client's thread may have changed a moment ago: a
        record from before a rebalance would pass for one from after it.
        """
        message = super()._to_message(tp, record)
        message.generation_id = self._fetched_in
        return message

    async def _read_again(self, dropped: Mapping[TP, list[Any]]) -> None:
        """Back to where the group stands.

        `perform_seek` leaves a partition that has no committed position where it is, which is
        behind the dropped records: it is set to where such a partition begins.
        """
        await self.perform_seek()
        lost = {tp: records[0].offset for tp, records in dropped.items() if not self.committed(tp)}
        if self.app.conf.consumer_auto_offset_reset == "earliest":
            lost = dict(await self.earliest_offsets(*lost))
        for tp, offset in lost.items():
            await self.seek(tp, offset)

    async def wait_empty(self) -> None:
        """Wait for articles in work, but not for ever: at rebalance and at shutdown.

        What is still in work after the time limit is not committed, hence read again by whoever
        gets the partition. Faust's own wait cannot be bounded from outside: it swallows being
        cancelled.
        """
        gc.collect()  # events that nobody works on any more leave the weak set of unacknowledged
        deadline = time.monotonic() + self.drain_timeout_seconds
        # Polled: the set is weak, it also shrinks without anybody's call.
        while self._unacked_messages and not self.should_stop:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(DRAIN_POLL_SECONDS)
        if self._unacked_messages and not self.should_stop:
            self.log.warning(
                "%d articles still in work after %g s: left to be read again",
                len(self._unacked_messages),
                self.drain_timeout_seconds,
            )
            self._unacked_messages.clear()
        await self.commit_and_end_transactions()


def ledger_transport(
    ledger: OffsetLedger,
    *,
    drain_timeout_seconds: float,
    fetch_wait_seconds: float,
    max_message_bytes: int,
) -> type[Transport]:
    """A transport class whose consumer works with this ledger.

    Args:
        ledger: shared with the agent.
        drain_timeout_seconds: longest wait for articles in work when partitions are taken away.
        fetch_wait_seconds: how long the broker may hold a fetch while nothing arrives.
        max_message_bytes: a larger message is not read.
    """
    read_carefully(max_message_bytes)
    consumer = type(
        "BoundLedgerConsumer",
        (LedgerConsumer,),
        {
            "__module__": "faust.transport",  # names its logger
            "ledger": ledger,
            "drain_timeout_seconds": drain_timeout_seconds,
            "fetch_wait_seconds": fetch_wait_seconds,
        },
    )
    return type("LedgerTransport", (Transport,), {"Consumer": consumer})
