"""The faults, each a function that begins, lasts and ends; the registry says what there is.

A fault returns when it is over. What it needs to choose comes from the generator it is given: the
same seed gives the same choice.
"""

import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from chaos.faulty_worker import Control
from chaos.proxy import Proxy
from chaos.workers import Fleet, WorkerProcess

LIMIT_FILES = resource.RLIMIT_FSIZE
LIMIT_MEMORY = resource.RLIMIT_AS


@dataclass
class Cluster:
    """What faults act on."""

    fleet: Fleet
    proxy: Proxy
    broker_pid: int
    control: Control


Fault = Callable[[Cluster, random.Random], None]
FAULTS: dict[str, Fault] = {}


def fault(function: Fault) -> Fault:
    """Register a fault under its function's name."""
    FAULTS[function.__name__.replace("_", " ")] = function
    return function


@dataclass(frozen=True)
class Injection:
    """One or more faults at one time.

    Args:
        faults: their names.
        after: seconds from the end of the one before.
        seed: for all they choose.
    """

    faults: tuple[str, ...]
    after: float
    seed: str

    @property
    def name(self) -> str:
        """The fault's, or "mixed"."""
        return "mixed" if len(self.faults) > 1 else self.faults[0]

    def inject(self, cluster: Cluster) -> None:
        """Begin each within two seconds; return when all are over. Raises what a fault raises."""

        def one(number: int, name: str) -> None:
            rng = random.Random(f"{self.seed}:{number}")
            time.sleep(rng.uniform(0, 2) if number else 0)
            FAULTS[name](cluster, rng)

        with ThreadPoolExecutor(len(self.faults)) as pool:
            list(pool.map(one, range(len(self.faults)), self.faults))


def plan(seed: int, injections: int, faults: tuple[str, ...] = ()) -> list[Injection]:
    """Every fault once, in an order of the seed's, then some mixes; and so on.

    Args:
        seed: of the run.
        injections: how many.
        faults: only these; default: all.
    """
    rng = random.Random(seed)
    names = sorted(faults or FAULTS)
    deck: list[tuple[str, ...]] = []
    while len(deck) < injections:
        deck += [(name,) for name in rng.sample(names, len(names))]
        if len(names) > 1:
            deck += [
                tuple(rng.sample(names, min(len(names), rng.choice((2, 3))))) for _ in range(3)
            ]
    return [
        Injection(chosen, after=rng.uniform(0, 2), seed=f"{seed}:{number}")
        for number, chosen in enumerate(deck[:injections])
    ]


@fault
def kill(cluster: Cluster, rng: random.Random) -> None:
    """One worker is killed with -9, at any moment of its work."""
    cluster.fleet.send(_one(cluster, rng), signal.SIGKILL)


@fault
def kill_all(cluster: Cluster, _: random.Random) -> None:
    """Every worker is killed with -9: as when their machine loses power."""
    for worker in cluster.fleet.workers:
        cluster.fleet.send(worker, signal.SIGKILL)


@fault
def kill_at_start(cluster: Cluster, rng: random.Random) -> None:
    """One worker is killed with -9, and again while it imports, loads, or joins the group."""
    worker = _one(cluster, rng)
    for _ in range(2):
        cluster.fleet.send(worker, signal.SIGKILL)
        time.sleep(rng.uniform(0.6, 4))
    cluster.fleet.send(worker, signal.SIGKILL)


@fault
def kill_in_rebalance(cluster: Cluster, rng: random.Random) -> None:
    """Another worker joins; while the group forms anew, one is killed."""
    _signal_in_rebalance(cluster, rng, signal.SIGKILL)


@fault
def terminate(cluster: Cluster, rng: random.Random) -> None:
    """SIGTERM to one worker, as in a rollout."""
    cluster.fleet.send(_one(cluster, rng), signal.SIGTERM)


@fault
def terminate_at_start(cluster: Cluster, rng: random.Random) -> None:
    """SIGTERM while it imports, loads, or joins the group."""
    worker = _one(cluster, rng)
    cluster.fleet.send(worker, signal.SIGTERM)
    time.sleep(rng.uniform(2, 6))
    cluster.fleet.send(worker, signal.SIGTERM)


@fault
def terminate_in_rebalance(cluster: Cluster, rng: random.Random) -> None:
    """Another worker joins; while the group forms anew, one is told to stop."""
    _signal_in_rebalance(cluster, rng, signal.SIGTERM)


@fault
def join_and_leave(cluster: Cluster, rng: random.Random) -> None:
    """A worker joins the group and leaves it again: two rebalances."""
    with _one_more(cluster, rng):
        time.sleep(rng.uniform(3, 8))


@fault
def freeze(cluster: Cluster, rng: random.Random) -> None:
    """SIGSTOP beyond the session time-out, then SIGCONT: its partitions are somebody else's."""
    pid = _one(cluster, rng).process.pid
    with _stopped(pid):
        time.sleep(cluster.fleet.settings.session_timeout_seconds + rng.uniform(1, 5))


@fault
def freeze_briefly(cluster: Cluster, rng: random.Random) -> None:
    """SIGSTOP for about as long as the session time-out: the group may or may not notice."""
    pid = _one(cluster, rng).process.pid
    with _stopped(pid):
        time.sleep(cluster.fleet.settings.session_timeout_seconds * rng.uniform(0.6, 1.1))


@fault
def broker_restart(cluster: Cluster, rng: random.Random) -> None:
    """The broker ends all connections, is away, and comes back with its data."""
    with _refusing(cluster), _stopped(cluster.broker_pid):
        time.sleep(rng.uniform(1, 15))


@fault
def broker_freeze(cluster: Cluster, rng: random.Random) -> None:
    """The broker's machine hangs: connections stay open, nothing answers."""
    with _stopped(cluster.broker_pid):
        time.sleep(rng.uniform(1, 15))


@fault
def network_refused(cluster: Cluster, rng: random.Random) -> None:
    """Connections break, new ones are refused; the broker lives on."""
    with _refusing(cluster):
        time.sleep(rng.uniform(0.5, 15))


@fault
def network_stalls(cluster: Cluster, rng: random.Random) -> None:
    """Connections stay open and can be made, nothing passes."""
    cluster.proxy.stall()
    try:
        time.sleep(rng.uniform(1, 15))
    finally:
        cluster.proxy.resume()


@fault
def network_drops(cluster: Cluster, rng: random.Random) -> None:
    """Connections break at random, in the middle of what they carry."""
    for _ in range(rng.randint(2, 6)):
        cluster.proxy.drop(rng.uniform(0.2, 0.9), rng)
        time.sleep(rng.uniform(0.1, 1.5))


@fault
def network_delays(cluster: Cluster, rng: random.Random) -> None:
    """Everything arrives late."""
    cluster.proxy.delay(rng.uniform(0.05, 0.4))
    try:
        time.sleep(rng.uniform(3, 8))
    finally:
        cluster.proxy.delay(0)


@fault
def slow_model(cluster: Cluster, rng: random.Random) -> None:
    """Each call of the model takes ten seconds."""
    cluster.control.set(call_seconds=10.0)
    try:
        time.sleep(rng.uniform(5, 12))
    finally:
        cluster.control.set(call_seconds=0.0)


@fault
def memory_exhausted(cluster: Cluster, rng: random.Random) -> None:
    """One worker's memory cannot grow: the model, the splitter, anything may fail to allocate."""
    pid = _one(cluster, rng).process.pid
    limits = {pid: _address_space(pid) + rng.randint(0, 2 * 1024**2)}
    cluster.control.set(call_bytes=rng.choice((0, 256 * 1024, 64 * 1024**2)))
    try:
        with _limited(LIMIT_MEMORY, limits):
            time.sleep(rng.uniform(2, 8))
    finally:
        cluster.control.set(call_bytes=0)


@fault
def disk_full(cluster: Cluster, rng: random.Random) -> None:
    """No file can grow, the log included."""
    with _limited(LIMIT_FILES, {worker.process.pid: 0 for worker in cluster.fleet.workers}):
        time.sleep(rng.uniform(2, 8))


@fault
def clock_jumps(cluster: Cluster, rng: random.Random) -> None:
    """The clock on the wall is wrong by up to a day, forwards or backwards, and right again."""
    cluster.control.set(clock_jump_seconds=rng.choice((-1, 1)) * rng.uniform(60, 86_400))
    try:
        time.sleep(rng.uniform(2, 6))
    finally:
        cluster.control.set(clock_jump_seconds=0.0)


@fault
def reading_stops(cluster: Cluster, rng: random.Random) -> None:
    """Consumers hand out nothing and say nothing, for longer than the watchdog bears it."""
    cluster.control.set(reading_stops=True)
    try:
        time.sleep(rng.uniform(8, 30))
    finally:
        cluster.control.set(reading_stops=False)


def _one(cluster: Cluster, rng: random.Random) -> WorkerProcess:
    return rng.choice(cluster.fleet.workers)


def _signal_in_rebalance(cluster: Cluster, rng: random.Random, number: signal.Signals) -> None:
    with _one_more(cluster, rng):
        time.sleep(rng.uniform(1.5, 4))
        cluster.fleet.send(cluster.fleet.workers[0], number)
        time.sleep(rng.uniform(1, 3))


@contextmanager
def _one_more(cluster: Cluster, rng: random.Random) -> Iterator[None]:
    worker = cluster.fleet.add()
    try:
        yield
        time.sleep(rng.uniform(0, 1))
    finally:
        cluster.fleet.remove(worker)


@contextmanager
def _refusing(cluster: Cluster) -> Iterator[None]:
    cluster.proxy.disconnect()
    try:
        yield
    finally:
        cluster.proxy.connect()


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """SIGSTOP, then SIGCONT; a process that another fault has ended meanwhile needs none."""
    _send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(pid, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@contextmanager
def _limited(kind: int, limits: dict[int, int]) -> Iterator[None]:
    _, hard = resource.getrlimit(kind)
    for pid, limit in limits.items():
        with suppress(ProcessLookupError):
            resource.prlimit(pid, kind, (limit, hard))
    try:
        yield
    finally:
        for pid in limits:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, kind, (hard, hard))


def _address_space(pid: int) -> int:
    """Bytes; 0 where the process is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * resource.getpagesize()
