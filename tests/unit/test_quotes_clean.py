"""Damaged pages: what is repaired before reading, and where the quotes then are."""

import pytest

from service.quotes import extract_quotes
from service.quotes.clean import clean

REPAIRED: list[tuple[str, str, str]] = [
    ("nothing to repair", "“Yes,” she said & left; 3 < 4.", "“Yes,” she said & left; 3 < 4."),
    ("entities", "&ldquo;Yes,&#8221; &quot;no&quot; &amp; more", '“Yes,” "no" & more'),
    ("an entity nobody knows", "AT&T; and &nosuch; stay", "AT&T; and &nosuch; stay"),
    ("tags", '<p class="a “b”">“Yes,”</p> she said', "“Yes,” she said"),
    ("misread marks", "â€œYesâ€\u009d â€˜noâ€™", "“Yes” ‘no’"),
    ("a closing mark that lost its last byte", "â€œYesâ€ she said", "“Yes” she said"),
    ("misread dashes", "yes â€” no â€“ yes â€¦", "yes — no – yes …"),
    ("misread letters and signs", "CafÃ© Â© FranÃ§ois", "Café © François"),
    ("misread twice", "Ã¢â‚¬Å“YesÃ¢â‚¬Â\u009d FranÃƒÂ§ois", "“Yes” François"),
    ("letters that only look misread", "“Mon café”—said São’s SÂR", "“Mon café”—said São’s SÂR"),
]


@pytest.mark.parametrize(("trap", "text", "repaired"), REPAIRED, ids=[row[0] for row in REPAIRED])
def test_damage_is_repaired(trap: str, text: str, repaired: str) -> None:
    assert clean(text).text == repaired, trap


PLACES: list[tuple[str, str, str]] = [
    ("behind entities", "&amp; &amp; &ldquo;We go now,&rdquo; she said.", "We go now,"),
    ("a repair inside", "â€œWe donâ€™t go,â€\u009d she said.", "We donâ€™t go,"),
    ("a repair at the end", "“We go to the cafÃ©” she said.", "We go to the cafÃ©"),
    ("a repair at the start", "“Ã‰tienne goes now,” she said.", "Ã‰tienne goes now,"),
    ("a tag inside the marks", "“<b>We go now,</b>” she said.", "We go now,"),
    ("a tag among the words", "“We <b>all</b> go now,” she said.", "We <b>all</b> go now,"),
]


@pytest.mark.parametrize(("trap", "text", "slice_"), PLACES, ids=[row[0] for row in PLACES])
def test_segments_point_into_the_received_text(trap: str, text: str, slice_: str) -> None:
    (quote,) = extract_quotes(text)
    assert [text[start:end] for start, end in quote.segments] == [slice_], trap


FURNITURE: list[tuple[str, str]] = [
    ("a link", "READ MORE: Mayor says “nobody will ever pay” for the pier"),
    ("a link with a bar", "Related | Mayor says “nobody will ever pay” for the pier"),
    ("a plea", "Sign up for our newsletter: “The best of the pier, every day”"),
    ("a plea for followers", "Follow Ana Morel on Twitter: “The pier is ours for ever”"),
    ("a copyright line", "© 2020 Harbour Post, publisher of “The pier is ours for ever”"),
    ("a misread copyright line", "CopyrightÂ© Harbour Post, “the pier is ours for ever”"),
    ("a licence", "“The pier is ours for ever” may not be published, broadcast or sold."),
    ("a credit", "Photo: Ana Morel, “The pier is ours for ever”"),
]


@pytest.mark.parametrize(("trap", "line"), FURNITURE, ids=[row[0] for row in FURNITURE])
def test_the_pages_own_lines_yield_nothing(trap: str, line: str) -> None:
    text = f"It rained.\n\n{line}\n\n“We go to the pier now,” said Ana Morel."
    assert [quote.text for quote in extract_quotes(text)] == ["We go to the pier now,"], trap


SPEECH = [
    "“Listen: we go to the pier now,” said Ana Morel.",
    "“Share it,” Ana Morel said of the pier.",
    "Related work was “of no use,” Ana Morel said.",
]


@pytest.mark.parametrize("line", SPEECH)
def test_speech_that_begins_like_furniture_is_read(line: str) -> None:
    (quote,) = extract_quotes(line)
    assert quote.speaker is not None
    assert quote.speaker.name == "Ana Morel"
