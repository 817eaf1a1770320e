"""How large calls should be, from how long the model takes."""

import threading
import time
from collections.abc import Sequence

import pytest

from models import load_labels
from models.classifier import EncodedText
from models.keywords import KeywordClassifier
from service import warm_up as stage
from service.warm_up import warm_up


class Sleeper(KeywordClassifier):
    """Takes so long for a call, and so long for each token of it."""

    def __init__(self, call_seconds: float, token_seconds: float, parallel_calls: int = 1) -> None:
        super().__init__(load_labels())
        self.parallel_calls = parallel_calls
        self.call_seconds = call_seconds
        self.token_seconds = token_seconds
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()

    def score_encoded(self, batch: Sequence[EncodedText]) -> list[dict[str, float]]:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        time.sleep(self.call_seconds + self.token_seconds * sum(map(len, batch)))
        with self._lock:
            self.running -= 1
        return super().score_encoded(batch)


@pytest.mark.parametrize("tokens", [10, 25])
def test_cost_of_a_call_is_told_in_tokens(tokens: int) -> None:
    classifier = Sleeper(call_seconds=tokens * 0.0005, token_seconds=0.0005)
    assert warm_up(classifier) == pytest.approx(tokens, abs=4)


@pytest.mark.parametrize(
    ("call_seconds", "token_seconds", "expected"),
    [(0.0, 0.0005, stage.LEAST), (0.05, 0.00001, stage.MOST), (0.0, 0.0, stage.MOST)],
    ids=["calls cost nothing", "tokens cost next to nothing", "too fast to tell"],
)
def test_answer_keeps_to_its_bounds(
    call_seconds: float, token_seconds: float, expected: int
) -> None:
    answer = warm_up(Sleeper(call_seconds, token_seconds))
    assert stage.LEAST <= answer <= stage.MOST
    if token_seconds:
        assert answer == expected


def test_as_many_calls_are_measured_side_by_side_as_will_run_at_work() -> None:
    classifier = Sleeper(0.01, 0.0, parallel_calls=3)
    warm_up(classifier)
    assert classifier.most_running == 3
