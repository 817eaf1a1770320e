"""The words that announce speech, and what each kind may do. Short lists of our own, in base form.

DIRECT cues can stand on either side of the words said ("said X", "X said"). NARRATIVE cues carry
words inside a sentence ("he praised it as a “good signal”") and only ever follow their subject.
"""

from functools import lru_cache

from service.quotes.lexicon import words_of_list
from service.quotes.tokens import WORDS_KNOWN

DIRECT = words_of_list(
    """
    say tell add ask write tweet state claim declare announce insist warn argue explain note reply
    respond answer continue conclude admit acknowledge confirm deny vow recall joke observe remark
    suggest predict comment report reveal recount shout yell cry whisper mutter quip retort counter
    concede assert maintain contend allege testify lament complain demand urge stress emphasize
    emphasise reiterate repeat think believe wonder post exclaim boast muse interject tout proclaim
    profess opine hint sing chant read scream bellow murmur mumble scoff sigh laugh cheer caution
    vent elaborate clarify grumble crow groan plead brag swear stammer snap begin promise pledge
    agree protest object remember reflect apologise apologize venture reckon marvel gasp sob growl
    drawl intone chuckle interrupt correct order beg pray sniff hiss reason speculate theorise
    theorize enthuse gush rage fume thunder text email type
    """
)

NARRATIVE = words_of_list(
    """
    accuse call describe praise hail blast slam criticize criticise condemn denounce dismiss mock
    promise pledge propose hope fear refer label brand deem express voice urge welcome rate compare
    liken cite list attack ridicule deride characterize characterise chide scold lash point speak
    talk discuss advocate support accept seek see want expect agree disclose apologize apologise
    decry tease invite encourage threaten consider remember go put offer rail signal frame cast view
    dub promote lament bemoan blame credit applaud laud defend challenge question portray paint
    lambast lambaste scorn pound hammer grill invoke exhort admire reference quote issue rip bash
    jab taunt plan aim mention appeal rule reject commit address find feel know show
    """
)

IRREGULAR = {
    "say": "says said saying",
    "tell": "tells told telling",
    "write": "writes wrote written writing",
    "think": "thinks thought thinking",
    "speak": "speaks spoke spoken speaking",
    "sing": "sings sang sung singing",
    "begin": "begins began begun beginning",
    "beg": "begs begged begging",
    "sob": "sobs sobbed sobbing",
    "swear": "swears swore sworn swearing",
    "snap": "snaps snapped snapping",
    "brag": "brags bragged bragging",
    "seek": "seeks sought seeking",
    # "saw" and "went" alone say nothing about words; "went on" and "put it" do.
    "see": "sees seeing",
    "go": "goes went gone",
    "put": "puts put putting",
    "read": "reads read reading",
    "find": "finds found finding",
    "feel": "feels felt",
    "know": "knows",
    "show": "shows showed",
    "cast": "casts cast casting",
    "plan": "plans planned planning",
    "refer": "refers referred referring",
    "admit": "admits admitted admitting",
    "quip": "quips quipped quipping",
    "dub": "dubs dubbed dubbing",
    "slam": "slams slammed slamming",
    "rip": "rips ripped ripping",
    "jab": "jabs jabbed jabbing",
    "commit": "commits committed committing",
}

# In a headline, where verbs are capitalised too, these are nouns.
HEADLINE_NOUNS = words_of_list(
    """
    states reports claims notes comments calls posts answers issues plans questions demands attacks
    offers promises hopes fears voices charges appeals challenges remarks aims
    """
)


# "shot back" speaks, "shot" does not.
PHRASES = frozenset(
    (verb, particle)
    for verbs, particle in (
        ("shoots shot fires fired hits hit writes wrote claps clapped", "back"),
        ("hits hit lashes lashed blurts blurted", "out"),
        ("chimes chimed weighs weighed cuts cut", "in"),
        ("pipes piped speaks spoke", "up"),
        ("goes went carries carried", "on"),
    )
    for verb in verbs.split()
)


def _forms(lemma: str) -> list[str]:
    if lemma in IRREGULAR:
        return [lemma, *IRREGULAR[lemma].split()]
    if lemma.endswith("e"):
        return [lemma, lemma + "s", lemma + "d", lemma[:-1] + "ing"]
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return [lemma, lemma[:-1] + "ies", lemma[:-1] + "ied", lemma + "ing"]
    plural = "es" if lemma.endswith(("s", "sh", "ch", "x")) else "s"
    return [lemma, lemma + plural, lemma + "ed", lemma + "ing"]


PHRASE_VERBS = frozenset(verb for verb, _ in PHRASES)
DIRECT_FORMS = frozenset(form for lemma in DIRECT for form in _forms(lemma))
# Bare forms are nouns or infinitives more often than not ("state", "to see"): their place decides.
BARE_FORMS = (DIRECT | NARRATIVE) - frozenset(" ".join(IRREGULAR.values()).split())
CUE_FORMS = DIRECT_FORMS | frozenset(form for lemma in NARRATIVE for form in _forms(lemma))


def is_cue(word: str, *, after_capital: bool) -> bool:
    """Say whether the word announces speech.

    Headlines capitalise their verbs: such a word counts after another capitalised word, in the
    present tense only, where it is not as likely a noun.
    """
    if word in CUE_FORMS:
        return True
    lower = word.lower()
    if not (after_capital and word[:1].isupper() and word[1:].islower()):
        return False
    return lower in CUE_FORMS and lower.endswith("s") and lower not in HEADLINE_NOUNS


@lru_cache(WORDS_KNOWN)
def may_be_cue(word: str) -> bool:
    """Say whether the word announces speech in any place at all."""
    return word in PHRASE_VERBS or is_cue(word, after_capital=True)


def is_direct(word: str) -> bool:
    """Say whether the cue may stand beside the words said, on either side of its subject."""
    return word.lower() in DIRECT_FORMS or word in PHRASE_VERBS


def is_bare(word: str) -> bool:
    """Say whether the cue is an infinitive or a plural present ("critics say"), or else a noun."""
    return word in BARE_FORMS


def is_participle(word: str) -> bool:
    """Say whether the cue leans on the subject of the sentence ("…, adding: “…”")."""
    return word.endswith("ing") and word.islower()
