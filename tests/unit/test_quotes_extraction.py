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
    (
        "angle marks that point outwards",
        "«The bridge will reopen by May,» said Ana Morel.",
        [("The bridge will reopen by May,", "Ana Morel")],
    ),
    (
        "angle marks that point inwards",
        "»The bridge will reopen by May,« said Ana Morel.",
        [("The bridge will reopen by May,", "Ana Morel")],
    ),
    (
        "low opener, high closer",
        "„The bridge will reopen by May“, said Ana Morel.",
        [("The bridge will reopen by May", "Ana Morel")],
    ),
    (
        "grave accents and straight single marks",
        "``The bridge will reopen by May,'' said Ana Morel.",
        [("The bridge will reopen by May,", "Ana Morel")],
    ),
    (
        "an opener printed as a closer, where a paragraph begins",
        "It rained.\n\n” … the bridge will reopen by May,” said Ana Morel.",
        [("… the bridge will reopen by May,", "Ana Morel")],
    ),
    (
        "curly opener, straight closer",
        '“The bridge will reopen by May", said Ana Morel. "It may rain.”',
        [("The bridge will reopen by May It may rain.", "Ana Morel")],
    ),
    (
        "marks doubled around one quote",
        "“‘The bridge will reopen by May,’” said Ana Morel.",
        [("The bridge will reopen by May,", "Ana Morel")],
    ),
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
    (
        "a closer without an opener spoils nothing after it",
        "The bridge will reopen,” said Ana Morel. “It may rain all day,” said Tom Hale.",
        [("It may rain all day,", "Tom Hale")],
    ),
    (
        "each turn of a transcript is a quote, though only the last closes",
        "“MOREL: Will the bridge reopen?\n\n“HALE: We all hope it will.\n\n“It may rain.”",
        [
            ("MOREL: Will the bridge reopen?", "Morel"),
            ("HALE: We all hope it will. It may rain.", "Hale"),
        ],
    ),
    (
        "a stage direction inside a long quote is no segment of it",
        "Ana Morel said: “The bridge is open.\n\n“(Applause.)\n\n“It may rain all day.”",
        [("The bridge is open. It may rain all day.", "Ana Morel")],
    ),
    (
        "the page's line inside a long quote is no segment of it",
        "Ana Morel said: “The bridge is open.\n\n“It may rain all day.\n\n"
        "“Follow the Harbour Post on Twitter @harbourpost.”",
        [("The bridge is open. It may rain all day.", "Ana Morel")],
    ),
    (
        "a line in marks and capitals between two sections is a heading",
        "“The bridge is open again,” Ana Morel said.\n\n‘Nobody Told Us Anything.’\n\n"
        "Ana Morel lives by the bridge.",
        [("The bridge is open again,", "Ana Morel")],
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
    (
        "a title between commas does not part them",
        "“We will rebuild it,” said Ana Morel, the harbour minister of Nordia and a member of the "
        "board since the great storm of 1987, “if it takes us ten years.”",
        [("We will rebuild it, if it takes us ten years.", "Ana Morel")],
    ),
    (
        "a verb of speech in a relative clause announces nothing",
        "“We will rebuild it,” Ana Morel, who called the pier absurd in May, said on Monday. “It "
        "may take years.”",
        [("We will rebuild it, It may take years.", "Ana Morel")],
    ),
    (
        "according to X between two parts joins them",
        "“We will rebuild it,” according to Ana Morel, “if it takes us ten years.”",
        [("We will rebuild it, if it takes us ten years.", "Ana Morel")],
    ),
    (
        "a second speaker in a clause of time is not joined",
        "“We will rebuild it,” Ana Morel said as Tom Hale shouted, “You never will do it!”",
        [("We will rebuild it,", "Ana Morel"), ("You never will do it!", "Tom Hale")],
    ),
    (
        "a title behind the words is not joined to them",
        "After the hymn “A Pier Is Gonna Rise,” she added the words, “We will rebuild it.”",
        [("We will rebuild it.", None)],
    ),
]

TABLE = MARKS + PARAGRAPHS + INTERRUPTED


@pytest.mark.parametrize(("trap", "text", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_quotes_are_the_words_said_and_their_speaker(
    trap: str, text: str, expected: list[tuple[str, str | None]]
) -> None:
    found = [(q.text, q.speaker.name if q.speaker else None) for q in extract_quotes(text)]
    assert found == expected, trap


KINDS: list[tuple[str, str, list[str]]] = [
    ("three words", "“We doubt it,” Ana Morel said.", ["fragment"]),
    ("four words", "“We much doubt it,” Ana Morel said.", ["quote"]),
    ("apostrophes and hyphens part no word", "“Don’t re-open it,” Ana Morel said.", ["fragment"]),
    ("dashes and full stops are no words", "“No – never … No.”, Ana Morel said.", ["fragment"]),
    ("segments are counted together", "“We doubt it,” Ana Morel said. “Much.”", ["quote"]),
    (
        "marks inside do not end a word count",
        "“We ‘doubt’ it all,” Ana Morel said, and called it “quite absurd”.",
        ["quote", "fragment"],
    ),
]


@pytest.mark.parametrize(("trap", "text", "kinds"), KINDS, ids=[row[0] for row in KINDS])
def test_fewer_than_four_words_are_a_fragment(trap: str, text: str, kinds: list[str]) -> None:
    assert [quote.kind for quote in extract_quotes(text)] == kinds, trap


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
