"""Files, folders and standard input to articles and texts."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from service.errors import InvalidArticle, Reason, UsageError
from service.inputs import read_articles, read_texts
from service.offline import extract_article

BOM = b"\xef\xbb\xbf"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return give


def articles(*paths: str) -> list[tuple[str, Any]]:
    return [(raw.where, json.loads(raw.value)) for raw in read_articles(paths)]


def test_jsonl_is_passed_on_byte_for_byte_with_its_line_number() -> None:
    lines = [b'{"id":"1",  "text":"\\u201cYes\\u201d"}', b"", b"no article at all \xff", b"{}"]
    Path("a.jsonl").write_bytes(b"\r\n".join(lines) + b"\n")
    found = list(read_articles(["a.jsonl"]))
    assert [raw.value for raw in found] == [lines[0], lines[2], lines[3]]
    assert [raw.where for raw in found] == ["a.jsonl:1", "a.jsonl:3", "a.jsonl:4"]


@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\x0c"], ids=["LS", "NEL", "FF"])
def test_only_a_line_feed_ends_a_line_of_jsonl(mark: str) -> None:
    line = f'{{"id": "1", "text": "one{mark}line"}}'.encode()
    Path("a.jsonl").write_bytes(line)
    assert [raw.value for raw in read_articles(["a.jsonl"])] == [line]


def test_json_may_hold_one_article_over_many_lines() -> None:
    Path("a.json").write_text('{\n "id": "1",\n "text": "x"\n}\n')
    assert articles("a.json") == [("a.json:1", {"id": "1", "text": "x"})]


def test_json_may_hold_a_list_of_articles() -> None:
    Path("a.json").write_text('[{"id": "1"}, {"id": "2"}]')
    assert articles("a.json") == [("a.json:1", {"id": "1"}), ("a.json:2", {"id": "2"})]


def test_txt_is_the_text_of_an_article_named_like_the_file() -> None:
    Path("speech.one.txt").write_text("“Yes,”\nshe said.\n")
    assert articles("speech.one.txt") == [
        ("speech.one.txt", {"id": "speech.one", "text": "“Yes,”\nshe said.\n"})
    ]


def test_folder_gives_its_files_in_the_order_of_their_names() -> None:
    Path("in").mkdir()
    for name in ("b.txt", "a.jsonl", "c.json", "README.md"):
        Path("in", name).write_text('{"id": "x"}')
    assert [where for where, _ in articles("in")] == ["in/a.jsonl:1", "in/b.txt", "in/c.json:1"]


def test_files_come_in_the_order_given() -> None:
    for name in ("b.txt", "a.txt"):
        Path(name).write_text("x")
    assert [where for where, _ in articles("b.txt", "a.txt")] == ["b.txt", "a.txt"]


def test_stdin_that_begins_with_a_brace_is_json_lines(stdin: Callable[[bytes], None]) -> None:
    stdin(b'\n {"id": "1"}\n{"id": "2"}\n')
    assert articles("-") == [("-:2", {"id": "1"}), ("-:3", {"id": "2"})]


def test_jsonl_with_a_byte_order_mark_on_stdin_is_still_one_article_a_line(
    stdin: Callable[[bytes], None],
) -> None:
    stdin(BOM + b'{"id": "1", "text": ""}\n{"id": "2", "text": ""}\n')
    assert [extract_article(raw.value)["article_id"] for raw in read_articles(["-"])] == ["1", "2"]


def test_any_other_stdin_is_one_text(stdin: Callable[[bytes], None]) -> None:
    stdin("“Yes,” she said.\n".encode())
    assert articles("-") == [("-", {"id": "stdin", "text": "“Yes,” she said.\n"})]


def test_empty_stdin_holds_no_article(stdin: Callable[[bytes], None]) -> None:
    stdin(b" \n")
    assert articles("-") == []


def test_text_that_is_not_utf_8_is_read_with_replacements() -> None:
    Path("a.txt").write_bytes(b"caf\xe9")
    assert articles("a.txt")[0][1]["text"] == "caf�"


@pytest.mark.parametrize(
    ("path", "piece"),
    [
        ("nothing.jsonl", "nothing.jsonl: no such file or folder"),
        ("page.html", "page.html: expected one of .jsonl, .json, .txt"),
        ("empty", "empty: no .jsonl, .json, .txt file in this folder"),
        ("half.json", "half.json: not JSON: "),
        ("deep.json", "deep.json: not JSON: "),
        ("holds-folder", "holds-folder/a.txt: Is a directory"),
    ],
)
@pytest.mark.parametrize("read", [read_articles, read_texts], ids=["articles", "texts"])
def test_what_cannot_be_read_is_one_line_that_names_it(
    read: Callable[[list[str]], Any], path: str, piece: str
) -> None:
    Path("page.html").touch()
    Path("empty").mkdir()
    Path("half.json").write_text('{"text": ')
    Path("deep.json").write_text("[" * 100_000)
    Path("holds-folder/a.txt").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        list(read([path]))
    assert str(caught.value).startswith(piece)
    assert "\n" not in str(caught.value)


def test_texts_are_json_lines_with_all_their_fields_or_plain_lines() -> None:
    Path("a.jsonl").write_text('{"text": "One.", "n": 1}\nTwo.\n\n  Three.  \n')
    assert list(read_texts(["a.jsonl"])) == [
        {"text": "One.", "n": 1},
        {"text": "Two."},
        {"text": "Three."},
    ]


def test_texts_of_json_are_an_object_or_a_list_of_objects() -> None:
    Path("a.json").write_text('[\n {"text": "One."},\n {"text": "Two.", "n": 2}\n]')
    Path("b.json").write_text('{\n "text": "Three."\n}')
    assert [one["text"] for one in read_texts(["a.json", "b.json"])] == ["One.", "Two.", "Three."]


def test_texts_may_begin_with_a_byte_order_mark() -> None:
    Path("a.jsonl").write_bytes(BOM + b'{"text": "One."}\n')
    assert list(read_texts(["a.jsonl"])) == [{"text": "One."}]


@pytest.mark.parametrize(
    ("name", "content", "piece"),
    [
        ("a.jsonl", b'{"text": "One."}\n{"text": ', "a.jsonl:2: not JSON"),
        ("a.jsonl", b'{"words": "One."}', 'a.jsonl:1: needs a "text" that is a string'),
        ("a.jsonl", b'{"text": 1}', 'a.jsonl:1: needs a "text" that is a string'),
        ("a.jsonl", rb'{"text": "\ud800"}', "a.jsonl:1: not JSON"),
        ("a.jsonl", b'{"text": "", "x": NaN}', "a.jsonl:1: not JSON"),
        ("a.jsonl", b'{"text": "", "x": ' + b"[" * 100_000, "a.jsonl:1: not JSON"),
        ("a.json", b'["One."]', 'a.json:1: needs a "text" that is a string'),
    ],
    ids=["half", "no text", "a number", "surrogate", "NaN", "nested", "list of strings"],
)
def test_object_that_is_no_text_is_one_line_with_its_place(
    name: str, content: bytes, piece: str
) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        list(read_texts([name]))
    assert str(caught.value).startswith(piece)


@pytest.mark.parametrize(
    ("value", "article_id"),
    [
        (b'{"id": "1", "text": ""}', "1"),
        (b'{"article_id": "1", "text": ""}', "1"),
        (b'{"article_id": 7, "text": ""}', "7"),
        (b'{"article_id": "2", "id": "1", "text": ""}', "1"),
    ],
    ids=["id", "article_id", "a number", "both"],
)
def test_extract_takes_the_id_under_either_name(value: bytes, article_id: str) -> None:
    assert extract_article(value) == {"article_id": article_id, "quotes": []}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"[]", Reason.NOT_AN_OBJECT),
        (b'{"text": ""}', Reason.MISSING_FIELD),
        (b'{"article_id": "1"}', Reason.MISSING_FIELD),
        (b'{"article_id": "1", "text": "", "x": ' + b"[" * 100_000, Reason.NOT_JSON),
        (rb'{"article_id": "1", "text": "\ud800"}', Reason.NOT_JSON),
    ],
    ids=["empty", "list", "no id", "no text", "nested", "surrogate"],
)
def test_extract_refuses_what_the_worker_refuses(value: bytes, reason: Reason) -> None:
    with pytest.raises(InvalidArticle) as caught:
        extract_article(value)
    assert caught.value.reason is reason


def test_extract_slices_and_offsets_agree() -> None:
    text = "😀 “We doubt it,” said Ana Morel, “very much indeed.”"
    result = extract_article(json.dumps({"id": "1", "text": text}).encode())
    quotes = result["quotes"]
    assert quotes
    for quote in quotes:
        assert quote["segments"] == [text[start:end] for start, end in quote["offsets"]]
        assert list(quote) == [
            "text", "segments", "offsets", "speaker", "mention", "role", "cue", "kind"
        ]  # fmt: skip
