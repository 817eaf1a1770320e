"""Whom a phrase of this article refers to: the last step from words to a Speaker."""

from bisect import bisect_left
from dataclasses import dataclass, field

from service.quotes.clauses import (
    Subject,
    cue_at,
    leans_on_earlier,
    sentence_subject,
    subject_after,
    subject_before,
)
from service.quotes.coreference import resolve_references
from service.quotes.lexicon import QUANTIFIERS, ROLES
from service.quotes.mentions import Kind, Mention
from service.quotes.model import Speaker
from service.quotes.names import Names, resolve_mention
from service.quotes.roster import collect_names
from service.quotes.tokens import QUOTED, Tokens

# How far from a quote a verb of speech may stand, in tokens, and how many are looked at: both bound
# the work at each quote.
MAX_CUE_DISTANCE = 40
MAX_CUES_TRIED = 6
# A speaker or role printed longer than this is damage, or a layout in white space.
MAX_PRINTED_CHARS = 300
# How many paragraphs ahead of "it" and "they" their organisation may have spoken.
MAX_PARAGRAPHS_BACK = 2


@dataclass(frozen=True, slots=True)
class Article:
    """What the rules read: the received text, its tokens, its names and its verbs of speech.

    `cues` holds the tokens of those verbs and of every "according", ascending.
    """

    text: str
    tokens: Tokens
    names: Names
    cues: list[int]
    # tokens of verbs whose subject is no person, with that subject's name; ascending
    groups: list[tuple[int, str]] = field(default_factory=list)
    subjects: dict[int, Subject | None] = field(default_factory=dict)

    def subject_of(self, cue: int) -> Subject | None:
        """Return the subject left of the verb; read once, though many quotes may ask."""
        if cue not in self.subjects:
            self.subjects[cue] = subject_before(self.tokens, cue)
        return self.subjects[cue]

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
        for index, word in enumerate(tokens.words)
        if word in ("according", "According") or cue_at(tokens, index)
    ]
    names = collect_names(tokens)
    names.references = resolve_references(names, tokens)
    article = Article(text, tokens, names, cues)
    for cue in cues:
        name = _group_of(article, cue)
        if name is not None:
            article.groups.append((cue, name))
    return article


def _group_of(article: Article, cue: int) -> str | None:
    """Return a verb's subject when it is an organisation, a text or several people."""
    tokens = article.tokens
    behind_quote = cue > 0 and tokens.words[cue - 1] == QUOTED
    if behind_quote:
        subject = subject_after(tokens, cue + 1, tokens.sentence_ends[cue])
    else:
        subject = None if leans_on_earlier(tokens, cue) else article.subject_of(cue)
    if subject is None or subject.mention.kind is Kind.PRONOUN:
        return None
    speaker = speaker_of(article, subject)
    if speaker is None or article.names.is_person(speaker.name):
        return None
    return None if tokens.lower(subject.mention.last) in ROLES | QUANTIFIERS else speaker.name


def speaker_of(article: Article, subject: Subject) -> Speaker | None:
    """Name the speaker a phrase stands for; None for a pronoun that stands for nobody known."""
    mention, tokens = subject.mention, article.tokens
    if not _is_short(tokens, mention.first, mention.last):
        return None
    name = resolve_mention(article.names, tokens, mention)
    if (
        name is None
        and mention.kind is Kind.PRONOUN
        and tokens.lower(mention.first) in ("it", "they")
    ):
        name = _earlier_group(article, mention)
    if name is None and mention.kind is Kind.NOUN:
        name = printed(article, mention.first, mention.last)
    if name is None:
        return None
    printed_first = mention.name_first if mention.kind is Kind.NAME else mention.first
    return Speaker(name, printed(article, printed_first, mention.last), _role(article, subject))


def _earlier_group(article: Article, pronoun: Mention) -> str | None:
    """Find what "it" or "they" stands for: how an earlier sentence begins, if with no person."""
    tokens = article.tokens
    own = sentence_subject(tokens, pronoun.first)  # "The council praised what it called “…”"
    if own and own.mention.kind is not Kind.PRONOUN and own.mention.last < pronoun.first:
        name = resolve_mention(article.names, tokens, own.mention)
        if (name is None and tokens.lower(own.mention.last) not in ROLES) or (
            name is not None and not article.names.is_person(name)
        ):
            return name or printed(article, own.mention.first, own.mention.last)
    place = bisect_left(article.groups, (pronoun.first,))
    if place > 0:
        cue, name = article.groups[place - 1]
        if tokens.paragraphs[pronoun.first] - tokens.paragraphs[cue] <= MAX_PARAGRAPHS_BACK:
            return name
    start = tokens.sentence_starts[pronoun.first]
    index = pronoun.first if pronoun.first > start + 1 else start - 1  # "Moscow says it …"
    for _ in range(3):
        subject = sentence_subject(tokens, index) if index >= 0 else None
        if subject and subject.mention.kind is not Kind.PRONOUN:
            if not _is_short(tokens, subject.mention.first, subject.mention.last):
                return None
            name = resolve_mention(article.names, tokens, subject.mention)
            if name is None and tokens.lower(subject.mention.last) in ROLES:
                return None
            if name is None or not article.names.is_person(name):
                return name or printed(article, subject.mention.first, subject.mention.last)
            return None
        index = tokens.sentence_starts[index] - 1 if index >= 0 else -1
    return None


def _role(article: Article, subject: Subject) -> str | None:
    mention = subject.mention
    if mention.kind is Kind.NAME and mention.name_first > mention.first:
        role = printed(article, mention.first, mention.name_first - 1).rstrip(" ,")
        if not role.endswith(("'s", "’s")):
            return role
    apposition = subject.apposition
    if mention.kind is Kind.NAME and apposition and _is_short(article.tokens, *apposition):
        return printed(article, *apposition)
    return None


def _is_short(tokens: Tokens, first: int, last: int) -> bool:
    return tokens.ends[last] - tokens.starts[first] <= MAX_PRINTED_CHARS


def printed(article: Article, first: int, last: int) -> str:
    """Return the received text from token `first` to token `last`, white space folded."""
    return " ".join(article.text[article.tokens.starts[first] : article.tokens.ends[last]].split())
