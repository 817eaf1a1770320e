"""Attribution as a table: each row names its trap, its text and the speaker of each quote."""

import pytest

from service.quotes import Speaker, extract_quotes

Row = tuple[str, str, list[str | None]]

BESIDE: list[Row] = [
    ("X said", "“The bridge is open again,” Ana Morel said.", ["Ana Morel"]),
    ("said X", "“The bridge is open again,” said Ana Morel.", ["Ana Morel"]),
    ("X told somebody", "“The bridge is open again,” Ana Morel told reporters.", ["Ana Morel"]),
    (
        "X, with a title between commas, said",
        "“The bridge is open again,” Ana Morel, the harbour minister of Nordia, said.",
        ["Ana Morel"],
    ),
    (
        "two speakers are named both",
        "“The bridge is open again,” Ana Morel and Tom Hale said.",
        ["Ana Morel and Tom Hale"],
    ),
    ("police need no article", "Police said the man “was not known to them.”", ["Police"]),
    (
        "a name behind the quote where the pronoun before it is nobody's",
        "She praised “a good sign” from afar, Minister Ana Morel said.",
        ["Ana Morel"],
    ),
    (
        "X, with two titles between commas, said",
        "“It is open again,” Ana Morel, the minister of ports, a member of the board, said.",
        ["Ana Morel"],
    ),
    ("according to X", "“The bridge is open,” according to Ana Morel.", ["Ana Morel"]),
    ("According to X first", "According to Ana Morel, “the bridge is open.”", ["Ana Morel"]),
    ("X and a colon", "Ana Morel: “The bridge is open again.”", ["Ana Morel"]),
    ("X said and a colon", "Ana Morel said: “The bridge is open again.”", ["Ana Morel"]),
    (
        "words of time between verb and colon",
        "Ana Morel tweeted late on Friday evening: “The bridge is open again.”",
        ["Ana Morel"],
    ),
    ("a dash and a name", "“The bridge is open again.” — Ana Morel", ["Ana Morel"]),
    (
        "an occupation in small letters",
        "“The bridge is open again,” fisherman Ana Morel said.",
        ["Ana Morel"],
    ),
    (
        "the sentence goes on behind the quote before it names the speaker",
        "‘We all have somebody over there’ on the far shore, villager Ana Morel said. "
        "‘Nobody here wants this.’",
        ["Ana Morel", "Ana Morel"],
    ),
    (
        "the paragraph before ends with a colon",
        "Ana Morel continued:\n\n“The bridge is open again.”",
        ["Ana Morel"],
    ),
]

NARRATIVE: list[Row] = [
    ("a place speaks", "Nordia says it is “freeing” the islands to the north.", ["Nordia"]),
    (
        "a promise",
        "Ana Morel promised the council would give the pier ‘every chance’ of survival.",
        ["Ana Morel"],
    ),
    (
        "a participle leans on the subject of the sentence",
        "The harbour board called for ‘firm steps’ by June, while hailing ‘signs of progress’.",
        ["The harbour board", "The harbour board"],
    ),
    (
        "two verbs share a subject",
        "Ana Morel accused the board of delay, and said: “We are still waiting for it.”",
        ["Ana Morel"],
    ),
    (
        "the outer verb speaks, not the one in its clause",
        "Ana Morel said that the board wants to see a ‘real and lasting change’ by June.",
        ["Ana Morel"],
    ),
    (
        "a verb that announces what follows is no attribution of what stands before",
        "While Ana Morel insisted that a toll ‘is not on the table at all,’ Tom Hale retorted "
        "that he knew better.",
        ["Ana Morel"],
    ),
    (
        "a noun that looks like a verb speaks not",
        "Nordia’s claims about the “old northern sea route” drew no answer.",
        [None],
    ),
]

RESOLVED: list[Row] = [
    (
        "a last name is the full name of the article",
        "Minister Ana Morel arrived late. “The bridge is open again,” Ms Morel said.",
        ["Ana Morel"],
    ),
    (
        "he is the last man named as a subject",
        "Tom Hale arrived with Ana Morel. “The bridge is open again,” he said.",
        ["Tom Hale"],
    ),
    (
        "she is not the man named last",
        "Mayor Julia Brandt met Mr Hale. Tom Hale left early. “We agreed on it all,” she said.",
        ["Julia Brandt"],
    ),
    (
        "a title stands for whom it introduced",
        "Foreign Minister Ana Morel arrived. “The bridge is open again,” the minister said.",
        ["Ana Morel"],
    ),
    (
        "a title with a capital stands for whom it introduced",
        "Foreign Minister Ana Morel arrived. “The bridge is open again,” the Minister said.",
        ["Ana Morel"],
    ),
    (
        "a title that two persons hold stays as printed",
        "Foreign Minister Ana Morel met Defence Minister Tom Hale.\n\nIt rained.\n\n"
        "“The bridge is open again,” the minister said.",
        ["the minister"],
    ),
    (
        "the president is not the vice president",
        "Vice President Ana Morel arrived. “The bridge is open again,” the president said.",
        ["the president"],
    ),
    (
        "an organisation speaks for itself",
        "“The bridge is open again,” the harbour ministry said.",
        ["the harbour ministry"],
    ),
    (
        "it is the organisation the sentence before begins with",
        "The harbour ministry sent pictures. It did not say where they were, other than "
        "“in the far north”.",
        ["The harbour ministry"],
    ),
    ("a pronoun for nobody", "“The bridge is open again,” he said.", [None]),
    ("no attribution", "It rained. “The bridge is open again.” Then it stopped.", [None]),
    (
        "a family name that is also a title",
        "Larry King arrived. “The bridge is open again,” Mr. King said.",
        ["Larry King"],
    ),
    (
        "a title behind the name stands for whom it introduced",
        "Ana Morel, the mayor, met Tom Hale. He left. “It is open again,” the mayor said.",
        ["Ana Morel"],
    ),
    (
        "who coaches is the coach",
        "Ana Morel, who coaches the rowers, arrived late. “The lake is frozen,” the coach said.",
        ["Ana Morel"],
    ),
    (
        "an abbreviated title is the same title",
        "Sen. Ana Morel arrived late. “The bridge is open again,” the senator said.",
        ["Ana Morel"],
    ),
    (
        "the chairman holds the chair",
        "Committee Chair Tom Hale arrived. “The bridge is open again,” the chairman said.",
        ["Tom Hale"],
    ),
    (
        "an age describes who stands out",
        "Ana Morel will retire in May. “My knees have decided,” the 36-year-old said.",
        ["Ana Morel"],
    ),
    (
        "a diplomat is the diplomat later",
        "A diplomat doubted it. Ana Morel agreed.\n\n“Both will climb down,” the diplomat said.",
        ["A diplomat"],
    ),
    (
        "the spokesman is not who stands out",
        "Ana Morel arrived late.\n\n“The bridge is open again,” the spokesman said.",
        ["the spokesman"],
    ),
    (
        "who was just introduced is meant before the one named in passing",
        "While Tom Hale had many friends, that troubled one woman: Ana Morel, the pilot.\n\n"
        "“Nobody asked us at all,” she said.",
        ["Ana Morel"],
    ),
    (
        "a chain of pronouns keeps its person",
        "Ana Morel arrived late. She met Tom Hale. She was tired. “It is open again,” she said.",
        ["Ana Morel"],
    ),
    (
        "of two Hales the one named in full just before",
        "Tom Hale slept. Sheriff Ada Hale did not. “We saw the light first,” Hale said.",
        ["Ada Hale"],
    ),
    (
        "an honorific tells two Hales apart",
        "Tom Hale and Ada Hale arrived. “The bridge is open again,” Mrs Hale said.",
        ["Ada Hale"],
    ),
    (
        "a wife named by her given name has his last name",
        "Tom Hale and his wife, Ada, arrived. “The bridge is open again,” Mrs. Hale said.",
        ["Ada Hale"],
    ),
    (
        "a nickname inside the name",
        "“The bridge is open again,” said Tom “Hook” Hale.\n\n“It shut at noon again,” Hale said.",
        ["Tom Hale", "Tom Hale"],
    ),
    (
        "I is whom the column is by",
        "By Ana Morel\n\nIt rained all day. “Is the bridge open again?” I asked.",
        ["Ana Morel"],
    ),
    (
        "my mother is nobody else",
        "Tom Hale wrote to us. My mother laughed. “The bridge is open again,” she said.",
        ["My mother"],
    ),
    (
        "it is the organisation that spoke last",
        "“The bridge is open,” the Harbour Trust said.\n\n“It will stay open now,” it added.",
        ["the Harbour Trust", "the Harbour Trust"],
    ),
]

LABELLED: list[Row] = [
    (
        "turns of a transcript inside one run of marks",
        "“MOREL: Is the bridge open again?\n\n“HALE: Not before the spring.”",
        ["Morel", "Hale"],
    ),
    (
        "a headline that begins with the name",
        "Ana Morel scolds bank: ‘You had the keys’\n\nAna Morel spoke to the bank on Monday.",
        ["Ana Morel"],
    ),
    (
        "a headline's words are said below",
        "‘We will not sell the hill’\n\n“We will not sell the hill,” Ana Morel said.",
        ["Ana Morel"],
    ),
    (
        "a signature on the line below",
        "“We asked for rain all year.”\n— Ana Morel, Northport",
        ["Ana Morel"],
    ),
    (
        "per a document",
        "Nobody may vote “to fill a vacancy at sea,” per the harbour rules.",
        ["the harbour rules"],
    ),
    (
        "a noun of speech has an owner",
        "Tom Hale laughed at Ana Morel’s claim that “the bridge is as good as new”.",
        ["Ana Morel"],
    ),
    (
        "her warning is hers",
        "Governor Ana Morel spoke. Her warning that “the bridge will not open” was repeated.",
        ["Ana Morel"],
    ),
    (
        "said X between commas",
        "The plan was, said Tom Hale, “a house without a door”.",
        ["Tom Hale"],
    ),
    (
        "shot back is a verb of speech",
        "“You had the keys all year,” Ana Morel shot back.",
        ["Ana Morel"],
    ),
]

CARRIED: list[Row] = [
    (
        "a whole paragraph of quote carries the speaker over",
        "“The bridge is open again,” Ana Morel said.\n\n“The toll will be paid by all.”",
        ["Ana Morel", "Ana Morel"],
    ),
    (
        "a paragraph of narration between, in which nobody else comes up",
        "“The bridge is open again,” Ana Morel said.\n\nIt rained.\n\n“The toll is paid by all.”",
        ["Ana Morel", "Ana Morel"],
    ),
    (
        "not from words quoted inside a sentence",
        "Nordia says it is “freeing” the islands.\n\n“The toll will be paid by all.”",
        ["Nordia", None],
    ),
    (
        "a question is answered by the other one",
        "“Can you hold her there?” Tom Hale asked.\n\n“For a minute,” said Ana Morel.\n\n"
        "“How long is a minute?”\n\n“Until you stop talking.”",
        ["Tom Hale", "Ana Morel", "Tom Hale", "Ana Morel"],
    ),
    (
        "a quote alone is of the one whom the paragraph before introduces",
        "Ana Morel has been the pilot for nine years.\n\n“The first one was only a paddleboard.”",
        ["Ana Morel"],
    ),
]

TABLE = BESIDE + NARRATIVE + RESOLVED + LABELLED + CARRIED


@pytest.mark.parametrize(("trap", "text", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_speaker_is_the_one_who_said_it(trap: str, text: str, expected: list[str | None]) -> None:
    speakers = [quote.speaker for quote in extract_quotes(text)]
    assert [speaker.name if speaker else None for speaker in speakers] == expected, trap


def test_role_and_name_are_told_apart() -> None:
    (quote,) = extract_quotes("“It is open,” Nordian Foreign Minister Ana Morel said.")
    assert quote.speaker == Speaker("Ana Morel", "Ana Morel", "Nordian Foreign Minister")


def test_role_between_commas_is_the_speakers() -> None:
    (quote,) = extract_quotes("“It is open,” said Ana Morel, the harbour minister.")
    assert quote.speaker == Speaker("Ana Morel", "Ana Morel", "the harbour minister")


def test_mention_is_what_is_printed_and_name_what_it_stands_for() -> None:
    text = (
        "Minister Ana Morel arrived. “It is open,” Ms Morel said. "
        "Later “it closed again,” she added."
    )
    first, second = extract_quotes(text)
    assert first.speaker == Speaker("Ana Morel", "Ms Morel", None)
    assert second.speaker == Speaker("Ana Morel", "she", None)


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("“It is open now,” Ana Morel told us.", "told"),
        ("According to Ana Morel, “it is open now.”", "According to"),
        ("Ana Morel: “It is open now, I say.”", None),
    ],
)
def test_cue_is_the_verb_as_printed(text: str, cue: str | None) -> None:
    (quote,) = extract_quotes(text)
    assert quote.cue == cue
