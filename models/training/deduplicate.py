"""Drop quotes that repeat another: `python -m models.training.deduplicate`.

Two quotes are near-duplicates when most of the word trigrams of the two are common to both, or when
they share a long run of words. The later one goes, in the order of `read_quotes`;
`other-hand.jsonl` comes first, so that nothing in training repeats the last test.
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


def near_duplicates(texts: list[str]) -> list[tuple[int, int]]:
    """Pairs (earlier, later) of texts that repeat each other."""
    shingles = [_trigrams(text) for text in texts]
    seen: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    pairs = []
    for later, grams in enumerate(shingles):
        shared = Counter(earlier for gram in grams for earlier in seen[gram])
        for earlier, count in shared.items():
            shorter = min(len(grams), len(shingles[earlier]))
            union = len(grams) + len(shingles[earlier]) - count
            contained = count >= LONG_RUN and count >= CONTAINED * shorter
            if contained or count >= COMMON * union:
                pairs.append((earlier, later))
        for gram in grams:
            seen[gram].append(later)
    return pairs


def data_files(folder: Path = DATA) -> list[Path]:
    """The files whose quotes may not repeat each other, in the order in which they win."""
    return [
        OTHER_HAND,
        *sorted(folder.glob("stances/*.jsonl")),
        *sorted(folder.glob("attitudes/*.jsonl")),
    ]


def read_lines(files: list[Path]) -> list[tuple[Path, str]]:
    """Every line of the files with its file."""
    return [
        (path, line) for path in files for line in path.read_text(encoding="utf-8").splitlines()
    ]


def _trigrams(text: str) -> set[tuple[str, ...]]:
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if len(words) < 3:
        return {tuple(words)}
    return set(zip(words, words[1:], words[2:], strict=False))


def main() -> None:
    """Rewrite the files without what repeats an earlier quote, and say what went."""
    console = Console()
    lines = [(path, line) for path, line in read_lines(data_files()) if line.strip()]
    texts = [json.loads(line)["text"] for _, line in lines]
    pairs = near_duplicates(texts)
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
