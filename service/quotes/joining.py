"""Joins what one person said in one go: paragraphs of a long quote, and the parts around "he said".

Paragraphs are joined by their marks alone, before anything is known of words; interruptions
afterwards, once each part's attribution is known.
"""

import re
from dataclasses import dataclass

from service.quotes.cues import DIRECT_FORMS, is_direct, is_participle
from service.quotes.lexicon import BETWEEN, words_of_list
from service.quotes.marks import MARK, Marked, MarkedParagraph, trim
from service.quotes.paragraphs import TRANSCRIPT_LABEL
from service.quotes.tokens import Tokens

# “…,” said Ana Morel, the minister of …, who has …, “…”: bounds the work at each quote too.
MAX_INTERRUPTION_TOKENS = 45
# A verb right before the second quote announces it: “…,” said Morel of the man who asked, “…”.
MIN_ASIDE_TOKENS = 3
RELATIVES = frozenset(["who", "which", "that", "whom", "whose"])
INTERRUPTION_ENDS = frozenset([*".,;—–-", "--"])
# "…, he said." at a paragraph's end: its closing mark was forgotten, the quote does not go on.
ATTRIBUTION_AT_END = re.compile(r",\s(?:[\w.’']+\s){0,4}([a-z]+)(?:\s[\w.’']+){0,4}\.$")
SUBORDINATING = words_of_list("when as if because who which that where while and but or so")
ATTRIBUTION_MAX_CHARS = 100


@dataclass(slots=True)
class Draft:
    """A quote in the making: its marked spans in order, the first and last by their numbers too."""

    spans: list[Marked]
    first_span: int
    last_span: int


def join_paragraphs(text: str, found: list[MarkedParagraph]) -> list[Draft]:
    """Return a draft for each quote, one span a paragraph where every paragraph opens with a mark.

    Extends `found`: the last words of a paragraph whose quote goes on become a marked span too.
    """
    goes_on = [False] * len(found)
    for index in range(len(found) - 2, -1, -1):
        goes_on[index] = _extend(text, found[index], found[index + 1])
    drafts: list[Draft] = []
    number = 0
    for index, marked in enumerate(found):
        for place, span in enumerate(marked.spans):
            goes_on_here = place == 0 and index > 0 and goes_on[index - 1]
            if goes_on_here and not TRANSCRIPT_LABEL.match(text, span.start, span.end):
                drafts[-1].spans.append(span)
                drafts[-1].last_span = number
            else:
                drafts.append(Draft([span], number, number))
            number += 1
    return drafts


def is_interruption(tokens: Tokens, quote: int, following: int, cues: list[int]) -> bool:
    """Say whether the tokens between two quotes are an attribution and nothing else.

    `quote` and `following` are the quotes' tokens, `cues` those of the verbs of speech between.
    """
    between = following - quote - 1
    return (
        2 <= between <= MAX_INTERRUPTION_TOKENS
        and tokens.paragraphs[quote] == tokens.paragraphs[following]
        and tokens.words[following - 1] in INTERRUPTION_ENDS
        and tokens.sentence_starts[following - 1] == tokens.sentence_starts[quote + 1]
        and _announces_once(tokens, cues, following)
    )


def _announces_once(tokens: Tokens, cues: list[int], following: int) -> bool:
    """Say whether one verb announces the first quote and no other the second one."""
    main = [cue for cue in cues if not _describes_speaker(tokens, cue, following)]
    if len(main) < 2:
        return len(main) == 1
    new_sentence = tokens.words[following - 1] == "."
    return new_sentence and not any(_adds(tokens, cue) for cue in main[1:])


def _describes_speaker(tokens: Tokens, cue: int, following: int) -> bool:
    """Read “…,” said Ana Morel, who had praised it in May, “…”."""
    before = _before_verb(tokens, cue)
    return before in RELATIVES and following - cue > MIN_ASIDE_TOKENS


def _adds(tokens: Tokens, cue: int) -> bool:
    """Read she said, adding … · she said and warned …: there is more than one statement."""
    leans = is_participle(tokens.words[cue]) or _before_verb(tokens, cue) in ("and", "but", ",")
    return leans and is_direct(tokens.words[cue])


def _before_verb(tokens: Tokens, cue: int) -> str:
    """Return the word before a verb and its auxiliaries."""
    index = cue - 1
    while index > tokens.sentence_starts[cue] and tokens.lower(index) in BETWEEN:
        index -= 1
    return tokens.lower(index)


def _extend(text: str, marked: MarkedParagraph, following: MarkedParagraph) -> bool:
    """Close the quote left open in `marked` if `following` opens again with the same mark."""
    starts_marked = following.spans and following.spans[0].outer_start == following.paragraph.start
    if not marked.unclosed or not starts_marked:
        return False
    mark = MARK.match(text, following.paragraph.start)
    start = marked.unclosed.get(mark.group()) if mark else None
    if start is None:
        return False
    end = marked.paragraph.end
    if _ends_with_attribution(text, start, end):
        return False
    span = trim(text, start, end)
    if span is None:
        return False
    marked.spans = [kept for kept in marked.spans if kept.outer_end <= start]
    marked.spans.append(span)
    return True


def _ends_with_attribution(text: str, start: int, end: int) -> bool:
    found = ATTRIBUTION_AT_END.search(text, max(start, end - ATTRIBUTION_MAX_CHARS), end)
    if found is None:
        return False
    words = found.group().strip(",. ").split()
    if words[0] in SUBORDINATING:  # "…, when our own keeper wrote it down.", still his words
        return False
    return any(word in DIRECT_FORMS for word in words)
