"""What the documentation shows in its code blocks."""

import re


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in Markdown that are of this language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
