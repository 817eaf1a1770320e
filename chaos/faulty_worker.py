"""The real worker, whose model, clock and consumer can be disturbed from outside while it runs.

Run as `python -m chaos.faulty_worker`, settings as ever. The file that `CHAOS_CONTROL` names holds
the disturbances of the moment as JSON; `Control` writes it. All else is `stancewire worker`.
"""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from chaos.articles import UNBEARABLE
from models import Classifier
from models.classifier import EncodedText
from service.app import StancewireWorker, create_app
from service.model import load_model
from service.settings import Settings, load_settings
from service.transport import LedgerConsumer

CONTROL_VARIABLE = "CHAOS_CONTROL"
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Disturbance:
    """What is wrong at the moment.

    Args:
        text_seconds: what each text costs beside the model's own time, so that work piles up.
        call_seconds: what each call of the model costs beside.
        call_bytes: memory that each call of the model needs beside.
        clock_jump_seconds: how wrong the clock on the wall is.
        reading_stops: the consumer hands out nothing and says nothing.
    """

    text_seconds: float = 0.003
    call_seconds: float = 0.0
    call_bytes: int = 0
    clock_jump_seconds: float = 0.0
    reading_stops: bool = False


class Control:
    """Disturbs every worker that reads the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._now = Disturbance()
        self.set()

    def set(self, **changes: Any) -> None:
        """Change what is wrong; workers notice within a tenth of a second."""
        self._now = replace(self._now, **changes)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self._now)))
        draft.replace(self._path)  # never half written


class Disturbed:
    """What the control file says, read again every tenth of a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = float("-inf")
        self._now = Disturbance()

    @property
    def now(self) -> Disturbance:
        """The disturbance of the moment."""
        if time.monotonic() - self._read_at > LOOK_SECONDS:
            self._now = Disturbance(**json.loads(self._path.read_text()))
            self._read_at = time.monotonic()
        return self._now


class FaultyClassifier:
    """A classifier that is slow, or raises for unbearable quotes; else the one it wraps."""

    def __init__(self, classifier: Classifier, disturbed: Disturbed) -> None:
        self._classifier = classifier
        self._disturbed = disturbed
        self.name = classifier.name
        self.version = classifier.version
        self.labels = classifier.labels
        self.parallel_calls = classifier.parallel_calls
        self.encode = classifier.encode

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """See models.Classifier."""
        return self.score_encoded(self.encode(texts))

    def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
        """See models.Classifier."""
        now = self._disturbed.now
        bytearray(now.call_bytes)
        time.sleep(now.call_seconds + now.text_seconds * len(batch))
        if any(UNBEARABLE in one.text for one in batch):
            raise RuntimeError("this model cannot bear that word")
        return self._classifier.score_encoded(batch)


def main() -> None:
    """Run one worker until it is told to stop."""
    disturbed = Disturbed(Path(os.environ[CONTROL_VARIABLE]))
    true_time, read = time.time, LedgerConsumer._wait_next_records

    async def read_or_stall(self: LedgerConsumer, timeout: float) -> Any:  # noqa: ASYNC109
        while disturbed.now.reading_stops:  # noqa: ASYNC110 - the file tells, nobody notifies
            await asyncio.sleep(LOOK_SECONDS)
        return await read(self, timeout)

    def load_faulty(settings: Settings) -> FaultyClassifier:
        return FaultyClassifier(load_model(settings), disturbed)

    settings = load_settings()
    with (
        patch("service.runtime.load_model", load_faulty),
        patch.object(LedgerConsumer, "_wait_next_records", read_or_stall),
        patch("time.time", lambda: true_time() + disturbed.now.clock_jump_seconds),
    ):
        app = create_app(settings)
        StancewireWorker(app, loglevel=settings.log_level).execute_from_commandline()


if __name__ == "__main__":
    main()
