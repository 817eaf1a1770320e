"""The article as words outside quotations, with sentences. Knows nothing of names or verbs.

Every marked span is one token, `QUOTED`, so that reading a sentence that carries quotes costs the
same however long they are. Offsets are code points into the received text, end exclusive.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from service.quotes.marks import Marked
from service.quotes.paragraphs import Paragraph

QUOTED = "“”"
# A word as people count them: "don't" and "well-known" are one each.
WORD = re.compile(r"\w+(?:['’-]\w+)*")
TOKEN = re.compile(
    r"(?:[A-Za-z]\.){2,}"
    r"|\d{1,3}(?:,\d{3})+"
    r"|\b(?:Mr|Mrs|Ms|Dr|Sen|Gov|Rep|Reps|Sens|Gen|Lt|Col|Maj|Sgt|Capt|Adm|St|Jr|Sr|Prof|Rev|Hon|Insp|Det|Del|Supt|Cpl|Pvt|Cmdr|Brig|Cllr|Fr|Atty|Msgr|Pres|Asst|[A-Z])\."
    r"|\w+(?:['’&/-]\w+)*['’]?"
    r"|--+|[.,:;!?()\[\]…—–―-]"
)
ENDS = frozenset(".!?")
CLOCK = frozenset(["a.m.", "p.m."])
MAY_END = ENDS | CLOCK | {QUOTED}
# What is longer is no word but an address, a ruled line or damage, and is read as three dots: a
# name or sentence that holds it would cost its length at every look.
MAX_WORD_CHARS = 60
# What depends on a word alone is worked out once for so many words: news has few that are new.
WORDS_KNOWN = 16_384


@dataclass(slots=True)
class Tokens:
    """Parallel lists, one entry a token."""

    words: list[str] = field(default_factory=list)
    lowers: list[str] = field(default_factory=list)  # in lower case, no abbreviation's dot
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    paragraphs: list[int] = field(default_factory=list)  # index of the token's paragraph
    sentence_starts: list[int] = field(default_factory=list)  # first token of the token's sentence
    sentence_ends: list[int] = field(default_factory=list)  # one past its last token
    paragraph_starts: list[int] = field(default_factory=list)  # by paragraph: its first token
    quote_tokens: list[int] = field(default_factory=list)  # by marked span: its token

    def name_words(self, first: int, last: int) -> list[str]:
        """Return the words from `first` to `last`, inclusive, without a nickname in marks."""
        return [word for word in self.words[first : last + 1] if word != QUOTED]

    def lower(self, index: int) -> str:
        """Return a token without its abbreviation dot, in lower case."""
        return self.lowers[index]

    def add(self, word: str, start: int, end: int, paragraph: int) -> None:
        """Append one token; sentences are filled in later."""
        self.words.append(word)
        self.lowers.append(word)
        self.starts.append(start)
        self.ends.append(end)
        self.paragraphs.append(paragraph)


def tokenize(text: str, found: list[tuple[Paragraph, list[Marked]]]) -> Tokens:
    """Cut the paragraphs into tokens, one for each marked span, spans in the order given."""
    tokens = Tokens()
    for number, (paragraph, spans) in enumerate(found):
        tokens.paragraph_starts.append(len(tokens.words))
        position = paragraph.start
        for span in spans:
            _add_words(tokens, text, position, span.outer_start, number)
            tokens.quote_tokens.append(len(tokens.words))
            tokens.add(QUOTED, span.outer_start, span.outer_end, number)
            position = span.outer_end
        _add_words(tokens, text, position, paragraph.end, number)
    tokens.paragraph_starts.append(len(tokens.words))
    _add_sentences(tokens, text)
    return tokens


def _add_words(tokens: Tokens, text: str, start: int, end: int, paragraph: int) -> None:
    found = list(TOKEN.finditer(text, start, end))
    words = [one.group() for one in found]
    if words and len(max(words, key=len)) > MAX_WORD_CHARS:
        words = [word if len(word) <= MAX_WORD_CHARS else "…" for word in words]
    tokens.words += words
    tokens.lowers += map(lower, words)
    tokens.starts += [one.start() for one in found]
    tokens.ends += [one.end() for one in found]
    tokens.paragraphs += [paragraph] * len(found)


@lru_cache(WORDS_KNOWN)
def lower(word: str) -> str:
    """Return the word in lower case, without an abbreviation's dot."""
    return word.lower().rstrip(".") or word


def _add_sentences(tokens: Tokens, text: str) -> None:
    """Mark each token with its sentence's bounds."""
    count = len(tokens.words)
    paragraphs = tokens.paragraphs
    start = 0
    for index, word in enumerate(tokens.words):
        last = index + 1 == count or paragraphs[index + 1] != paragraphs[index]
        if last or (word in MAY_END and _ends_sentence(tokens, text, index)):
            length = index + 1 - start
            tokens.sentence_starts += [start] * length
            tokens.sentence_ends += [index + 1] * length
            start = index + 1


def _ends_sentence(tokens: Tokens, text: str, index: int) -> bool:
    """Say whether a sentence ends with this token; for a quote its last characters decide."""
    following = tokens.words[index + 1]
    if tokens.words[index] == QUOTED:
        inside = text[max(tokens.starts[index], tokens.ends[index] - 3) : tokens.ends[index]]
        return "." in inside and (following[:1].isupper() or following == QUOTED)
    if tokens.words[index] in CLOCK:
        return following == QUOTED
    return following == QUOTED or not (following[:1].islower() or following in ".,;:!?)")
