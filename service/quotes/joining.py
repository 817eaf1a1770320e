"""Joins what one person said in one go: paragraphs of a long quote, and the parts around "he said".

Paragraphs are joined by their marks alone, before anything is known of words; interruptions
afterwards, once each part's attribution is known.
"""

import re
from dataclasses import dataclass

from service.quotes.cues import DIRECT_FORMS
from service.quotes.marks import MARK, Marked, MarkedParagraph, trim
from service.quotes.tokens import Tokens

MAX_INTERRUPTION_TOKENS = 20
INTERRUPTION_ENDS = frozenset(".,;—–-")
# "…, he said." at a paragraph's end: its closing mark was forgotten, the quote does not go on.
ATTRIBUTION_AT_END = re.compile(r",\s(?:[\w.’']+\s){0,4}([a-z]+)(?:\s[\w.’']+){0,4}\.$")
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
            if place == 0 and index > 0 and goes_on[index - 1]:
                drafts[-1].spans.append(span)
                drafts[-1].last_span = number
            else:
                drafts.append(Draft([span], number, number))
            number += 1
    return drafts


def is_interruption(tokens: Tokens, quote: int, following: int, cues: int) -> bool:
    """Say whether the tokens between two quotes are an attribution and nothing else.

    `quote` and `following` are the quotes' tokens, `cues` how many verbs of speech are between.
    """
    between = following - quote - 1
    return (
        cues == 1
        and 2 <= between <= MAX_INTERRUPTION_TOKENS
        and tokens.paragraphs[quote] == tokens.paragraphs[following]
        and tokens.words[following - 1] in INTERRUPTION_ENDS
        and tokens.sentence_starts[following - 1] == tokens.sentence_starts[quote + 1]
    )


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
    return any(word in DIRECT_FORMS for word in found.group().strip(",. ").split())
