"""The ledger of offsets: committable never passes an article that is not delivered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.offsets import OffsetLedger

Partition = tuple[str, int]

P0: Partition = ("articles", 0)
P1: Partition = ("articles", 1)


class Group:
    """The generation that this worker is a member of."""

    def __init__(self) -> None:
        self.generation = 1

    def __call__(self) -> int:
        return self.generation


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def ledger(group: Group) -> OffsetLedger:
    return OffsetLedger(group)


def test_nothing_is_committable_before_the_first_delivery(ledger: OffsetLedger) -> None:
    assert ledger.committable(P0) is None
    ledger.begin(P0, 1, 5)
    assert ledger.committable(P0) is None


def test_committable_is_the_offset_to_read_next(ledger: OffsetLedger) -> None:
    ledger.begin(P0, 1, 0)
    ledger.delivered(P0, 1, 0)
    assert ledger.committable(P0) == 1


def test_every_article_that_is_begun_counts_and_a_repetition_does_not(
    ledger: OffsetLedger, group: Group
) -> None:
    for offset in (0, 1, 1):
        ledger.begin(P0, 1, offset)
    ledger.begin(P1, 2, 0)  # of another generation
    group.generation = 2
    ledger.begin(P0, 2, 0)
    assert ledger.begun == 3


def test_delivery_out_of_order_waits_for_the_lowest(ledger: OffsetLedger) -> None:
    for offset in (10, 11, 12):
        ledger.begin(P0, 1, offset)
    ledger.delivered(P0, 1, 12)
    ledger.delivered(P0, 1, 11)
    assert ledger.committable(P0) is None
    ledger.delivered(P0, 1, 10)
    assert ledger.committable(P0) == 13


def test_gap_in_the_log_holds_nothing_up(ledger: OffsetLedger) -> None:
    # Compaction and transaction markers leave offsets that no consumer ever sees.
    for offset in (3, 9):
        ledger.begin(P0, 1, offset)
        ledger.delivered(P0, 1, offset)
    assert ledger.committable(P0) == 10


def test_slow_article_of_one_partition_does_not_hold_another_up(ledger: OffsetLedger) -> None:
    ledger.begin(P0, 1, 0)
    ledger.begin(P1, 1, 0)
    ledger.delivered(P1, 1, 0)
    assert ledger.committable(P0) is None
    assert ledger.committable(P1) == 1


@pytest.mark.parametrize("delivered", [False, True], ids=["in work", "delivered"])
def test_offset_handed_out_twice_is_refused(ledger: OffsetLedger, delivered: bool) -> None:
    assert ledger.begin(P0, 1, 7)
    if delivered:
        ledger.delivered(P0, 1, 7)
    assert not ledger.begin(P0, 1, 7)
    assert not ledger.begin(P0, 1, 6)
    assert ledger.begin(P0, 1, 8)


def test_record_read_in_another_generation_is_refused(ledger: OffsetLedger, group: Group) -> None:
    group.generation = 2
    assert not ledger.begin(P0, 1, 7)
    assert not ledger.begin(P0, 3, 7)
    assert ledger.begin(P0, 2, 7)


@pytest.mark.parametrize("next_generation", [2, 0], ids=["rebalanced", "group made anew"])
def test_next_generation_begins_what_the_last_one_left(
    ledger: OffsetLedger, group: Group, next_generation: int
) -> None:
    ledger.begin(P0, 1, 7)
    group.generation = next_generation
    assert ledger.begin(P0, next_generation, 7)
    ledger.delivered(P0, 1, 7)
    assert ledger.committable(P0) is None
    assert ledger.undelivered() == 1
    ledger.delivered(P0, next_generation, 7)
    assert ledger.committable(P0) == 8


def test_rebalance_makes_the_last_generation_s_position_uncommittable_at_once(
    ledger: OffsetLedger, group: Group
) -> None:
    ledger.begin(P0, 1, 7)
    ledger.delivered(P0, 1, 7)
    group.generation = 2
    assert ledger.committable(P0) is None


def test_delivery_of_a_partition_that_was_never_begun_is_ignored(ledger: OffsetLedger) -> None:
    ledger.delivered(P0, 1, 7)
    assert ledger.committable(P0) is None


class Account:
    """What a partition's account must know: every offset of one generation."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.begun: list[int] = []
        self.done: set[int] = set()


PARTITIONS = st.sampled_from([P0, P1, ("other", 0)])
GENERATIONS = st.integers(0, 3)
OFFSETS = st.integers(0, 30)


class Ledger(RuleBasedStateMachine):
    """Any interleaving over partitions and generations, against a model that forgets nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.group = Group()
        self.ledger = OffsetLedger(self.group)
        self.accounts: dict[Partition, Account] = {}

    @rule(generation=GENERATIONS)
    def rebalance(self, generation: int) -> None:
        """To a higher generation, or to a lower one of a group made anew.

        Not back to one whose account is still open: no group has the same generation twice.
        """
        if all(one.generation != generation for one in self.accounts.values()):
            self.group.generation = generation

    @rule(partition=PARTITIONS, generation=GENERATIONS, offset=OFFSETS)
    def begin(self, partition: Partition, generation: int, offset: int) -> None:
        """Any offset: a new one, one skipped before, one twice, one of another generation."""
        current = generation == self.group.generation
        account = self.accounts.get(partition)
        if current and (account is None or account.generation != generation):
            account = self.accounts[partition] = Account(generation)
        expected = current and account is not None and all(o < offset for o in account.begun)
        assert self.ledger.begin(partition, generation, offset) is expected
        if expected and account is not None:
            account.begun.append(offset)

    @rule(partition=PARTITIONS, step=st.integers(1, 3))
    def begin_next(self, partition: Partition, step: int) -> None:
        """What a consumer does: the next offset, perhaps past a gap in the log."""
        account = self.accounts.get(partition)
        fresh = account is None or account.generation != self.group.generation
        last = -1 if fresh or account is None else max(account.begun, default=-1)
        self.begin(partition, self.group.generation, last + step)

    @rule(partition=PARTITIONS, pick=st.integers(0, 10**6))
    def deliver_some(self, partition: Partition, pick: int) -> None:
        """One that was begun; perhaps for the second time, perhaps after a rebalance."""
        account = self.accounts.get(partition)
        if account and account.begun:
            offset = account.begun[pick % len(account.begun)]
            self.ledger.delivered(partition, account.generation, offset)
            account.done.add(offset)

    @rule(partition=PARTITIONS, generation=GENERATIONS, offset=OFFSETS)
    def deliver_late(self, partition: Partition, generation: int, offset: int) -> None:
        """One of another generation, which the partition's account must not notice."""
        account = self.accounts.get(partition)
        if account is None or account.generation != generation:
            self.ledger.delivered(partition, generation, offset)

    @rule(partition=PARTITIONS)
    def deliver_all(self, partition: Partition) -> None:
        """Everything delivered: all that was begun may be committed."""
        account = self.accounts.get(partition)
        if account is None or not account.begun:
            return
        for offset in reversed(account.begun):
            self.ledger.delivered(partition, account.generation, offset)
            account.done.add(offset)
        if account.generation == self.group.generation:
            assert self.ledger.committable(partition) == account.begun[-1] + 1

    @invariant()
    def never_above_the_lowest_undelivered(self) -> None:
        for partition, account in self.accounts.items():
            position = self.ledger.committable(partition)
            undelivered = set(account.begun) - account.done
            if position is not None and undelivered:
                assert position <= min(undelivered)

    @invariant()
    def as_high_as_it_may_be(self) -> None:
        for partition, account in self.accounts.items():
            expected = None
            for offset in account.begun:
                if offset not in account.done:
                    break
                expected = offset + 1
            if account.generation != self.group.generation:
                expected = None
            assert self.ledger.committable(partition) == expected


Ledger.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestLedger = Ledger.TestCase


@settings(deadline=None)
@given(st.permutations(range(40)))
def test_any_order_of_delivery_ends_at_the_same_position_and_never_goes_back(
    order: list[int],
) -> None:
    ledger = OffsetLedger(Group())
    for offset in range(40):
        ledger.begin(P0, 1, offset)
    positions = []
    for offset in order:
        ledger.delivered(P0, 1, offset)
        positions.append(ledger.committable(P0) or 0)
    assert positions == sorted(positions)
    assert positions[-1] == 40
    assert ledger.undelivered() == 0
