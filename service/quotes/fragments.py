"""Which marked words are left out: scare quotes, titles, copies. Decides on finished drafts.

Fewer than four words are kept only with a speaker, or with "he said" right beside them: a term in
marks or a nickname has neither. The title of a book or programme is left out unless it is said. All
else is kept, once.
"""

import re

from service.quotes.lexicon import words_of_list
from service.quotes.marks import Marked
from service.quotes.paragraphs import Paragraph

FRAGMENT_MAX_WORDS = 3
WORD = re.compile(r"\w+(?:['’-]\w+)*")
TITLE_MAX_WORDS = 8
# What stands right before the title of a book or programme, not before somebody's words.
BEFORE_TITLE = words_of_list(
    """
    titled entitled named dubbed nicknamed so-called on of in from for the show song book film
    series program programme magazine broadcast hit album movie play poem podcast podcaster host
    """
)
CHARS_BEFORE_TITLE = 40


def words_said(text: str, spans: list[Marked]) -> str:
    """Return the words without marks, case and white space: what makes a copy a copy."""
    words = (word for span in spans for word in WORD.findall(text, span.start, span.end))
    return " ".join(words).casefold().replace("’", "'")


def paragraph_words(text: str, paragraph: Paragraph) -> str:
    """Return a paragraph's words: captions printed twice differ only in the kind of their marks."""
    return " ".join(WORD.findall(text, paragraph.start, paragraph.end)).casefold().replace("’", "'")


def is_fragment(words: str) -> bool:
    """Say whether these words, as `words_said` returns them, are fewer than four."""
    return words.count(" ") < FRAGMENT_MAX_WORDS


def is_title(text: str, span: Marked) -> bool:
    """Say whether the marks hold a title: its words capitalised though the sentence's are not."""
    words = WORD.findall(text, span.start, min(span.end, span.start + 100))
    long_words = [word for word in words if len(word) > 3]
    if not 2 <= len(words) <= TITLE_MAX_WORDS or not words[0][0].isupper() or not long_words:
        return False
    if not all(word[0].isupper() for word in long_words):
        return False
    before = WORD.findall(text, max(0, span.outer_start - CHARS_BEFORE_TITLE), span.outer_start)[
        -4:
    ]
    if not any(word.islower() and len(word) > 3 for word in before):
        return False  # a headline, where every word has a capital
    return before[-1].lower() in BEFORE_TITLE or before[-1].endswith(("'s", "’s"))
