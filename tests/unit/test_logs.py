"""Log lines as JSON: an object a line, with the article that was in work."""

import asyncio
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest

from service.logs import logging_config, note_article

log = logging.getLogger("service.test")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was before the test."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], _ = before
    root.setLevel(before[1])


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_object_with_time_level_logger_and_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.config.dictConfig(logging_config("INFO", "json"))
    log.info("model %s\nis loaded", "m")
    [line] = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "service.test", "message": "model m\nis loaded"}


def test_a_traceback_is_a_field_and_no_further_line(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config("INFO", "json"))
    try:
        raise ValueError("no")
    except ValueError:
        log.exception("failed")
    [line] = lines(capsys)
    assert line["traceback"].endswith("ValueError: no")


def test_each_task_tells_of_its_own_article(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config("INFO", "json"))

    async def work(offset: int) -> None:
        note_article(topic="articles", offset=offset)
        await asyncio.sleep(0)
        note_article(article_id=f"a{offset}")
        await asyncio.sleep(0)
        log.info("%d", offset)

    async def both() -> None:
        await asyncio.gather(asyncio.create_task(work(1)), asyncio.create_task(work(2)))
        log.info("nobody's")

    asyncio.run(both())
    *own, last = lines(capsys)
    for line in own:
        assert line["message"] == str(line["offset"])
        assert line["article_id"] == f"a{line['offset']}"
    assert [line["offset"] for line in own] == [1, 2]
    assert "offset" not in last


def test_text_stays_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config("INFO", "text"))
    note_article(topic="articles")
    log.warning("hello")
    assert capsys.readouterr().err.endswith(" WARNING service.test hello\n")
