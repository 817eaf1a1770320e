"""How the packaged model behaves when a quote changes (after CheckList, Ribeiro et al. 2020).

Some changes must move the stance (a negation), others must not (who is named, spelling, marks).
Names here are not among those that training exchanges.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from models.stance import StanceModel
from models.training.report import held_out_sets, packaged

COUNTRIES = [
    "Finland",
    "Austria",
    "Bulgaria",
    "Croatia",
    "Slovakia",
    "Uruguay",
    "Paraguay",
    "Honduras",
    "Panama",
    "Jamaica",
    "Senegal",
    "Uganda",
    "Zambia",
    "Tunisia",
    "Jordan",
    "Qatar",
    "Oman",
    "Malaysia",
    "Laos",
    "Iceland",
]
PEOPLE = [
    "Alvarez",
    "Becker",
    "Castillo",
    "Delacroix",
    "Eriksen",
    "Fofana",
    "Gupta",
    "Hakimi",
    "Iwasaki",
    "Jovanovic",
    "Kaplan",
    "Lundgren",
    "Mbeki",
    "Nakamura",
    "Obi",
    "Pavlov",
    "Quispe",
    "Rossi",
    "Sato",
    "Tembo",
]
ABOUT_A_COUNTRY = [
    "We do not believe that {} has withdrawn its troops.",
    "{} says the pipeline leaked by accident. The divers saw something else.",
    "Has anybody checked the figures that {} keeps giving us?",
    "The promises of {} are worth the paper they are written on.",
    "We are ready to sit down with {} at any time.",
    "{} has taken a brave step, and we will answer it with one of our own.",
    "We owe the people of {} an apology.",
    "Nobody here wants a quarrel with {}.",
    "If {} closes the strait, we will open it by force.",
    "{} will pay a heavy price for this.",
    "Any ship of {} in these waters will be boarded.",
    "From Monday no bank of {} does business here, and that is only the beginning.",
    "The delegation from {} arrives on Thursday.",
    "The economy of {} grew by two per cent last year.",
    "I was born in {} and I miss the sea.",
    "The government of {} has failed its own farmers.",
]
ABOUT_A_PERSON = [
    "I have yet to see any proof of what {} says.",
    "{} swears he was at home that night. His telephone was not.",
    "With respect, {} has promised us this three times.",
    "{} and I will find a way through this together.",
    "I was too hard on {} and I have told him that I am sorry.",
    "My door is open, and {} knows it.",
    "{} should be careful, he has children here.",
    "One more word from {} and he is out of the team for good.",
    "We will see {} in court.",
    "{} was the best neighbour that anybody could have.",
    "{} joined the company nine years ago.",
    "{} has ruined this town.",
]
MAX_MEAN_SHIFT = 0.03

NEGATIONS = [
    # what is asserted, its negation, the stance that must rise from the one to the other
    ("We believe their figures.", "We do not believe their figures.", "sceptical"),
    ("I am convinced by the evidence.", "I am not convinced by the evidence.", "sceptical"),
    ("There is proof that he was there.", "There is no proof that he was there.", "sceptical"),
    ("The plan adds up.", "The plan does not add up.", "sceptical"),
    (
        "I trust that they will keep their word.",
        "I don't trust them to keep their word.",
        "sceptical",
    ),
    ("We will not talk to them.", "We will talk to them.", "conciliatory"),
    ("We are not ready to compromise.", "We are ready to compromise.", "conciliatory"),
    ("I will never forgive him.", "I have forgiven him.", "conciliatory"),
    ("There is nothing to apologise for.", "We apologise.", "conciliatory"),
    ("The door is closed.", "The door is not closed to them.", "conciliatory"),
    ("We will not strike back.", "We will strike back.", "threatening"),
    ("Nobody will be punished for this.", "They will be punished for this.", "threatening"),
    ("We have no intention of suing them.", "We intend to sue them.", "threatening"),
    ("We will not use force.", "We will use force.", "threatening"),
    (
        "There will be no consequences for the staff.",
        "There will be consequences for the staff.",
        "threatening",
    ),
]
NEGATIONS_HANDLED = 14
SAME_STANCE = [
    # one thing said by I, by we, by nobody in particular
    (
        "sceptical",
        "I doubt these numbers.",
        "We doubt these numbers.",
        "These numbers are doubtful.",
    ),
    (
        "sceptical",
        "I see no evidence for it.",
        "They see no evidence for it.",
        "No evidence for it has been shown.",
    ),
    (
        "conciliatory",
        "I am willing to meet them halfway.",
        "We are willing to meet them halfway.",
        "A compromise with them is possible, and wanted.",
    ),
    (
        "conciliatory",
        "I apologise for the harm we caused.",
        "We apologise for the harm caused.",
        "An apology is owed, and here it is.",
    ),
    (
        "threatening",
        "I will make them pay for this.",
        "We will make them pay for this.",
        "They will be made to pay for this.",
    ),
    (
        "threatening",
        "I shall call a strike if this goes on.",
        "We shall strike if this goes on.",
        "If this goes on, there will be a strike.",
    ),
    (
        "none",
        "I opened the shop in 1987.",
        "We opened the shop in 1987.",
        "The shop was opened in 1987.",
    ),
]
SPELLINGS = [
    (
        "I don't recognise the picture they have painted of our labour market.",
        "I don't recognize the picture they have painted of our labor market.",
    ),
    (
        "We apologise to our neighbours for our behaviour.",
        "We apologize to our neighbors for our behavior.",
    ),
    (
        "Our defence forces will not stand idle if the harbour is mined.",
        "Our defense forces will not stand idle if the harbor is mined.",
    ),
    (
        "The programme was cancelled and the theatre will be modernised.",
        "The program was canceled and the theater will be modernized.",
    ),
    (
        "The organisers' own cheque bounced, so much for their honour.",
        "The organizers' own check bounced, so much for their honor.",
    ),
    (
        "If the licence is not returned, we will penalise every tyre works in the county.",
        "If the license is not returned, we will penalize every tire plant in the county.",
    ),
]


@pytest.fixture(scope="module")
def model() -> StanceModel:
    return packaged()


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [quote.text for quote in held_out_sets()["own test split"][::4]]


@pytest.fixture(scope="module")
def unchanged(model: StanceModel, texts: list[str]) -> np.ndarray:
    """Their scores."""
    return scores(model, texts)


def scores(model: StanceModel, texts: Sequence[str]) -> np.ndarray:
    return np.array([list(row.values()) for row in model.score(texts)])


def decisions(model: StanceModel, texts: Sequence[str]) -> list[str]:
    return [model.labels.decide(row) for row in model.score(texts)]


@pytest.mark.parametrize(
    ("frames", "names"), [(ABOUT_A_COUNTRY, COUNTRIES), (ABOUT_A_PERSON, PEOPLE)]
)
def test_a_stance_does_not_depend_on_who_is_named(
    model: StanceModel, frames: list[str], names: list[str]
) -> None:
    by_name = np.stack([scores(model, [frame.format(name) for frame in frames]) for name in names])
    shift = np.abs(by_name - by_name.mean(axis=0)).mean()
    assert shift < MAX_MEAN_SHIFT


def test_a_negation_moves_the_stance(model: StanceModel) -> None:
    plain = model.score([before for before, _, _ in NEGATIONS])
    negated = model.score([after for _, after, _ in NEGATIONS])
    rises = [a[s] - b[s] for b, a, (_, _, s) in zip(plain, negated, NEGATIONS, strict=True)]
    missed = [pair for pair, rise in zip(NEGATIONS, rises, strict=True) if rise < 0.2]
    assert len(NEGATIONS) - len(missed) >= NEGATIONS_HANDLED, missed


@pytest.mark.parametrize("stance", ["sceptical", "conciliatory", "threatening", "none"])
def test_the_stance_is_the_same_whoever_the_words_make_the_speaker(
    model: StanceModel, stance: str
) -> None:
    texts = [text for wanted, *texts in SAME_STANCE if wanted == stance for text in texts]
    assert decisions(model, texts) == [stance] * len(texts)


def test_british_and_american_spelling_score_alike(model: StanceModel) -> None:
    british, american = (scores(model, list(column)) for column in zip(*SPELLINGS, strict=True))
    assert np.abs(british - american).mean() < MAX_MEAN_SHIFT


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        str.upper,
        lambda t: f"“{t}”",
        lambda t: f'"{t}"',
        lambda t: t.replace("'", "’"),
        lambda t: f"  {t} ",
    ],
    ids=["lower case", "upper case", "curly marks", "straight marks", "apostrophes", "spaces"],
)
def test_case_and_marks_hardly_move_a_score(
    model: StanceModel, texts: list[str], unchanged: np.ndarray, change: object
) -> None:
    assert callable(change)
    shift = np.abs(unchanged - scores(model, [change(text) for text in texts]))
    assert shift.mean() < MAX_MEAN_SHIFT


def test_an_attribution_left_behind_hardly_moves_a_score(
    model: StanceModel, texts: list[str], unchanged: np.ndarray
) -> None:
    with_speaker = [text.rstrip(".") + ", the chairman of the board said." for text in texts]
    shift = np.abs(unchanged - scores(model, with_speaker))
    assert shift.mean() < MAX_MEAN_SHIFT
