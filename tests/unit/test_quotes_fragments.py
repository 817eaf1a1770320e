"""A few words in marks: somebody's, or the name of a thing? Each row names its trap."""

import pytest

from service.quotes import extract_quotes

Row = tuple[str, str]

SAID: list[tuple[str, str, str]] = [
    ("a cue near", "Nordia says it is now “cleansing” the northern islands.", "cleansing"),
    ("right beside he said, though he is unknown", "“Not yet,” he said.", "Not yet,"),
    ("as a", "Ana Morel praised Tom Hale as a “strong captain,” and left.", "strong captain,"),
    ("what a thing is", "The voters of Nordia are “tired” of the piers.", "tired"),
    (
        "a noun of speech",
        "They laughed at the claim of “dozens of leaks” in May.",
        "dozens of leaks",
    ),
    ("a participle", "Bemoaning the “rotten piers,” the crowd went home.", "rotten piers,"),
    ("an infinitive", "Tom Hale drove the crews to “mend everything” and left.", "mend everything"),
    (
        "a headline in capitals",
        "Captains Rip Harbour Plan As ‘Absolute Disgrace’",
        "Absolute Disgrace",
    ),
    (
        "a headline without",
        "Captains split over ‘absolute disgrace’ at the pier",
        "absolute disgrace",
    ),
    ("a person's possession", "Ana Morel left. It was her “floating wall”.", "floating wall"),
    (
        "capitals behind a noun of speech and of",
        "Ana Morel won with a slogan of “Bread and Piers” in May.",
        "Bread and Piers",
    ),
    ("a judgement by label", "The claim was labelled “Mostly True” in May.", "Mostly True"),
]

NAMES: list[Row] = [
    ("a scare quote", "The “sea snake” of the harbour drew a crowd again."),
    ("a scare quote that belongs to a place", "The harbour’s “sea snake” drew a crowd again."),
    ("a thing for sale", "The firm sells “smart” locks to sailors."),
    (
        "a programme after on",
        "Ana Morel spoke on Sunday’s broadcast of “Harbour Morning Show” for an hour.",
    ),
    ("a programme first of all", "On “Harbour Nights,” Ana Morel said the pier would open."),
    ("a programme's owner", "Ana Morel told NTV’s “Harbour Nights” that the pier would open."),
    ("a programme behind the marks", "Ana Morel told her “Harbour Nights” radio show of the pier."),
    ("one word, beside its kind", "Ana Morel said the documentary “Tideline” was late."),
    ("one word, behind a comma", "Ana Morel said her documentary, “Tideline,” was late."),
    ("a song", "Her new song “Rain on the Pier” is out, Ana Morel said."),
    ("a title without capitals", "Tom Hale’s latest column, “we all need piers now,” is long."),
    ("an act", "The senate passed the “Safe Piers Act” in May, Ana Morel said."),
    (
        "a programme of a party",
        "Ana Morel praised its place in his 1994 “Compact with Nordia” once.",
    ),
    ("known as", "Ana Morel said the pier, known as the “Old Lady,” was closed."),
    ("so-called", "Ana Morel said the so-called “zombie piers” were closed."),
    ("a nickname announced", "Ana Morel mocked him with the nickname “Leaky Tom” in May."),
    ("a nickname inside a name", "Tom “Big Fish” Hale said on Monday that he would go."),
    ("a label on a box", "In a box labelled “broken things” Ana Morel found a key."),
    ("a pronoun talked about", "Nobody asked whether the captain is a “she” or not."),
    ("a headline's work", "Ana Morel’s ‘Tideline’ Opens On Friday At The Harbour"),
]


@pytest.mark.parametrize(("trap", "text", "words"), SAID, ids=[row[0] for row in SAID])
def test_words_of_somebody_are_kept(trap: str, text: str, words: str) -> None:
    assert [quote.text for quote in extract_quotes(text)] == [words], trap


@pytest.mark.parametrize(("trap", "text"), NAMES, ids=[row[0] for row in NAMES])
def test_names_of_things_are_left_out(trap: str, text: str) -> None:
    assert extract_quotes(text) == [], trap
