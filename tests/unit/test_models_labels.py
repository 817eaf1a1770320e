import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import NONE, Label, LabelsError, LabelSet, load_labels

CALM = Label("calm", ("All is well.",), 0.5)
CROSS = Label("cross", ("I am angry.", "This is an outrage."), 0.6)
MOODS = LabelSet((CALM, CROSS), ("The train leaves at nine.",))

MOODS_TOML = """
[[label]]
name = "calm"
threshold = 0.5
hypotheses = ["All is well."]

[[label]]
name = "cross"
threshold = 0.6
hypotheses = ["I am angry.", "This is an outrage."]

[background]
hypotheses = ["The train leaves at nine."]
"""


def write(folder: Path, content: str) -> Path:
    path = folder / "moods.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_default_labels_are_the_three_stances() -> None:
    labels = load_labels()
    assert labels.names == ("sceptical", "conciliatory", "threatening")
    assert labels.background


def test_a_label_file_gives_the_set_it_spells_out(tmp_path: Path) -> None:
    assert load_labels(write(tmp_path, MOODS_TOML)) == MOODS


def test_background_is_optional(tmp_path: Path) -> None:
    path = write(tmp_path, MOODS_TOML.partition("[background]")[0])
    assert load_labels(path).background == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (MOODS_TOML, "", "label: needs one or more"),
        (MOODS_TOML, "label = 3", "label: needs one or more"),
        (MOODS_TOML, "label = []", "label: needs one or more"),
        (MOODS_TOML, "name: calm", "is not valid TOML"),
        ('name = "calm"\n', "", "label 1: name is missing"),
        ("threshold = 0.6\n", "", "label 2: threshold is missing"),
        ('hypotheses = ["All is well."]\n', "", "label 1: hypotheses is missing"),
        ('name = "cross"', 'name = "calm"', "name: 'calm' is used by 2 labels"),
        ('name = "calm"', 'name = "none"', "name: 'none' is reserved"),
        ('name = "calm"', 'name = ""', "name: '' is empty"),
        ('name = "calm"', 'name = " calm"', "name: ' calm' is empty or has spaces"),
        ('name = "calm"', "name = 7", "label 1: name must be a string"),
        ('["All is well."]', "[]", "calm.hypotheses: needs one or more"),
        ('["All is well."]', '["  "]', "calm.hypotheses: holds an empty sentence"),
        ('["All is well."]', '"All is well."', "label 1 (calm): hypotheses must be a list"),
        ('["All is well."]', "[1]", "label 1 (calm): hypotheses must be a list of strings"),
        ("threshold = 0.5", "threshold = 0", "calm.threshold: 0.0 is not between 0 and 1"),
        ("threshold = 0.5", "threshold = 1.0", "calm.threshold: 1.0 is not between 0 and 1"),
        ("threshold = 0.5", "threshold = nan", "calm.threshold: nan is not between 0 and 1"),
        ("threshold = 0.5", 'threshold = "high"', "label 1 (calm): threshold must be a number"),
        ("threshold = 0.5", "threshold = true", "label 1 (calm): threshold must be a number"),
        ("threshold = 0.5", "threshold = 0.5\ntreshold = 1", "label 1: treshold is not a known"),
        ("[background]", "[backgrounds]", "backgrounds is not a known field"),
        ('["The train leaves at nine."]', '[""]', "background.hypotheses: holds an empty"),
    ],
)
def test_a_wrong_label_file_is_named_with_its_field(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in MOODS_TOML
    path = write(tmp_path, MOODS_TOML.replace(old, new, 1))
    with pytest.raises(LabelsError) as caught:
        load_labels(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_label_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"absent\.toml: cannot be read: No such file"):
        load_labels(tmp_path / "absent.toml")


def test_a_label_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "moods.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelsError, match="is not UTF-8 text"):
        load_labels(path)


def test_a_label_set_built_in_code_is_checked_too() -> None:
    with pytest.raises(LabelsError, match="reserved"):
        LabelSet((Label(NONE, ("Nothing.",), 0.5),))


def test_the_same_content_has_the_same_version(tmp_path: Path) -> None:
    reordered = write(tmp_path, "# a comment\n" + MOODS_TOML.replace("\n\n", "\n\n\n"))
    assert load_labels(reordered).version == MOODS.version


@pytest.mark.parametrize(
    "changed",
    [
        LabelSet((dataclasses.replace(CALM, name="serene"), CROSS), MOODS.background),
        LabelSet((dataclasses.replace(CALM, threshold=0.51), CROSS), MOODS.background),
        LabelSet(
            (dataclasses.replace(CALM, hypotheses=("All is fine.",)), CROSS), MOODS.background
        ),
        LabelSet((CALM, dataclasses.replace(CROSS, hypotheses=CROSS.hypotheses[::-1]))),
        LabelSet((CROSS, CALM), MOODS.background),
        LabelSet((CALM,), MOODS.background),
        LabelSet((CALM, CROSS)),
    ],
    ids=["name", "threshold", "hypothesis", "hypothesis order", "order", "fewer", "background"],
)
def test_changed_content_has_another_version(changed: LabelSet) -> None:
    assert changed.version != MOODS.version


@pytest.mark.parametrize(
    ("calm", "cross", "decision"),
    [
        (0.9, 0.1, "calm"),
        (0.1, 0.9, "cross"),
        (0.7, 0.8, "cross"),
        (0.55, 0.59, "calm"),  # the higher score has not reached its own threshold
        (0.5, 0.0, "calm"),  # reached includes equal
        (0.49, 0.59, NONE),
        (0.8, 0.8, "calm"),  # a tie goes to the first in label order
        (0.0, 0.0, NONE),
    ],
)
def test_decision_is_the_highest_score_that_reached_its_threshold(
    calm: float, cross: float, decision: str
) -> None:
    assert MOODS.decide({"cross": cross, "calm": calm}) == decision


@given(calm=st.floats(0, 1), cross=st.floats(0, 1))
def test_decision_is_none_exactly_when_no_threshold_is_reached(calm: float, cross: float) -> None:
    decision = MOODS.decide({"calm": calm, "cross": cross})
    assert (decision == NONE) == (calm < CALM.threshold and cross < CROSS.threshold)
