"""Alive, ready, and the HTTP server that tells: started for real, asked over loopback."""

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.errors import FatalError
from service.health import STUCK_AFTER_SECONDS, Health
from service.http_server import HttpServer
from service.metrics import Metrics
from service.watchdog import Facts, Watchdog


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """Of a worker that is ready."""
    health = Health(
        in_flight_limit_seconds=100,
        call_limit_seconds=50,
        clock=clock,
        model_loaded=True,
        connected=True,
        assigned=2,
    )
    health.beat()
    return health


@pytest.fixture
def url(health: Health) -> Iterator[str]:
    server = HttpServer("127.0.0.1", 0, health, Metrics())
    yield f"http://127.0.0.1:{server.start()}"
    server.stop()


def ask(url: str, method: str = "GET") -> tuple[int, str, str]:
    """Status, body, content type."""
    request = urllib.request.Request(url, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode(), answer.headers["Content-Type"]


def test_worker_that_has_not_begun_to_beat_lives() -> None:
    # Loading the model comes before the loop; a supervisor must not restart it for that.
    assert Health(1, 1).problems_alive() == []


def test_beat_lives_up_to_the_limit_and_is_dead_beyond_it(health: Health, clock: Clock) -> None:
    clock.now += STUCK_AFTER_SECONDS
    assert health.problems_alive() == []
    clock.now += 1
    assert health.problems_alive() == ["the event loop is stuck for 31 s"]
    health.beat()
    assert health.problems_alive() == []


def test_worker_at_a_standstill_is_dead_as_long_as_that_lasts(health: Health, clock: Clock) -> None:
    health.watchdog = Watchdog(
        stall_timeout_seconds=20,
        commit_interval_seconds=1,
        rebalance_timeout_seconds=60,
        clock=clock,
    )
    facts = Facts(
        connected=True,
        partitions=2,
        rebalancing=False,
        generation=1,
        in_work=False,
        begun=0,
        waiting=3,
        committed=0,
        uncommitted=False,
    )
    health.watchdog.tell(facts)
    clock.now += 21
    [problem] = health.problems_alive()
    assert problem.startswith("stalled: ")
    health.watchdog.tell(replace(facts, begun=1))
    assert health.problems_alive() == []


def test_article_in_work_for_too_long_means_stuck(health: Health, clock: Clock) -> None:
    health.oldest_since = clock.now
    clock.now += 101
    health.beat()
    assert health.problems_alive() == ["an article is in work for 101 s"]
    health.oldest_since = None
    assert health.problems_alive() == []


def test_call_that_runs_for_too_long_means_stuck(health: Health, clock: Clock) -> None:
    seen: list[list[str]] = []

    def judge(seconds: float) -> str:
        clock.now += seconds
        health.beat()
        seen.append(health.problems_alive())
        return "judged"

    watched = health.watched("model", judge)
    assert watched(50) == "judged"
    assert watched(51) == "judged"
    assert seen == [[], ["a call of the model runs for 51 s"]]
    assert health.problems_alive() == []


def test_each_of_several_calls_at_a_time_is_watched(health: Health, clock: Clock) -> None:
    seen: list[list[str]] = []

    def look() -> None:
        health.beat()
        seen.append(health.problems_alive())

    def second(_: object) -> None:
        clock.now += 20
        look()

    watched_second = health.watched("model", second)

    def first(_: object) -> None:
        clock.now += 40
        watched_second("other")  # ends while the first goes on
        look()

    health.watched("model", first)("text")
    look()
    assert seen == [["a call of the model runs for 60 s"]] * 2 + [[]]


def test_call_that_fails_leaves_the_others_watched(health: Health, clock: Clock) -> None:
    seen: list[list[str]] = []

    def fail(_: object) -> None:
        raise ValueError("no")

    def first(_: object) -> None:
        with pytest.raises(ValueError, match="no"):
            health.watched("model", fail)("other")
        clock.now += 51
        health.beat()
        seen.append(health.problems_alive())

    health.watched("model", first)("text")
    assert seen == [["a call of the model runs for 51 s"]]


def test_calls_in_many_threads_are_watched_and_forgotten(health: Health, clock: Clock) -> None:
    together = threading.Barrier(4)
    free = threading.Event()

    def wait(_: object) -> None:
        together.wait(5)
        assert free.wait(5)

    watched = health.watched("model", wait)
    threads = [threading.Thread(target=watched, args=("text",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    together.wait(5)
    clock.now += 60
    health.beat()
    assert health.problems_alive() == ["a call of the model runs for 60 s"] * 3
    free.set()
    for thread in threads:
        thread.join(5)
    assert health.problems_alive() == []


def test_call_that_fails_is_over(health: Health, clock: Clock) -> None:
    def fail(_: object) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        health.watched("splitter", fail)("text")
    clock.now += 1_000
    health.beat()
    assert health.problems_alive() == []


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("model_loaded", False, "the model is not loaded"),
        ("connected", False, "no connection to Kafka"),
        ("assigned", 0, "no partitions are assigned"),
        ("rebalancing", True, "a rebalance is going on"),
        ("stopping", True, "the worker is stopping"),
    ],
)
def test_each_thing_that_is_missing_makes_a_living_worker_not_ready(
    health: Health, field: str, value: object, problem: str
) -> None:
    assert health.problems_ready() == []
    setattr(health, field, value)
    assert health.problems_ready() == [problem]
    assert health.problems_alive() == []


def test_readyz_lists_everything_that_is_missing_one_a_line(url: str, health: Health) -> None:
    health.connected = False
    health.assigned = 0
    status, body, _ = ask(f"{url}/readyz")
    assert status == 503
    assert body == "no connection to Kafka\nno partitions are assigned\n"


def test_stuck_worker_is_neither_alive_nor_ready(url: str, clock: Clock) -> None:
    clock.now += 90
    for path in ("livez", "readyz"):
        status, body, _ = ask(f"{url}/{path}")
        assert status == 503
        assert body == "the event loop is stuck for 90 s\n"


@pytest.mark.parametrize("path", ["livez", "readyz"])
def test_worker_that_does_well_answers_ok(url: str, path: str) -> None:
    status, body, _ = ask(f"{url}/{path}")
    assert (status, body) == (200, "ok\n")


def test_livez_stays_well_while_kafka_is_away(url: str, health: Health) -> None:
    health.connected = False
    assert ask(f"{url}/livez")[0] == 200


def test_metrics_are_served_as_prometheus_reads_them(url: str) -> None:
    status, body, content_type = ask(f"{url}/metrics")
    assert status == 200
    assert content_type.startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(body)}
    assert "stancewire_articles" in names


@pytest.mark.parametrize("path", ["metrics", "livez", "readyz"])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(url: str, path: str, method: str) -> None:
    assert ask(f"{url}/{path}", method)[0] == 405


@pytest.mark.parametrize("path", ["", "metrics/", "metrics/x", "debug", "../etc/passwd"])
def test_unknown_path_is_not_found(url: str, path: str) -> None:
    assert ask(f"{url}/{path}")[0] == 404


def test_server_is_bound_to_loopback_only(url: str) -> None:
    port = int(url.rpartition(":")[2])
    with socket.socket() as other:
        # Were it bound to all addresses, another loopback address could not bind the same port.
        other.bind(("127.0.0.2", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_port_in_use_is_one_line_that_names_the_address_and_the_settings(url: str) -> None:
    port = int(url.rpartition(":")[2])
    server = HttpServer("127.0.0.1", port, Health(1, 1), Metrics())
    with pytest.raises(FatalError) as caught:
        server.start()
    assert caught.value.exit_code == 1
    assert str(caught.value).startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert "STANCEWIRE_HTTP_PORT" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stopped_server_frees_its_port_and_its_thread() -> None:
    before = threading.active_count()
    first = HttpServer("127.0.0.1", 0, Health(1, 1), Metrics())
    port = first.start()
    first.stop()
    again = HttpServer("127.0.0.1", port, Health(1, 1), Metrics())
    assert again.start() == port
    again.stop()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_server_that_never_started_can_be_stopped() -> None:
    HttpServer("127.0.0.1", 0, Health(1, 1), Metrics()).stop()
    assert "http" not in {thread.name for thread in threading.enumerate()}
