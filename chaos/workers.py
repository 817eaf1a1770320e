"""Worker processes: one, and a fleet that is kept at its size as a supervisor would."""

import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.broker import HOST, free_port
from service.processes import WORKER, WORKER_STOP_SECONDS, start_module, stop_process
from service.settings import Settings

RESTART_SECONDS = 0.5


def wait_until(
    condition: Callable[[], object], timeout: float, describe: Callable[[], str] = lambda: ""
) -> None:
    """Poll until the condition holds.

    Raises:
        TimeoutError: it does not within so many seconds; the message ends with the description.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s\n{describe()}")
        time.sleep(0.1)


@dataclass
class WorkerProcess:
    """One `stancewire worker` process, or another module with the same settings."""

    settings: Settings
    log: Path
    arguments: tuple[str, ...] = WORKER
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process of its present life.

        Raises:
            RuntimeError: it was never started.
        """
        if self._process is None:
            raise RuntimeError("the worker was not started")
        return self._process

    def start(self) -> "WorkerProcess":
        """Start it; does not wait."""
        self._process = start_module(self.arguments, self.settings, self.log)
        return self

    def wait_ready(self, timeout: float = 60) -> "WorkerProcess":
        """Until /readyz answers 200. Raises: RuntimeError when it ends instead."""
        wait_until(lambda: self._died() or self.get("/readyz")[0] == 200, timeout, self.tail)
        return self

    def kill(self) -> None:
        """End it with kill -9, and wait for the body."""
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout: float = 30) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def stop(self) -> None:
        """End it somehow."""
        if self._process and self._process.poll() is None:
            self.kill()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; (0, reason) when nobody listens."""
        url = f"http://{HOST}:{self.settings.http_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def metric(self, name: str) -> float:
        """Sum of all samples of `stancewire_<name>`; 0.0 when it cannot be read."""
        return sum(self.samples(name))

    def samples(self, name: str) -> list[float]:
        """All samples of `stancewire_<name>`."""
        lines = rf"^stancewire_{name}(?:{{.*}})? (\S+)$"
        return [float(value) for value in re.findall(lines, self.get("/metrics")[1], re.MULTILINE)]

    def tail(self) -> str:
        """The end of its log, for messages."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])

    def _died(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the worker ended\n{self.tail()}")
        return False


@dataclass(frozen=True, slots=True)
class Exit:
    """A worker's end. `code` is negative for a signal; `wanted`: the harness made it end."""

    moment: float
    code: int
    wanted: bool


@dataclass
class Fleet:
    """Workers of one group; use as a context manager. One that ends is started again.

    Args:
        settings: of each worker, but for its port.
        folder: where their logs go.
        size: how many.
        arguments: the module that each runs.
    """

    settings: Settings
    folder: Path
    size: int
    arguments: tuple[str, ...] = WORKER
    exits: list[Exit] = field(default_factory=list)
    _workers: list[WorkerProcess] = field(default_factory=list)
    _ending: set[int] = field(default_factory=set)  # process ids that the harness makes end
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Fleet":
        for _ in range(self.size):
            self.add()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._supervisor.join()
        for worker in self._workers:
            worker.stop()

    @property
    def workers(self) -> list[WorkerProcess]:
        """Those there are now."""
        with self._lock:
            return list(self._workers)

    def wait_ready(self, timeout: float = 90) -> None:
        """Until every worker answers 200 on /readyz."""
        for worker in self.workers:
            worker.wait_ready(timeout)

    def add(self) -> WorkerProcess:
        """One more joins."""
        with self._lock:
            own = self.settings.model_copy(update={"http_port": free_port()})
            log = self.folder / f"worker-{own.http_port}.log"
            worker = WorkerProcess(own, log, self.arguments).start()
            self._workers.append(worker)
            return worker

    def remove(self, worker: WorkerProcess) -> None:
        """It leaves, on a SIGTERM, and is not started again."""
        with self._lock:
            self._workers.remove(worker)
        stop_process(worker.process, WORKER_STOP_SECONDS)
        code = worker.process.returncode
        self.exits.append(Exit(time.monotonic(), code, wanted=True))

    def send(self, worker: WorkerProcess, number: signal.Signals) -> None:
        """Send it a signal that ends it; the supervisor starts it again."""
        with self._lock:
            self._ending.add(worker.process.pid)
            worker.process.send_signal(number)

    @contextmanager
    def nobody(self) -> Iterator[None]:
        """All are killed, and started again only afterwards."""
        with self._lock:
            for worker in self._workers:
                self._ending.add(worker.process.pid)
                worker.kill()
            yield

    def terminate_all(self) -> list[int]:
        """SIGTERM to all, at the end of a run; their exit codes."""
        with self._lock:
            leaving, self._workers = self._workers, []
        for worker in leaving:
            worker.process.terminate()
        return [self._ended(worker) for worker in leaving]

    def _ended(self, worker: WorkerProcess) -> int:
        """Its exit code; killed when it does not come in time."""
        try:
            return worker.process.wait(WORKER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            return worker.process.returncode

    def _supervise(self) -> None:
        while not self._over.wait(0.1):
            with self._lock:
                for worker in self._workers:
                    self._see_to(worker)

    def _see_to(self, worker: WorkerProcess) -> None:
        code = worker.process.poll()
        if code is None:
            return
        wanted = worker.process.pid in self._ending
        self.exits.append(Exit(time.monotonic(), code, wanted))
        time.sleep(RESTART_SECONDS)
        worker.start()
