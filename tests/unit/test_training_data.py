"""The training data is what its card says, and the functions that prepare it keep their word."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.augment import attribute, curly, straight, swap_names, vary
from models.training.data import (
    BLOCK_LINES,
    DATA,
    OTHER_HAND,
    Attitude,
    Quote,
    Split,
    read_attitudes,
    read_file,
    read_quotes,
    training_quotes,
)
from models.training.deduplicate import (
    data_files,
    near_duplicates,
    read_lines,
    texts_and_labels,
)
from models.training.measure import auc, calibration_error, decide, f1, quality
from models.training.targets import Stance, Targets, read_stances

STANCES = ("sceptical", "conciliatory", "threatening")


def quote(text: str, label: str, stances: tuple[str, ...] | None = None) -> Quote:
    return Quote(text, label, Split.TRAIN, "test", stances=stances)


def test_there_are_six_thousand_quotes_of_the_stances_and_none() -> None:
    counts = Counter(q.label for q in read_quotes() if not q.is_attitude)
    assert set(counts) == {*STANCES, "none"}
    assert sum(counts.values()) >= 6_000
    assert counts["none"] >= 0.3 * sum(counts.values())


def test_at_least_forty_attitudes_have_forty_quotes_each_and_ten_more_are_unseen() -> None:
    counts = Counter(q.label for q in read_quotes() if q.is_attitude)
    attitudes = read_attitudes()
    assert sum(counts[name] >= 40 for name in attitudes) >= 50
    assert min(counts[name] for name in attitudes) >= 30
    assert sum(not a.unseen for a in attitudes.values()) >= 40
    assert sum(a.unseen for a in attitudes.values()) == 10
    assert counts.keys() == attitudes.keys()


def test_quotes_have_three_to_eighty_words() -> None:
    lengths = [len(q.text.split()) for q in [*read_quotes(), *read_file(OTHER_HAND)]]
    assert min(lengths) >= 2  # of 1,079 in start.jsonl three have two words
    assert max(lengths) <= 85
    assert sum(3 <= n <= 80 for n in lengths) >= 0.999 * len(lengths)


def test_no_quote_repeats_another() -> None:
    lines = read_lines(data_files())
    assert near_duplicates(*texts_and_labels(lines)) == []


def test_nothing_unseen_and_nothing_held_out_is_trained_on() -> None:
    attitudes = read_attitudes()
    trained = training_quotes(read_quotes())
    assert {q.split for q in trained} == {Split.TRAIN}
    assert not any(q.is_attitude and attitudes[q.label].unseen for q in trained)


def test_whole_blocks_of_lines_go_to_one_split() -> None:
    for path in sorted(DATA.glob("stances/*.jsonl")):
        splits = [q.split for q in read_file(path)]
        for start in range(0, len(splits), BLOCK_LINES):
            assert len(set(splits[start : start + BLOCK_LINES])) == 1


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"text": "We doubt it.", "label": "sceptical"}\n{"text": 3\n')
    with pytest.raises(ValueError, match=r"broken\.jsonl, line 2"):
        list(read_file(path))


@pytest.mark.parametrize(
    ("first", "second", "repeated"),
    [
        ("We have seen no proof of that.", "we have seen no proof of that", True),
        ("We have seen no proof of that.", "We have seen no proof of this.", True),
        ("shame on every one of them", "I covet every one of them, and always have.", False),
        ("We will talk.", "We will strike.", False),
    ],
)
def test_near_duplicates_are_found_and_chance_phrases_are_not(
    first: str, second: str, repeated: bool
) -> None:
    assert near_duplicates([first, second], ["none", "none"]) == ([(0, 1)] if repeated else [])


def test_a_few_other_words_and_another_label_are_a_contrast_and_no_repetition() -> None:
    first = "We have seen no proof of that."
    pair = [first, "You have seen no proof of that."]
    assert near_duplicates(pair, ["sceptical", "sceptical"]) == [(0, 1)]
    assert near_duplicates(pair, ["sceptical", "none"]) == []
    assert near_duplicates([first, first], ["sceptical", "none"]) == [(0, 1)]


def test_a_name_is_swapped_the_same_way_throughout_and_keeps_its_kind() -> None:
    swapped = swap_names("Iran lies. Iranian ships left, and Iran knows it.", random.Random(3))
    place = swapped.split(" lies.")[0]
    assert place != "Iran"
    assert swapped.count(place) >= 2
    assert "Iran" not in swapped.replace("Iranian", "") or "Iranian" not in swapped


@given(st.text(max_size=200), st.integers(0, 99))
def test_a_varied_text_keeps_its_words_when_no_name_is_in_it(text: str, seed: int) -> None:
    varied = vary(text, random.Random(seed))
    letters = [c for c in straight(text).lower() if c.isalpha()]
    assert [c for c in straight(varied).lower() if c.isalpha()][: len(letters)] == letters


def test_attribution_and_marks_are_put_on() -> None:
    assert attribute("We doubt it.", random.Random(1)).startswith("We doubt it, ")
    assert curly("don't") == "don’t"
    assert straight("“don’t”") == '"don\'t"'


ATTITUDES = {
    "defiant": Attitude("defiant", ("The speaker is defiant.",), frozenset({"angry"}), False),
    "angry": Attitude("angry", ("The speaker is angry.",), frozenset(), False),
    "modest": Attitude("modest", ("The speaker is modest.",), frozenset(), False),
    "relieved": Attitude("relieved", ("The speaker is relieved.",), frozenset(), True),
}
TINY_STANCES = [
    Stance("sceptical", ("doubt", "disbelief"), frozenset()),
    Stance("threatening", ("a threat", "menace"), frozenset({"defiant"})),
]


def judged(one: Quote) -> dict[str, tuple[float, float]]:
    batch = Targets(TINY_STANCES, ATTITUDES).batch([one], [one.text], random.Random(1))
    cells = zip(batch.target[0].tolist(), batch.weight[0].tolist(), strict=True)
    return dict(zip(batch.hypotheses, cells, strict=True))


def test_a_stance_holds_for_its_quotes_and_no_other_stance_does() -> None:
    cells = judged(quote("We doubt it.", "sceptical"))
    assert cells["doubt"] == cells["disbelief"] == (1.0, 1.0)
    assert cells["a threat"] == (0.0, 1.0)


def test_what_may_hold_as_well_counts_for_nothing() -> None:
    assert judged(quote("Come and get us.", "defiant"))["a threat"][1] == 0
    assert judged(quote("Come and get us.", "defiant"))["The speaker is angry."][1] == 0
    assert judged(quote("Or we strike.", "threatening"))["The speaker is defiant."][1] == 0
    assert judged(quote("I did little.", "modest"))["a threat"][1] > 0


def test_an_authors_word_on_the_stances_counts() -> None:
    held = judged(quote("Come and get us, and see.", "defiant", ("threatening",)))
    assert held["a threat"][0] == 1
    assert held["a threat"][1] > 0
    assert judged(quote("We stay.", "defiant", ()))["a threat"][1] > 0


def test_unseen_attitudes_are_never_asked_for() -> None:
    assert "The speaker is relieved." not in judged(quote("We doubt it.", "sceptical"))


def test_every_attitude_that_may_go_with_a_stance_exists() -> None:
    known = read_attitudes().keys()
    assert all(stance.may_hold <= known for stance in read_stances())


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40).filter(
        lambda pairs: len({held for _, held in pairs}) == 2
    )
)
def test_auc_is_the_share_of_pairs_in_order(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([float(score) for score, _ in pairs])
    held = np.array([h for _, h in pairs])
    wanted = [1.0 if p > n else 0.5 if p == n else 0.0 for p in scores[held] for n in scores[~held]]
    assert auc(scores, held) == pytest.approx(sum(wanted) / len(wanted))


def test_quality_counts_as_by_hand() -> None:
    scores = np.array([[0.9, 0.1], [0.6, 0.7], [0.2, 0.3], [0.1, 0.8]])
    gold = ["a", "a", "none", "b"]
    assert decide(scores, ["a", "b"], [0.5, 0.5]) == ["a", "b", "none", "b"]
    found = quality(scores, gold, ["a", "b"], [0.5, 0.5])
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx({"a": 2 / 3, "b": 2 / 3, "none": 1.0})
    assert f1(gold, gold, "absent") == 0


def test_calibration_error_is_nothing_when_scores_are_shares() -> None:
    scores = np.array([0.25] * 4 + [0.75] * 4)
    held = np.array([True, False, False, False, True, True, True, False])
    assert calibration_error(scores, held) == pytest.approx(0)
    assert calibration_error(scores, ~held) == pytest.approx(0.5)
