"""Extraction as a table: each row names its trap, its text, the words said and who said them."""

import pytest

from service.quotes import extract_quotes

Row = tuple[str, str, list[tuple[str, str | None]]]

MARKS: list[Row] = [
    (
        "curly double marks",
        "“The bridge will reopen by May,” said Ana Morel.",
        [("The bridge will reopen by May,", "Ana Morel")],
    ),
    (
        "straight double marks",
        'Ana Morel said: "The bridge will reopen by May."',
        [("The bridge will reopen by May.", "Ana Morel")],
    ),
    (
        "curly single marks among apostrophes",
        "Ana Morel said the harbour’s crews don’t mind: ‘It’s what we’ve done since the ’90s.’",
        [("It’s what we’ve done since the ’90s.", "Ana Morel")],
    ),
    (
        "a plural possessive inside single marks closes nothing",
        "‘The sailors’ wages were never paid in full,’ Ana Morel said.",
        [("The sailors’ wages were never paid in full,", "Ana Morel")],
    ),
    (
        "a plural possessive after single marks closes nothing",
        "Ana Morel wants ‘quick answers’ about the sailors’ wages.",
        [("quick answers", "Ana Morel")],
    ),
    (
        "straight single marks in a headline",
        "Nordia says fleet is 'resting', not leaving the captains' harbour",
        [("resting", "Nordia")],
    ),
    (
        "doubled straight single marks",
        "''We will rebuild the old pier,'' Ana Morel said.",
        [("We will rebuild the old pier,", "Ana Morel")],
    ),
    (
        "marks inside marks belong to the outer quote",
        "“He told me ‘never again’ and hung up,” Ana Morel said.",
        [("He told me ‘never again’ and hung up,", "Ana Morel")],
    ),
    (
        "double marks inside single ones belong to the outer quote",
        "‘He told me “never again” and hung up,’ Ana Morel said.",
        [("He told me “never again” and hung up,", "Ana Morel")],
    ),
    (
        "feet and inches are no marks",
        'Ana Morel said: "He is 6\'2" tall and still growing."',
        [("He is 6'2\" tall and still growing.", "Ana Morel")],
    ),
    (
        "a closing mark that is printed as an opening one",
        "Ana Morel said the claim was “plainly and simply wrong.“",
        [("plainly and simply wrong.", "Ana Morel")],
    ),
    ("no marks at all", "Ana Morel said the bridge would reopen by May.", []),
    ("marks around nothing", "Ana Morel said “” and then “ … ”.", []),
    ("elisions open nothing", "Rock 'n' roll was king in the '60s, 'til it wasn't.", []),
]

PARAGRAPHS: list[Row] = [
    (
        "an opener without a closer spoils nothing after it",
        "He wrote: “We never got an answer from them.\n\nIt rained.\n\n“Nobody came at all,” said "
        "Ana Morel.",
        [("Nobody came at all,", "Ana Morel")],
    ),
    (
        "a forgotten closer before an attribution is not carried over",
        "“We never got an answer, Tom Hale said.\n\n“It was raining all day,” said Ana Morel.",
        [("It was raining all day,", "Ana Morel")],
    ),
    (
        "a quote does not run over a paragraph that opens without a mark",
        "Ana Morel said: “We never got an answer.\n\nThe rain went on. “Nobody came to help us,” "
        "Tom Hale said.",
        [("Nobody came to help us,", "Tom Hale")],
    ),
    (
        "each paragraph opens and only the last closes",
        "The harbour board wrote: “The first pier is closed.\n“The second one is not safe.\n"
        "“The third may open in June.”",
        [
            (
                "The first pier is closed. The second one is not safe. The third may open in June.",
                "The harbour board",
            )
        ],
    ),
    (
        "a wrapped text runs on over its line breaks",
        "The mayor had waited the whole long morning, and then “the boats came in\n"
        "from the north with nobody aboard them at all,” Ana Morel said of the\nstorm.",
        [("the boats came in from the north with nobody aboard them at all,", "Ana Morel")],
    ),
    (
        "a caption printed twice yields its quote once",
        "Ana Morel said the pier was 'closed for good and all' on Monday\n\n"
        "Ana Morel said the pier was ‘closed for good and all’ on Monday",
        [("closed for good and all", "Ana Morel")],
    ),
    (
        "a link to another article is furniture",
        "The pier is closed.\n\nREAD MORE: Mayor says 'nobody will ever pay' for the pier",
        [],
    ),
]

INTERRUPTED: list[Row] = [
    (
        "an attribution between two parts joins them",
        "“We will rebuild it,” Ana Morel said. “It may take years.”",
        [("We will rebuild it, It may take years.", "Ana Morel")],
    ),
    (
        "an attribution in mid-sentence joins them",
        "“We will rebuild it,” said Ana Morel, “if it takes us ten years.”",
        [("We will rebuild it, if it takes us ten years.", "Ana Morel")],
    ),
    (
        "an attribution to nobody known joins them",
        "‘I’m tired of the players’ excuses,’ he said, ‘and of the fans’ too.’",
        [("I’m tired of the players’ excuses, and of the fans’ too.", None)],
    ),
    (
        "two speakers are never joined",
        "“We will rebuild it,” said Ana Morel. “I doubt that very much,” said Tom Hale.",
        [("We will rebuild it,", "Ana Morel"), ("I doubt that very much,", "Tom Hale")],
    ),
    (
        "more than an attribution between them joins nothing",
        "“We will rebuild it,” Ana Morel said. The pier burned down in 1987. “It may take years.”",
        [("We will rebuild it,", "Ana Morel"), ("It may take years.", "Ana Morel")],
    ),
    (
        "a second verb between them joins nothing",
        "Ana Morel called it a “very good sign,” adding: “We hope that more will come.”",
        [("very good sign,", "Ana Morel"), ("We hope that more will come.", "Ana Morel")],
    ),
]

FRAGMENTS: list[Row] = [
    (
        "one word with a cue near is kept",
        "Nordia says it is now “cleansing” the northern islands.",
        [("cleansing", "Nordia")],
    ),
    ("a scare quote is left out", "The “sea snake” of the harbour drew a crowd again.", []),
    (
        "a programme's title is left out",
        "Ana Morel spoke on Sunday’s broadcast of “Harbour Morning Show” for an hour.",
        [],
    ),
    (
        "two words right beside he said are kept though he is unknown",
        "“Not yet,” he said.",
        [("Not yet,", None)],
    ),
]

TABLE = MARKS + PARAGRAPHS + INTERRUPTED + FRAGMENTS


@pytest.mark.parametrize(("trap", "text", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_quotes_are_the_words_said_and_their_speaker(
    trap: str, text: str, expected: list[tuple[str, str | None]]
) -> None:
    found = [(q.text, q.speaker.name if q.speaker else None) for q in extract_quotes(text)]
    assert found == expected, trap


def test_unclosed_quote_yields_no_quote_and_no_error() -> None:
    assert extract_quotes("Ana Morel said: “We never got an answer") == []


def test_each_paragraph_of_a_long_quote_is_a_segment_of_its_own() -> None:
    text = "Tom Hale wrote: “One is closed.\n\n“Two is not safe.”"
    (quote,) = extract_quotes(text)
    assert [text[s:e] for s, e in quote.segments] == ["One is closed.", "Two is not safe."]


def test_offsets_are_exact_behind_characters_outside_the_basic_plane() -> None:
    text = "😀😀 “The 𝒷ridge is open again,” Ana Morel said."
    (quote,) = extract_quotes(text)
    assert [text[s:e] for s, e in quote.segments] == ["The 𝒷ridge is open again,"]


def test_white_space_inside_is_folded_in_the_text_and_kept_in_the_segment() -> None:
    text = "“The bridge\u00a0 is open again,” Ana Morel said."
    (quote,) = extract_quotes(text)
    ((start, end),) = quote.segments
    assert quote.text == "The bridge is open again,"
    assert text[start:end] == "The bridge\u00a0 is open again,"
