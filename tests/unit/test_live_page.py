"""The live page: bounded, harmless, and a stream that goes on where its viewer left it."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from service import http_server
from service.health import Health
from service.http_server import HttpServer
from service.live import RecentQuotes, page
from service.live.page import FILES, MOST_VIEWERS
from service.live.recent import MOST_CHARS, MOST_EVENT_BYTES, MOST_QUOTES, shown
from service.metrics import Metrics
from tests.live_page import ARTICLE, Served, event

FOLDER = Path(page.__file__).parent
REQUEST_SECONDS = 0.3


class Viewers(Served):
    """The server with the page, and connections to it."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: list[HTTPConnection] = []

    def get(self, path: str, **headers: str) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        self.connections.append(connection)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def watch(self, last_event_id: str = "") -> HTTPResponse:
        return self.get("/live/events", **{"Last-Event-ID": last_event_id})

    def stop(self) -> None:
        for connection in self.connections:
            connection.close()
        super().stop()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Viewers]:
    monkeypatch.setattr(page, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(page, "COUNTS_SECONDS", 0.05)
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", REQUEST_SECONDS)
    served = Viewers()
    yield served
    served.stop()


def read_event(stream: HTTPResponse, name: str) -> tuple[str, Any]:
    """The id and the data of the next event of that name."""
    identity = ""
    while line := stream.readline().decode():
        if line.startswith("id: "):
            identity = line[4:].strip()
        if line == f"event: {name}\n":
            return identity, json.loads(stream.readline().decode().removeprefix("data: "))
    raise AssertionError("the stream has ended")


def texts(quotes: list[dict[str, Any]]) -> list[str]:
    return [quote["text"] for quote in quotes]


def test_a_viewer_sees_what_was_delivered_before_and_what_is_delivered_then(
    served: Viewers,
) -> None:
    served.recent.add([event("first")])
    stream = served.watch()
    assert stream.getheader("Content-Type") == "text/event-stream"
    assert texts(read_event(stream, "quotes")[1]) == ["first"]
    served.recent.add([event("second"), event("third")])
    assert texts(read_event(stream, "quotes")[1]) == ["second", "third"]


def test_a_viewer_who_comes_back_gets_only_what_is_new(served: Viewers) -> None:
    served.recent.add([event("first")])
    identity, _ = read_event(served.watch(), "quotes")
    served.recent.add([event("second")])
    assert texts(read_event(served.watch(identity), "quotes")[1]) == ["second"]


@pytest.mark.parametrize("known", ["other-life-1", "0-1", "1", "-", "x" * 900])
def test_a_viewer_from_before_a_restart_gets_all(served: Viewers, known: str) -> None:
    served.recent.add([event("first")])
    assert texts(read_event(served.watch(known), "quotes")[1]) == ["first"]


def test_the_counters_are_those_of_the_metrics(served: Viewers) -> None:
    served.metrics.quotes.labels("sceptical").inc(3)
    served.metrics.articles.labels("classified").inc(2)
    served.metrics.set_lag({("articles", 0): 5, ("articles", 1): 6})
    assert read_event(served.watch(), "counts")[1] == {
        "quotes": {"sceptical": 3, "conciliatory": 0, "threatening": 0, "none": 0},
        "articles": 2,
        "dead_letters": 0,
        "in_flight_articles": 0,
        "consumer_lag": 11,
    }


def test_a_stream_outlives_the_time_limit_of_other_requests(served: Viewers) -> None:
    stream = served.watch()
    end = time.monotonic() + 3 * REQUEST_SECONDS
    while time.monotonic() < end:
        read_event(stream, "counts")


def test_one_viewer_too_many_is_told_so_and_has_room_when_another_leaves(served: Viewers) -> None:
    streams = [served.watch() for _ in range(MOST_VIEWERS)]
    for stream in streams:
        read_event(stream, "counts")
    assert served.watch().status == 503
    assert served.get("/livez").status == 200
    for connection in served.connections:
        connection.close()
    for stream in streams:
        stream.close()
    deadline = time.monotonic() + 5
    while (status := served.watch().status) != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status == 200


def test_a_stopping_server_does_not_wait_for_its_viewers(served: Viewers) -> None:
    read_event(served.watch(), "counts")
    before = time.monotonic()
    served.server.stop()
    assert time.monotonic() - before < 4


@pytest.mark.parametrize(("path", "kind"), [(path, kind) for path, (_, kind) in FILES.items()])
def test_each_file_comes_with_a_policy_that_lets_nothing_else_in(
    served: Viewers, path: str, kind: str
) -> None:
    answer = served.get(path)
    assert answer.status == 200
    assert answer.getheader("Content-Type") == f"{kind}; charset=utf-8"
    policy = answer.getheader("Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"


def test_the_page_names_no_other_host_and_runs_nothing_inline() -> None:
    for name in ("index.html", "page.css", "page.js"):
        assert not re.search(r"https?://|//[a-z]+\.", (FOLDER / name).read_text())
    html = (FOLDER / "index.html").read_text()
    assert not re.search(r"<style|\son\w+=|\sstyle=|<script(?! src=)", html)


def test_the_page_makes_no_html_of_texts() -> None:
    script = (FOLDER / "page.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)


def test_without_the_setting_there_is_no_page() -> None:
    server = HttpServer("127.0.0.1", 0, Health(60, 60), Metrics())
    port = server.start()
    for path in (*FILES, "/live/events"):
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        assert connection.getresponse().status == 404
        connection.close()
    server.stop()


def test_only_the_last_quotes_are_kept() -> None:
    recent = RecentQuotes()
    recent.add([event(str(n)) for n in range(3 * MOST_QUOTES)])
    newest, quotes = recent.after(0)
    assert newest == 3 * MOST_QUOTES
    assert texts(quotes) == [str(n) for n in range(2 * MOST_QUOTES, 3 * MOST_QUOTES)]


def test_a_huge_event_is_not_kept_and_the_next_one_is() -> None:
    recent = RecentQuotes()
    recent.add([event("x" * MOST_EVENT_BYTES), event("short")])
    assert recent.after(0)[0] == 2
    assert texts(recent.after(0)[1]) == ["short"]


def test_nothing_is_new_to_a_viewer_who_has_seen_all() -> None:
    recent = RecentQuotes()
    recent.add([event()])
    assert recent.after(1) == (1, [])


def test_quotes_may_be_added_while_others_look() -> None:
    recent = RecentQuotes()

    def write() -> None:
        for _ in range(2_000):
            recent.add([event()])

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while writer.is_alive():
        newest, quotes = recent.after(seen)
        assert len(quotes) <= newest - seen
        seen = newest
    writer.join()
    assert recent.after(0)[0] == 2_000


def test_long_texts_are_cut() -> None:
    assert shown(event("x" * 3_000))["text"] == "x" * (MOST_CHARS - 1) + "…"


@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "data:text/html,x", "JavaScript:alert(1)", "//host/path",
        "/path", "http://", "https:host", "http://[", "ftp://host/x", "https://x/" + "y" * 2_000,
    ],
)  # fmt: skip
def test_only_a_web_address_becomes_a_link(url: str | None) -> None:
    assert shown(event(article={**ARTICLE, "url": url}))["url"] is None


@pytest.mark.parametrize("url", ["https://news.example/a?b=c#d", "HTTP://news.example"])
def test_a_web_address_does(url: str) -> None:
    assert shown(event(article={**ARTICLE, "url": url}))["url"] == url


def test_a_quote_without_a_speaker_is_shown() -> None:
    assert shown(event(speaker=None)) | {"at": ""} == {
        "text": "We will see", "stance": "none", "score": None, "speaker": None, "role": None,
        "title": "Talks go on in Vienna", "source": "Wire", "at": "",
        "url": "https://news.example/1",
    }  # fmt: skip
