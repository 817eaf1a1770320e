"""Drop quotes that repeat another: `python -m models.training.deduplicate`.

Two quotes are near-duplicates when most of the word trigrams of the two are common to both, or when
they share a long run of words. The later one goes, in the order of `read_quotes`; the set by other
hands comes last. Two quotes that differ in a few words and in their label are no repetition but
what a model learns most from (contrast sets, Gardner et al. 2020): both stay, unless every word is
the same.
"""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from rich.console import Console

from models.training.data import DATA, OTHER_HAND

COMMON = 0.4
"""Common trigrams by all trigrams of the two (Jaccard): from here on they repeat each other."""
CONTAINED, LONG_RUN = 0.5, 5
"""So they do when this share of the shorter one's trigrams, and that many, stand in the longer."""

_WORD = re.compile(r"\w+(?:['’]\w+)*")


def near_duplicates(texts: list[str], labels: list[str]) -> list[tuple[int, int]]:
    """Pairs (earlier, later) of texts that repeat each other."""
    words = [_words(text) for text in texts]
    shingles = [_trigrams(text) for text in words]
    seen: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    pairs = []
    for later, grams in enumerate(shingles):
        shared = Counter(earlier for gram in grams for earlier in seen[gram])
        for earlier, count in shared.items():
            shorter = min(len(grams), len(shingles[earlier]))
            union = len(grams) + len(shingles[earlier]) - count
            contained = count >= LONG_RUN and count >= CONTAINED * shorter
            same = labels[earlier] == labels[later] or words[earlier] == words[later]
            if same and (contained or count >= COMMON * union):
                pairs.append((earlier, later))
        for gram in grams:
            seen[gram].append(later)
    return pairs


def data_files(folder: Path = DATA) -> list[Path]:
    """The files whose quotes may not repeat each other, in the order in which they win."""
    return [
        *sorted(folder.glob("stances/*.jsonl")),
        *sorted(folder.glob("attitudes/*.jsonl")),
        OTHER_HAND,
    ]


def read_lines(files: list[Path]) -> list[tuple[Path, str]]:
    """Every line of the files with its file."""
    return [
        (path, line) for path in files for line in path.read_text(encoding="utf-8").splitlines()
    ]


def texts_and_labels(lines: list[tuple[Path, str]]) -> tuple[list[str], list[str]]:
    """What `near_duplicates` asks for; an attitude is a label too."""
    rows = [json.loads(line) for _, line in lines]
    return [row["text"] for row in rows], [row.get("attitude") or row["label"] for row in rows]


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def _trigrams(words: list[str]) -> set[tuple[str, ...]]:
    if len(words) < 3:
        return {tuple(words)}
    return set(zip(words, words[1:], words[2:], strict=False))


def main() -> None:
    """Rewrite the files without what repeats an earlier quote, and say what went."""
    console = Console()
    lines = [(path, line) for path, line in read_lines(data_files()) if line.strip()]
    texts, labels = texts_and_labels(lines)
    pairs = near_duplicates(texts, labels)
    dropped = {later for _, later in pairs}
    for earlier, later in pairs:
        console.print(
            f"{lines[later][0].stem}: {texts[later]}\n    repeats {texts[earlier]}", highlight=False
        )
    for path in {path for path, _ in lines}:
        kept = [line for i, (p, line) in enumerate(lines) if p == path and i not in dropped]
        path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
    console.print(f"{len(dropped)} of {len(lines)} quotes dropped")


if __name__ == "__main__":
    main()
