"""Which one to three marked words are somebody's: "a good signal", not the “sea snake” of the bay.

Reporters put a few words in marks to quote, to doubt, or to introduce a term. They are kept when
something in the sentence says that they are quoted; who is quoted need not be known.
"""

from service.quotes.cues import CUE_FORMS
from service.quotes.lexicon import words_of_list
from service.quotes.marks import Marked
from service.quotes.mentions import is_possessive
from service.quotes.noun_cues import NOUN_CUES
from service.quotes.references import Article
from service.quotes.speakers import Attribution
from service.quotes.titles import in_headline, word_before
from service.quotes.tokens import WORD, Tokens

FRAGMENT_MAX_WORDS = 3
# A judgement follows these: “as a ‘good sign’”, “were ‘fair’”. "Being" judges in scare quotes too.
BEFORE_JUDGEMENT = words_of_list(
    """
    as is are was were it's that's he's she's they're sounds seems remains to like
    """
)
# Verbs and nouns of speech, and how far before the marks one may stand, in tokens.
SPEECH = CUE_FORMS | NOUN_CUES | {"referenced", "referencing"}
MAX_SPEECH_DISTANCE = 20
OWNERS = frozenset(["his", "her"])
# Words that are talked about, not said.
PRONOUNS = words_of_list("he she they we it him her them us his")


def words_said(text: str, spans: list[Marked]) -> str:
    """Return the words without marks, case and white space: what makes a copy a copy."""
    words = (word for span in spans for word in WORD.findall(text, span.start, span.end))
    return " ".join(words).casefold().replace("’", "'")


def is_fragment(words: str) -> bool:
    """Say whether these words, as `words_said` returns them, are fewer than four."""
    return words.count(" ") < FRAGMENT_MAX_WORDS


def is_said(article: Article, quote: int, words: str, attribution: Attribution | None) -> bool:
    """Say whether the fragment of token `quote` is somebody's words.

    An attribution by a verb or noun of speech is proof; a speaker who merely is what the sentence
    is about proves nothing.
    """
    if attribution is not None and (attribution.direct or attribution.cue):
        return True
    if words in PRONOUNS:
        return False
    return (
        _in_headline(article.tokens, quote)
        or (_is_judgement(article.tokens, quote) and not _is_capitalised(article, quote))
        or _is_owned(article, quote)
        or _speech_before(article.tokens, quote)
    )


def _is_capitalised(article: Article, quote: int) -> bool:
    """Say whether words that nobody is said to say are printed as a title is."""
    start, end = article.tokens.starts[quote], article.tokens.ends[quote]
    words = WORD.findall(article.text, start, end)
    capitals = [word for word in words if word[0].isupper() or word[0].isdigit() or len(word) < 4]
    return (
        len(words) > 1 and len(capitals) == len(words) and not _in_headline(article.tokens, quote)
    )


def _in_headline(tokens: Tokens, quote: int) -> bool:
    """Headlines quote; what belongs to somebody there ("Morel’s ‘Harbour’") may be a work."""
    owned = quote > tokens.sentence_starts[quote] and is_possessive(tokens.words[quote - 1])
    return in_headline(tokens, quote) and not owned


def _is_judgement(tokens: Tokens, quote: int) -> bool:
    before = word_before(tokens, quote)
    return before is not None and tokens.lower(before).replace("’", "'") in BEFORE_JUDGEMENT


def _is_owned(article: Article, quote: int) -> bool:
    """Read Morel’s “floating wall”, her “friends”: what a person has is called so by her or others.

    Words in capitals are left: they are her show or her boat.
    """
    tokens, owner = article.tokens, quote - 1
    if owner < tokens.sentence_starts[quote]:
        return False
    if not article.text[tokens.starts[quote] + 1].islower():
        return False
    word = tokens.words[owner]
    if not is_possessive(word):
        return word in OWNERS
    return article.names.is_person(article.names.resolve([word], owner))


def _speech_before(tokens: Tokens, quote: int) -> bool:
    """Say whether a verb or noun of speech stands before the marks, whoever its subject is."""
    first = tokens.sentence_starts[quote]
    return any(
        tokens.lower(index) in SPEECH and (index == first or tokens.words[index].islower())
        for index in range(max(first, quote - MAX_SPEECH_DISTANCE), quote)
    )
