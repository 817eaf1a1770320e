"""Who said one quotation: the rules, from the words beside the marks to the sentence around them.

A rule that is not sure gives nothing, and a quote without a speaker stays without: no speaker
rather than a wrong one. Phrases are read by `clauses` and `mentions`, resolved by `references`.
"""

from dataclasses import dataclass, replace

from service.quotes.clauses import (
    Subject,
    cue_at,
    leans_on_earlier,
    sentence_subject,
    subject_after,
)
from service.quotes.cues import is_bare, is_direct, is_participle
from service.quotes.labels import headline_name, name_before_colon, signature, transcript_label
from service.quotes.lexicon import BETWEEN, DETERMINERS, FUNCTION_WORDS
from service.quotes.mentions import Kind, Mention, is_nickname
from service.quotes.model import Speaker
from service.quotes.noun_cues import NOUN_CUES, noun_before
from service.quotes.references import MAX_CUE_DISTANCE, Article, speaker_of
from service.quotes.tokens import QUOTED, Tokens

# How many tokens behind a quote an attribution may take.
MAX_ATTRIBUTION_TOKENS = 45
MAX_OCCUPATION_WORDS = 3
DASHES = frozenset(["—", "–", "―", "-", "--"])


@dataclass(frozen=True, slots=True)
class Attribution:
    """A speaker with the verb that announced him, and how he was found.

    `direct`: the words beside the marks are an attribution, so the quote is speech and not a
    fragment inside somebody's sentence. `last` is the attribution's last token when it follows the
    quote.
    """

    speaker: Speaker | None
    cue: str | None
    direct: bool
    last: int | None = None


def attribute(article: Article, quote: int, end_quote: int) -> Attribution | None:
    """Find the speaker of the quote from token `quote` (first segment) to `end_quote` (last)."""
    return (
        _in_sentence(article, quote, end_quote)
        or _labelled(article, quote)
        or _introduced_by_paragraph(article, quote)
        or _previous_sentence(article, quote, end_quote)
        or _of_sentence(article, quote)
    )


def _in_sentence(article: Article, quote: int, end_quote: int) -> Attribution | None:
    """Try the sentence's own words; after an unresolved pronoun a name may still follow."""
    found = _after(article, end_quote) or _before(article, quote)
    if found is None or (found.speaker is None and found.last is None):
        found = _later_in_sentence(article, end_quote) or found
    return found


def _after(article: Article, quote: int) -> Attribution | None:
    """Read “…,” said X · “…,” X said · “…,” according to X · “…” ― X."""
    tokens = article.tokens
    end = min(tokens.sentence_ends[quote], quote + MAX_ATTRIBUTION_TOKENS)
    end = _until_quote(tokens, quote + 1, end)
    first = quote + 1
    if first < len(tokens.words) and first == tokens.paragraph_starts[tokens.paragraphs[first]]:
        return _signed_below(article, first)
    if first < end and tokens.words[first] in DASHES:
        return _signed(article, first + 1, end)
    if first < end and tokens.words[first] == ",":
        first += 1
    if first >= end:
        return None
    if tokens.lower(first) in ("according", "per"):
        return _according(article, first, end)
    verb = first
    while verb < end and tokens.lower(verb) in BETWEEN and verb - first < 2:
        verb += 1
    if verb < end and cue_at(tokens, verb) and is_direct(tokens.words[verb]):
        if _goes_on(tokens, verb):
            return None
        subject = subject_after(tokens, verb + 1, end)
        return _made(article, subject, verb, direct=True, last=end - 1)
    return _subject_first(article, first, end)


def _subject_first(article: Article, first: int, end: int) -> Attribution | None:
    """Read X said, where X begins right behind the quote."""
    tokens = article.tokens
    if tokens.lower(first) in ("and", "but", "as"):
        first += 1
    for verb in article.cues_between(first, end):
        if is_direct(tokens.words[verb]) and not is_participle(tokens.words[verb]):
            subject = article.subject_of(verb)
            if subject is None or _goes_on(tokens, verb):
                return None
            mention = subject.mention
            if mention.first > first and _is_occupation(tokens, first, mention):
                subject = replace(subject, mention=replace(mention, first=first))
            elif mention.first != first:
                return None
            return _made(article, subject, verb, direct=True, last=end - 1)
    return None


def _is_occupation(tokens: Tokens, first: int, mention: Mention) -> bool:
    """Say whether only plain words stand before the name ("fisherman Ana Morel")."""
    first += tokens.lower(first) in DETERMINERS
    before = tokens.words[first : mention.first]
    return (
        mention.kind is Kind.NAME
        and len(before) <= MAX_OCCUPATION_WORDS
        and all(word.islower() and word not in FUNCTION_WORDS for word in before)
    )


def _goes_on(tokens: Tokens, verb: int) -> bool:
    """Say whether the verb announces what follows it ("… retorted that …")."""
    following = verb + 1
    return following < len(tokens.words) and tokens.lower(following) in ("that", ":", QUOTED)


def _signed(article: Article, first: int, end: int) -> Attribution | None:
    """Read “…” ― Martha Smith, or else “…” — Martha Smith said."""
    speaker = signature(article, first, end)
    if speaker is not None:
        return Attribution(speaker, None, direct=True, last=end - 1)
    return _subject_first(article, first, end) if first < end else None


def _signed_below(article: Article, first: int) -> Attribution | None:
    """Read a signature on the line below the quote."""
    tokens = article.tokens
    if tokens.words[first] not in DASHES or first + 1 >= len(tokens.words):
        return None
    speaker = signature(article, first + 1, tokens.sentence_ends[first])
    return Attribution(speaker, None, direct=True) if speaker else None


def _according(article: Article, index: int, end: int) -> Attribution | None:
    tokens = article.tokens
    last = index + (tokens.lower(index) == "according")
    if last + 1 >= end or tokens.lower(last) not in ("to", "per"):
        return None
    subject = subject_after(tokens, last + 1, end)
    speaker = speaker_of(article, subject) if subject else None
    cue = article.text[tokens.starts[index] : tokens.ends[last]]
    return Attribution(speaker, cue, direct=True, last=end - 1) if speaker else None


def _before(article: Article, quote: int) -> Attribution | None:
    """Read X said: “…” · X told reporters “…” · X: “…” · According to X, “…” · X praised “…”."""
    tokens = article.tokens
    start = tokens.sentence_starts[quote]
    if quote == start:
        return None
    colon = tokens.words[quote - 1] == ":"
    owner = noun_before(tokens, quote)
    looked_left = False
    for verb in article.cues_before(quote):
        if owner and owner[1] > verb and tokens.lower(owner[1] + 1) in ("that", "of", "to", ","):
            break
        if leans_on_earlier(tokens, verb):
            if looked_left:
                continue  # another participle finds no more than the one behind it
            looked_left = True
        found = _of_verb(article, verb, quote)
        if found:
            return found
    if owner:
        return _made(article, *owner, direct=False)
    if not colon or quote - 2 < start:
        return None
    speaker = name_before_colon(article, quote - 2, start)
    return Attribution(speaker, None, direct=True) if speaker else None


def _of_verb(article: Article, verb: int, quote: int) -> Attribution | None:
    """Attribute the quote to the subject of a verb before it, looking left for a participle's."""
    tokens = article.tokens
    if tokens.lower(verb) == "according":
        return _according(article, verb, quote)
    direct = is_direct(tokens.words[verb])
    beside = tokens.words[quote - 1] in (":", ",") or quote - 1 == verb
    inserted = None
    if direct and not is_participle(tokens.words[verb]):
        inserted = _inserted(article, verb, quote)
    if inserted is not None:
        return inserted
    leans = leans_on_earlier(tokens, verb)
    subject = None if leans else article.subject_of(verb)
    if subject and not direct and _in_that_clause(tokens, subject):
        return None
    if leans or (subject is None and _coordinated(tokens, verb)):
        subject, earlier = _earlier_subject(article, verb)
        verb = earlier if is_bare(tokens.words[verb]) else verb
    return _made(article, subject, verb, direct=beside and direct)


def _inserted(article: Article, verb: int, quote: int) -> Attribution | None:
    """Read It was, said X, “…”: the verb and its subject between commas."""
    tokens = article.tokens
    if verb - 1 < tokens.sentence_starts[verb] or tokens.words[verb - 1] != ",":
        return None
    subject = subject_after(tokens, verb + 1, quote)
    if subject is None or tokens.words[subject.mention.last + 1] not in (",", QUOTED):
        return None
    return _made(article, subject, verb, direct=True)


def _in_that_clause(tokens: Tokens, subject: Subject) -> bool:
    """Say whether "… adding that the alliance wants …": then the outer verb's subject speaks."""
    before = subject.mention.first - 1
    return (
        before >= tokens.sentence_starts[subject.mention.first] and tokens.lower(before) == "that"
    )


def _coordinated(tokens: Tokens, verb: int) -> bool:
    """Say whether the verb shares the subject of one before it ("resigned and said")."""
    before = verb - 1
    while before > tokens.sentence_starts[verb] and tokens.lower(before) in BETWEEN:
        before -= 1
    return tokens.lower(before) in ("and", "but", "then", ",")


def _earlier_subject(article: Article, verb: int) -> tuple[Subject | None, int]:
    """Return the subject the verb shares, and the verb it stands at."""
    tokens = article.tokens
    for index in article.cues_before(verb):
        if not leans_on_earlier(tokens, index):
            subject = article.subject_of(index)
            if subject and (is_direct(tokens.words[index]) or not _in_that_clause(tokens, subject)):
                return subject, index
    return sentence_subject(tokens, verb), verb


def _labelled(article: Article, quote: int) -> Attribution | None:
    """Read “MOREL: …”, a label inside the marks, and headlines."""
    speaker = transcript_label(article, quote)
    if speaker is not None:
        return Attribution(speaker, None, direct=True)
    speaker = headline_name(article, quote)
    return Attribution(speaker, None, direct=False) if speaker else None


def _of_sentence(article: Article, quote: int) -> Attribution | None:
    """Take the person whom the sentence around the quote is about, when no verb tells more."""
    tokens = article.tokens
    if tokens.sentence_starts[quote] == quote:
        return None
    subject = sentence_subject(tokens, quote)
    speaker = speaker_of(article, subject) if subject else None
    before = tokens.words[quote - 1]
    announced = before == ":" or before in NOUN_CUES
    if speaker is None or not (announced or article.names.is_person(speaker.name)):
        return None
    return Attribution(speaker, None, direct=before == ":")


def _previous_sentence(article: Article, quote: int, end_quote: int) -> Attribution | None:
    """Read X had doubts, he said. “…”: a quote alone goes on from the sentence before."""
    tokens = article.tokens
    start = tokens.sentence_starts[quote]
    if start != quote or tokens.sentence_ends[end_quote] != end_quote + 1:
        return None
    last = start - 1
    if last < 0 or tokens.paragraphs[last] != tokens.paragraphs[quote]:
        return None
    first = tokens.sentence_starts[last]
    if QUOTED in tokens.words[max(first, last - MAX_CUE_DISTANCE) : last]:
        return None  # whoever is quoted there goes on
    for verb in article.cues_before(last):
        if is_direct(tokens.words[verb]) and not leans_on_earlier(tokens, verb):
            subject = article.subject_of(verb)
            if subject:
                return _made(article, subject, verb, direct=True)
    subject = sentence_subject(tokens, last)
    speaker = speaker_of(article, subject) if subject else None
    if speaker and article.names.is_person(speaker.name):
        return Attribution(speaker, None, direct=True)
    return None


def _later_in_sentence(article: Article, quote: int) -> Attribution | None:
    """Read “…” on the far side, villager X said: the sentence goes on before it names him."""
    tokens = article.tokens
    end = min(tokens.sentence_ends[quote], quote + MAX_CUE_DISTANCE)
    for verb in article.cues_between(quote + 1, end):
        if is_direct(tokens.words[verb]):
            subject = article.subject_of(verb)
            comma = subject.mention.first - 1 if subject else 0
            if subject and comma > quote and tokens.words[comma] in (",", QUOTED):
                return _made(article, subject, verb, direct=end - verb <= 3)
    return None


def _introduced_by_paragraph(article: Article, quote: int) -> Attribution | None:
    """Read a paragraph that ends with a colon ("Smith continued:") as introducing the next one."""
    tokens = article.tokens
    paragraph = tokens.paragraphs[quote]
    last = tokens.paragraph_starts[paragraph] - 1
    if last < 1 or tokens.paragraph_starts[paragraph] != quote or tokens.words[last] != ":":
        return None
    if tokens.paragraphs[last] != paragraph - 1:
        return None
    return _before_colon(article, last)


def _before_colon(article: Article, colon: int) -> Attribution | None:
    for verb in article.cues_before(colon):
        found = _of_verb(article, verb, colon + 1)
        if found:
            return Attribution(found.speaker, found.cue, direct=True)
    subject = sentence_subject(article.tokens, colon)
    speaker = speaker_of(article, subject) if subject else None
    return Attribution(speaker, None, direct=True) if speaker else None


def _until_quote(tokens: Tokens, start: int, end: int) -> int:
    """Return where the words between this quote and the next one end."""
    for index in range(start, end):
        if tokens.words[index] == QUOTED and not is_nickname(tokens, index):
            return index
    return end


def _made(
    article: Article, subject: Subject | None, verb: int, *, direct: bool, last: int | None = None
) -> Attribution | None:
    speaker = speaker_of(article, subject) if subject else None
    if subject is None or (speaker is None and subject.mention.kind is not Kind.PRONOUN):
        return None
    return Attribution(speaker, article.tokens.words[verb], direct, last)
