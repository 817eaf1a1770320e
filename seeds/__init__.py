"""Sample articles to try Stancewire with: where they are, nothing of what is in them.

`seeds/README.md` says where the articles come from and what makes each of them hard.
"""

from pathlib import Path

__all__ = ["sample_articles"]


def sample_articles() -> Path:
    """Return the path of the sample articles: JSON Lines, UTF-8, one article event a line."""
    return Path(__file__).with_name("articles.jsonl")
