"""Files, folders and standard input to articles and texts, for the command line."""

import json
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from service.errors import UsageError

STDIN = "-"
SUFFIXES = (".jsonl", ".json", ".txt")


class Raw(NamedTuple):
    """One article as it would be published."""

    where: str  # "articles.jsonl:3", for messages
    value: bytes


def read_articles(paths: Iterable[str]) -> Iterator[Raw]:
    """Article events from files.

    `.jsonl`: one a line, passed on byte for byte. `.json`: one, or a list of them. `.txt`: the text
    of one, its id is the file's name without suffix. A folder: all such files in it, sorted by
    name. `-`: standard input, JSON lines when its first character is a brace, else one text.

    Raises:
        UsageError: there is no such file, or it is of no known kind; at once, before any is read.
    """
    return _articles(list(_files(paths)))


def _articles(paths: list[str]) -> Iterator[Raw]:
    for path in paths:
        if path == STDIN:
            yield from _from_stdin()
        elif path.endswith(".txt"):
            yield _text_article(path, Path(path).stem, _read(path))
        elif path.endswith(".json"):
            yield from _from_json(path)
        else:
            yield from _lines(path, _read(path))


def read_texts(paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Objects with a "text": JSON lines, or plain lines wrapped into such objects.

    `.json`: one such object, or a list of them.

    Raises:
        UsageError: a line looks like JSON and is not, or has no "text" that is a string.
    """
    for path in _files(paths):
        is_json = path.endswith(".json")
        if is_json:
            raws = _from_json(path)
        else:
            data = sys.stdin.buffer.read() if path == STDIN else _read(path)
            raws = _lines(path, data.removeprefix(BOM_UTF8))
        for raw in raws:
            if not is_json and not raw.value.startswith(b"{"):
                yield {"text": raw.value.decode("utf-8", "replace")}
                continue
            try:
                parsed = from_json(raw.value, allow_inf_nan=False)  # as strict as the worker
            except ValueError as error:
                raise UsageError(f"{raw.where}: not JSON: {error}") from error
            if not isinstance(parsed, dict) or not isinstance(parsed.get("text"), str):
                raise UsageError(f'{raw.where}: needs a "text" that is a string')
            yield parsed


def _files(paths: Iterable[str]) -> Iterator[str]:
    for name in paths:
        path = Path(name)
        if name == STDIN or path.is_file():
            if name != STDIN and path.suffix not in SUFFIXES:
                raise UsageError(f"{name}: expected one of {', '.join(SUFFIXES)}")
            yield name
        elif path.is_dir():
            found = sorted(str(file) for file in path.iterdir() if file.suffix in SUFFIXES)
            if not found:
                raise UsageError(f"{name}: no {', '.join(SUFFIXES)} file in this folder")
            yield from found
        else:
            raise UsageError(f"{name}: no such file or folder")


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _from_stdin() -> Iterator[Raw]:
    data = sys.stdin.buffer.read()
    if data.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        yield from _lines(STDIN, data)
    elif data.strip():
        yield _text_article(STDIN, "stdin", data)


def _lines(path: str, data: bytes) -> Iterator[Raw]:
    # Not splitlines(): of all that it takes for a line's end, JSON lines know only this one.
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield Raw(f"{path}:{number}", line.strip())


def _from_json(path: str) -> Iterator[Raw]:
    try:
        parsed = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}") from error
    articles = parsed if isinstance(parsed, list) else [parsed]
    for number, article in enumerate(articles, start=1):
        yield Raw(f"{path}:{number}", _dump(article))


def _text_article(path: str, article_id: str, data: bytes) -> Raw:
    text = data.decode("utf-8", "replace")
    return Raw(path, _dump({"id": article_id, "text": text}))


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
