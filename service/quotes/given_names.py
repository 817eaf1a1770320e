"""Given names and the pronoun of those who bear them.

The list is `data/given_names.tsv`, some 18,000 names of many countries, reduced from the package
nomquamgender (MIT licence, Ian Van Buskirk) by `data/reduce.py`. Accents are folded away in it.
"""

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from service.quotes.lexicon import words_of_list

# Given names that news prints far oftener as something else.
NOT_TAKEN = words_of_list(
    """
    america american april asia august black britain china christian england europe france general
    german green india iran israel jordan june justice king korea london major march may media north
    east west prince queen republic russia south state the virginia washington white an la paris
    charlotte georgia carolina dakota austin houston dallas chad mali cuba kenya ireland fox holy
    sunday friday royal master so do will amazon star mission liberty
    """
)


@cache
def _pronouns() -> dict[str, str]:
    """Return the pronoun for each name, lower case: "she", "he" or "either"."""
    listed = (files("service.quotes") / "data" / "given_names.tsv").read_text("ascii")
    lines = (line.split("\t") for line in listed.splitlines())
    return {name: pronoun for pronoun, names in lines for name in names.split()}


def is_given_name(word: str) -> bool:
    """Say whether people are called so; words that are mostly something else do not count."""
    folded = _fold(word)
    return folded not in NOT_TAKEN and folded in _pronouns()


def pronoun_of(word: str) -> str | None:
    """Return "she" or "he" for a given name that nine in ten bearers of one sex have, else None."""
    pronoun = _pronouns().get(_fold(word))
    return None if pronoun == "either" else pronoun


@lru_cache(maxsize=4096)
def _fold(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.split("-")[0]).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char)).rstrip(".")
