"""For `make site`: a link that leaves docs/ becomes the path of its file, which the site lacks."""

import posixpath
import re
from typing import Any

LINK = re.compile(r"\[([^\]]*)\]\((\.\.?/[^)\s#]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """MkDocs calls this with each page before it is rendered."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def inside(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[2]))
        return link[0] if path.startswith("docs/") else f"{link[1]} (`{path}`)"

    return LINK.sub(inside, markdown)
