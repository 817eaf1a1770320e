"""Texts that broke extraction once, each with its cause. Slow ones: tests/fuzz/hostile.py."""

import pytest

from tests.fuzz.properties import check_quotes

FOUND = [
    ("a name and a comma at the very end: an apposition was read behind it", "“No,” Ana Morel,"),
    ("marks inside a headline's name were taken for one of its words", '0"0"HA“0”B:"0\'\''),
    (
        "marks and a colon before a known name were taken for its first words",
        "‘v’:Hale: ‘i’ Mr Hale",
    ),
    ("a headline that begins with of: nothing was left before it", "of Ana of: “We go up now.”"),
    ("a pronoun behind a title was read as a given name", "quarterback He M ‘o’"),
    ("a particle alone before of was cut down to no words at all", "Van Of N told"),
    ("a misread dash ends with what looks like a closing mark", "“We’ll go â€””, he said."),
]


@pytest.mark.parametrize("text", [text for _, text in FOUND], ids=[cause for cause, _ in FOUND])
def test_a_text_that_broke_it_once_does_so_no_more(text: str) -> None:
    check_quotes(text)
