"""The comparison: a plain Faust agent around the same stages, as one would write it oneself.

Run as `python -m chaos.plain_worker PATTERN`, settings as ever. Splitting, scoring and encoding are
Stancewire's; reading, sending and committing are left to Faust. The patterns are those of its
documentation:

- `loop`: an article after the other.
- `concurrent`: sixteen articles at a time, `concurrency=16`.
- `take`: batches, `take(100, within=0.1)`, which is what a model on batches asks for.

In these, what the model raises for a quote goes up to Faust, as in the documentation's examples.
`careful-loop` and so on make a dead letter of it.
"""

import os
import sys
from pathlib import Path
from typing import cast

import faust
from faust.streams import Stream
from faust.types import StreamT

from chaos.faulty_worker import CONTROL_VARIABLE, Disturbed, FaultyClassifier
from service.bench.peers import plain_app
from service.dead_letters import Origin, bury
from service.errors import InvalidArticle, Reason
from service.model import load_model
from service.settings import Settings, load_settings
from service.stages import OutMessage, SplitArticle, Stages

CAREFUL = "careful-"
PATTERNS = tuple(care + name for care in ("", CAREFUL) for name in ("loop", "concurrent", "take"))


class PlainStages:
    """One article's bytes to the messages that go out, dead letters included."""

    def __init__(self, settings: Settings, *, careful: bool) -> None:
        self._careful = careful
        disturbed = Disturbed(Path(os.environ[CONTROL_VARIABLE]))
        self._classifier = FaultyClassifier(load_model(settings), disturbed)
        self._settings = settings
        self._stages = Stages(settings, self._classifier)

    def process(self, value: bytes | None, key: bytes | None) -> list[OutMessage]:
        """Raises what the model raises, unless careful."""
        try:
            if len(value or b"") > self._settings.max_message_bytes:
                raise InvalidArticle(Reason.MESSAGE_TOO_LARGE, "")
            split = self._stages.split(value)
            scores = self._score(split) if split.texts else []
            return self._stages.encode(split, scores, []).first.messages
        except InvalidArticle as problem:
            origin = Origin(self._settings.topic_articles, -1, -1)
            letter = bury(key, value, [], reason=problem.reason, message="", origin=origin)
            if len(value or b"") > self._settings.max_message_bytes // 2:
                letter = letter._replace(value=b"")
            return [(self._settings.topic_dead_letters, *letter)]

    def _score(self, split: SplitArticle) -> list[dict[str, float]]:
        try:
            return self._classifier.score_encoded(split.texts)
        except RuntimeError as error:
            if not self._careful:
                raise
            raise InvalidArticle(Reason.CLASSIFICATION_FAILED, repr(error)) from error


def main(pattern: str) -> None:
    """Run one worker until it is told to stop."""
    settings = load_settings()
    app = plain_app(settings, broker_commit_interval=settings.commit_interval_seconds)
    stages = PlainStages(settings, careful=pattern.startswith(CAREFUL))
    pattern = pattern.removeprefix(CAREFUL)
    articles = app.topic(settings.topic_articles, value_serializer="raw", key_serializer="raw")

    async def send(value: bytes | None, key: bytes | None) -> None:
        for topic, to_key, to_value, headers in stages.process(value, key):
            out = app.topic(topic, value_serializer="raw", key_serializer="raw")
            await out.send(key=to_key, value=to_value, headers=dict(headers))

    async def one_by_one(stream: StreamT[bytes]) -> None:
        async for key, value in stream.items():
            await send(value, key)

    async def in_batches(stream: StreamT[bytes]) -> None:
        async for batch in cast(Stream[bytes], stream).take_events(100, within=0.1):
            for event in batch:
                await send(event.value, event.key)

    concurrency = 16 if pattern == "concurrent" else 1
    app.agent(articles, concurrency=concurrency)(in_batches if pattern == "take" else one_by_one)
    faust.Worker(app, loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1])
