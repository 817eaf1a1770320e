"""What a worker does before it joins Kafka."""

import asyncio
from collections.abc import Sequence

import pytest
from mode import Service

from models import load_labels
from models.classifier import EncodedText
from models.keywords import KeywordClassifier
from service import app, runtime
from service.settings import load_settings


def test_the_model_has_scored_before_the_worker_counts_as_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded_at_each_call: list[bool] = []

    class Watched(KeywordClassifier):
        def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
            loaded_at_each_call.append(own.health.model_loaded)
            return super().score_encoded(batch)

    monkeypatch.setattr(runtime, "load_model", lambda _settings: Watched(load_labels()))
    monkeypatch.setattr(runtime, "require_topics", lambda _settings: None)
    own = runtime.Runtime(load_settings(http_port=0), lambda: 1)
    try:
        own.prepare()
    finally:
        own.http.stop()
    assert loaded_at_each_call
    assert not any(loaded_at_each_call)
    assert own.health.model_loaded


def test_a_failure_of_any_part_of_the_app_has_a_time_limit_for_the_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    armed: list[tuple[int, float]] = []

    async def fail() -> None:
        whole = app.create_app(load_settings(http_port=0, drain_timeout_seconds=5))
        monkeypatch.setattr(whole.runtime.hard_stop, "arm", lambda *told: armed.append(told))
        await Service(beacon=whole.beacon).crash(RuntimeError("broken"))
        assert whole.runtime.health.stopping

    asyncio.run(fail())
    assert set(armed) == {(1, 5 + runtime.MARGIN_SECONDS)}
