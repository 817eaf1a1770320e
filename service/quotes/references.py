"""Whom a phrase of this article refers to: the last step from words to a Speaker."""

from bisect import bisect_left
from dataclasses import dataclass

from service.quotes.clauses import Subject, cue_at, sentence_subject
from service.quotes.mentions import Kind, Mention
from service.quotes.model import Speaker
from service.quotes.names import Names, resolve_mention
from service.quotes.roster import collect_names
from service.quotes.tokens import Tokens

# How far from a quote a verb of speech may stand, in tokens, and how many are looked at: both bound
# the work at each quote.
MAX_CUE_DISTANCE = 40
MAX_CUES_TRIED = 6


@dataclass(frozen=True, slots=True)
class Article:
    """What the rules read: the received text, its tokens, its names and its verbs of speech.

    `cues` holds the tokens of those verbs and of every "according", ascending.
    """

    text: str
    tokens: Tokens
    names: Names
    cues: list[int]

    def cues_before(self, token: int) -> list[int]:
        """Return the cues left of `token` in its sentence, nearest first, the near ones only."""
        floor = max(self.tokens.sentence_starts[token], token - MAX_CUE_DISTANCE)
        end = bisect_left(self.cues, token)
        return self.cues[max(bisect_left(self.cues, floor), end - MAX_CUES_TRIED) : end][::-1]

    def cues_between(self, first: int, end: int) -> list[int]:
        """Return the first few cues from token `first` up to `end`, exclusive, in order."""
        start = bisect_left(self.cues, first)
        return self.cues[start : min(bisect_left(self.cues, end), start + MAX_CUES_TRIED)]


def read_article(text: str, tokens: Tokens) -> Article:
    """Collect an article's names and its verbs of speech."""
    cues = [
        index
        for index in range(len(tokens.words))
        if cue_at(tokens, index) or tokens.words[index] in ("according", "According")
    ]
    return Article(text, tokens, collect_names(tokens), cues)


def speaker_of(article: Article, subject: Subject) -> Speaker | None:
    """Name the speaker a phrase stands for; None for a pronoun that stands for nobody known."""
    mention, tokens = subject.mention, article.tokens
    name = resolve_mention(article.names, tokens, mention)
    if (
        name is None
        and mention.kind is Kind.PRONOUN
        and tokens.lower(mention.first) in ("it", "they")
    ):
        name = _earlier_group(article, mention)
    if name is None and mention.kind is Kind.NOUN:
        name = _printed(article, mention.first, mention.last)
    if name is None:
        return None
    printed_first = mention.name_first if mention.kind is Kind.NAME else mention.first
    return Speaker(name, _printed(article, printed_first, mention.last), _role(article, subject))


def _earlier_group(article: Article, pronoun: Mention) -> str | None:
    """Find what "it" or "they" stands for: how an earlier sentence begins, if with no person."""
    tokens = article.tokens
    start = tokens.sentence_starts[pronoun.first]
    index = pronoun.first if pronoun.first > start + 1 else start - 1  # "Moscow says it …"
    for _ in range(3):
        subject = sentence_subject(tokens, index) if index >= 0 else None
        if subject and subject.mention.kind is not Kind.PRONOUN:
            name = resolve_mention(article.names, tokens, subject.mention)
            if name is None or not article.names.is_person(name):
                return name or _printed(article, subject.mention.first, subject.mention.last)
            return None
        index = tokens.sentence_starts[index] - 1 if index >= 0 else -1
    return None


def _role(article: Article, subject: Subject) -> str | None:
    mention = subject.mention
    if mention.kind is Kind.NAME and mention.name_first > mention.first:
        role = _printed(article, mention.first, mention.name_first - 1).rstrip(" ,")
        if not role.endswith(("'s", "’s")):
            return role
    if mention.kind is Kind.NAME and subject.apposition:
        return _printed(article, *subject.apposition)
    return None


def _printed(article: Article, first: int, last: int) -> str:
    """Return the received text from token `first` to token `last`, white space folded."""
    return " ".join(article.text[article.tokens.starts[first] : article.tokens.ends[last]].split())
