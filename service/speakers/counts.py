"""Counts quotations by stance in windows that roll with time. Pure: knows no Kafka and no clock.

The same words of the same speaker count once, however many papers print them (syndication), and
once for each paper that does: when they were first printed in the last 7 days. So neither the
order in which events arrive matters nor when counting began: the same events of the last 7 days
give the same counts.
"""

import hashlib
import heapq
import re
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from service.events import rfc3339
from service.speakers.tally import WINDOWS, Counts, Subject, Tally, Turn

LONGEST = max(WINDOWS.values())
RECENT = WINDOWS["24h"]
NO_STANCE = "none"
ENOUGH = 2
"""A stance prevails when it was taken so often, and more often than any other."""

_WORDS = re.compile(r"\w+")


class Who(NamedTuple):
    """Whose quotations are counted together."""

    subject: Subject
    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be known of one quote event.

    Args:
        words: as quoted.
        stance: as judged.
        speaker: name, if known.
        source: paper, if known.
        minute: when it was printed, in minutes since 1970.
    """

    words: str
    stance: str
    speaker: str | None
    source: str | None
    minute: int


class Utterance(NamedTuple):
    """When words were printed, and how they were judged there."""

    minute: int
    stance: str


@dataclass
class _ByMinute:
    """One speaker's or source's quotations of the last 7 days, by minute."""

    minutes: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, utterance: Utterance, count: int) -> None:
        stances = self.minutes[utterance.minute]
        stances[utterance.stance] += count
        if not +stances:
            del self.minutes[utterance.minute]

    def between(self, first: int, last: int) -> Counter[str]:
        total: Counter[str] = Counter()
        for minute, stances in self.minutes.items():
            if first < minute <= last:
                total.update(stances)
        return total


class StanceCounts:
    """Counts of all speakers and sources; memory grows with what is said in 7 days."""

    def __init__(self) -> None:
        self._now = 0
        self._counted: defaultdict[Who, _ByMinute] = defaultdict(_ByMinute)
        self._printed: dict[bytes, list[Utterance]] = {}  # of the same words; the first counts
        self._due: list[tuple[int, Who, bytes]] = []  # a heap; with words: forget them
        self._changed: set[Who] = set()

    def add(self, said: Said) -> None:
        """Note a quotation. One that is older than 7 days is none of ours."""
        if said.minute <= self._now - LONGEST:
            return
        if said.speaker:
            self._print(Who("speaker", said.speaker), said, said.speaker)
        if said.source:
            self._print(Who("source", said.source), said, said.speaker or "")

    def recount(self, who: Who) -> None:
        """Tell of them with the next changes, also when nothing is counted."""
        self._changed.add(who)

    def advance(self, minute: int) -> None:
        """It is this late now, in minutes since 1970: what is too old leaves its windows."""
        self._now = max(self._now, minute)
        while self._due and self._due[0][0] <= self._now:
            _, who, words = heapq.heappop(self._due)
            self._changed.add(who)
            if words:
                self._forget(who, words)

    def changes(self) -> Iterator[tuple[Who, Tally | None]]:
        """The tallies of all whose counts may have changed; None: nothing in 7 days."""
        changed, self._changed = self._changed, set()
        for who in sorted(changed):
            counted = self._counted[who]
            if counted.minutes:
                yield who, self._tally(who, counted)
            else:
                del self._counted[who]
                yield who, None

    def _print(self, who: Who, said: Said, speaker: str) -> None:
        words = _digest([*who, speaker, *_WORDS.findall(said.words.casefold())])
        printed = self._printed.setdefault(words, [])
        new, first = Utterance(said.minute, said.stance), printed[:1]
        if new in printed:
            return
        insort(printed, new)
        heapq.heappush(self._due, (said.minute + LONGEST, who, words))
        if printed[0] == new:
            self._count(who, new, instead_of=first)

    def _forget(self, who: Who, words: bytes) -> None:
        """The first print of these words is 7 days old: the next one, if any, counts now."""
        printed = self._printed[words]
        first = printed.pop(0)
        if printed:
            self._count(who, printed[0], instead_of=[first])
        else:
            self._counted[who].add(first, -1)
            del self._printed[words]

    def _count(self, who: Who, utterance: Utterance, *, instead_of: Iterable[Utterance]) -> None:
        counted = self._counted[who]
        for other in instead_of:
            counted.add(other, -1)
        counted.add(utterance, 1)
        self._changed.add(who)
        # It enters its windows at once, or a little later: a clock may be ahead of ours.
        for length in (0, *WINDOWS.values()):
            if utterance.minute + length > self._now:
                heapq.heappush(self._due, (utterance.minute + length, who, b""))

    def _tally(self, who: Who, counted: _ByMinute) -> Tally:
        windows = {
            name: counted.between(self._now - length, self._now) for name, length in WINDOWS.items()
        }
        before = prevailing(counted.between(self._now - LONGEST, self._now - RECENT))
        now = prevailing(windows["24h"])
        return Tally(
            subject=who.subject,
            name=who.name,
            windows={name: _counts(stances) for name, stances in windows.items()},
            turn=Turn(before=before, now=now) if before and now and before != now else None,
            updated_at=rfc3339(datetime.fromtimestamp(self._now * 60, UTC)),
        )


def prevailing(stances: Counter[str]) -> str | None:
    """The stance taken most often, if any prevails; facts and procedure have none."""
    ranked = [one for one in stances.most_common() if one[0] != NO_STANCE]
    if not ranked or ranked[0][1] < ENOUGH:
        return None
    return None if len(ranked) > 1 and ranked[1][1] == ranked[0][1] else ranked[0][0]


def _counts(stances: Counter[str]) -> Counts:
    return {stance: count for stance, count in sorted(stances.items()) if count}


def _digest(parts: Iterable[str]) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
