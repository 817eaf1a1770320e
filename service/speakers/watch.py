"""From the quotes topic to the speakers topic: counts all there is, then writes what changes.

What is to be known stands in the two topics, so nothing is stored or committed: a watcher that
begins anew counts the quotes again and writes the tallies that differ from those written before.
Whatever it had not written when it ended is written then.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from pydantic import ValidationError

from service.clients import Publisher, ends_of, follow, producer, read_to_end
from service.settings import Settings
from service.speakers.counts import StanceCounts, Who
from service.speakers.reading import read_quote
from service.speakers.tally import Tally, tally_headers, tally_key

WRITE_SECONDS = 1.0
"""A tally that changes all the time is written so often."""


def watch_speakers(
    settings: Settings, *, once: bool = False, clock: Callable[[], float] = time.time
) -> Generator[Tally, None, None]:
    """Keep the speakers topic current, and yield every tally that is written to it.

    Args:
        settings: where the topics are.
        once: end when all that is on the quotes topic by now is counted and written.
        clock: seconds since 1970.

    Raises:
        FatalError: no broker answers, a topic is missing, or a tally is not acknowledged.
    """
    counts, written = StanceCounts(), _written(settings)
    counts.advance(_minute(clock()))
    for tally in written.values():
        counts.recount(Who(tally.subject, tally.name))
    due = 0.0
    with producer(settings) as client:
        for caught_up in _count(settings, counts):
            now = clock()
            if not caught_up or now < due:
                continue
            due = now + WRITE_SECONDS
            counts.advance(_minute(now))
            yield from _write(settings, client, counts, written)
            if once:
                return


def _count(settings: Settings, counts: StanceCounts) -> Iterator[bool]:
    """Count the quotes as they arrive; whether all are counted that were there at the start."""
    missing = {n: end for n, end in ends_of(settings, settings.topic_quotes).items() if end}
    with closing(follow(settings, settings.topic_quotes, from_beginning=True)) as records:
        for record in records:
            if record is None:  # nothing more to read; some offsets may have no record
                missing.clear()
            else:
                said = record.value and read_quote(record.value, record.timestamp)
                if said:
                    counts.add(said)
                if record.offset + 1 >= missing.get(record.partition, 0):
                    missing.pop(record.partition, None)
            yield not missing


def _written(settings: Settings) -> dict[bytes, Tally]:
    """The tallies that stand on the speakers topic."""
    tallies: dict[bytes, Tally] = {}
    for record in read_to_end(settings, settings.topic_speakers):
        tallies.pop(record.key, None)
        if tally := _tally(record.value):
            tallies[tally.key] = tally
    return tallies


def _tally(value: bytes | None) -> Tally | None:
    """None for a tombstone, and for what another version wrote: that is written anew."""
    try:
        return Tally.model_validate_json(value or b"")
    except ValidationError:
        return None


def _write(
    settings: Settings, client: Publisher, counts: StanceCounts, written: dict[bytes, Tally]
) -> list[Tally]:
    """Write what differs from what is written; who said nothing in 7 days gets a tombstone."""
    changed = []
    for who, tally in counts.changes():
        key = tally_key(*who)
        before = written.get(key)
        if tally is None:
            if written.pop(key, None):
                client.send(settings.topic_speakers, key=key, value=None)
        elif not tally.says_the_same(before):
            headers = tally_headers(tally)
            client.send(settings.topic_speakers, key=key, value=tally.to_json(), headers=headers)
            written[key] = tally
            changed.append(tally)
    client.flush()
    return changed


def _minute(seconds: float) -> int:
    return int(seconds // 60)
