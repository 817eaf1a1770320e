"""Bytes to articles: what is refused and why, what is let through, and that nothing else happens.

Reasons and words of messages are part of the contract: dead letters carry both.
"""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service.article import Article, parse_article
from service.contracts import article_schema
from service.errors import InvalidArticle, Reason

SCHEMA = Draft202012Validator(article_schema())


def as_json(**fields: Any) -> bytes:
    """An article that is fine but for `fields`."""
    return json.dumps({"id": "a-1", "text": "Talks go on.", **fields}).encode()


def with_raw(more: bytes) -> bytes:
    """An article that is fine but for the raw JSON members `more`."""
    return b'{"id": "a-1", "text": "Talks go on.", ' + more + b"}"


NESTED = b"[" * 10_000 + b"]" * 10_000

REFUSED: list[tuple[str, bytes | None, Reason, str]] = [
    ("a tombstone", None, Reason.TOMBSTONE, "tombstone"),
    ("an empty value", b"", Reason.NOT_JSON, "EOF"),
    ("Latin-1", '{"id": "1", "text": "é"}'.encode("latin-1"), Reason.NOT_UTF8, "0xe9 at position"),
    ("UTF-16", as_json().decode().encode("utf-16"), Reason.NOT_UTF8, "0xff at position 0"),
    ("raw surrogate bytes", with_raw(b'"url": "\xed\xa0\x80"'), Reason.NOT_UTF8, "0xed"),
    ("plain words", b"Talks go on.", Reason.NOT_JSON, "line 1 column 1"),
    ("half an object", b'{"id": "1", "text": "half', Reason.NOT_JSON, "EOF while parsing"),
    ("two objects", as_json() + as_json(), Reason.NOT_JSON, "trailing characters"),
    ("a raw line break in a text", b'{"id": "1", "text": "a\nb"}', Reason.NOT_JSON, "control"),
    ("nested brackets", NESTED, Reason.NOT_JSON, "recursion limit"),
    ("nested, never closed", b"[" * 10_000, Reason.NOT_JSON, "recursion limit"),
    ("nested in ignored", with_raw(b'"x": ' + NESTED), Reason.NOT_JSON, "recursion limit"),
    ("NaN", with_raw(b'"x": NaN'), Reason.NOT_JSON, "expected value"),
    ("Infinity", with_raw(b'"x": Infinity'), Reason.NOT_JSON, "expected value"),
    ("-Infinity", with_raw(b'"x": -Infinity'), Reason.NOT_JSON, "invalid number"),
    ("5,000 digits", with_raw(b'"x": ' + b"9" * 5_000), Reason.NOT_JSON, "out of range"),
    ("a lone high surrogate", with_raw(rb'"x": "\ud800"'), Reason.NOT_JSON, "hex escape"),
    ("a lone low surrogate", with_raw(rb'"x": "\udc00"'), Reason.NOT_JSON, "surrogate"),
    ("a list", b"[]", Reason.NOT_AN_OBJECT, "got an array"),
    ("a string", b'"Talks"', Reason.NOT_AN_OBJECT, "got a string"),
    ("a number", b"1", Reason.NOT_AN_OBJECT, "got a number"),
    ("null", b"null", Reason.NOT_AN_OBJECT, "got null"),
    ("true", b"true", Reason.NOT_AN_OBJECT, "got a boolean"),
    ("two texts", with_raw(b'"text": "Other."'), Reason.DUPLICATE_KEY, "'text' is there twice"),
    ("two, one escaped", with_raw(rb'"\u0069d": "b"'), Reason.DUPLICATE_KEY, "'id' is there twice"),
    ("two ignored", with_raw(b'"x": 1, "x": 1'), Reason.DUPLICATE_KEY, "'x' is there twice"),
    ("nothing in it", b"{}", Reason.MISSING_FIELD, "id is missing"),
    ("no id", b'{"text": "Talks go on."}', Reason.MISSING_FIELD, "id is missing"),
    ("no text", b'{"id": "a-1"}', Reason.MISSING_FIELD, "text is missing"),
    ("an empty id", as_json(id=""), Reason.INVALID_FIELD, "id: String should have at least 1"),
    ("an id too long", as_json(id="x" * 513), Reason.INVALID_FIELD, "id: String should have at mo"),
    ("an id that is a number", as_json(id=5), Reason.INVALID_FIELD, "id: Input should be a valid"),
    ("a text of number", as_json(text=5), Reason.INVALID_FIELD, "text: Input should be a valid"),
    ("a text of lines", as_json(text=["a"]), Reason.INVALID_FIELD, "text: Input should be a val"),
    ("a text of null", as_json(text=None), Reason.INVALID_FIELD, "text: Input should be a valid"),
    ("a title of number", as_json(title=5), Reason.INVALID_FIELD, "title: Input should be a val"),
    ("a url of number", as_json(url=5), Reason.INVALID_FIELD, "url: Input should be a valid"),
]


@pytest.mark.parametrize(
    ("value", "reason", "piece"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refuses_with_the_reason_and_says_what_was_wrong(
    value: bytes | None, reason: Reason, piece: str
) -> None:
    with pytest.raises(InvalidArticle) as caught:
        parse_article(value)
    assert caught.value.reason is reason
    assert piece in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tag", ["", "e", "en_GB", "en-", "en-abcdefghi", "en\n", "en GB", "épo"])
def test_refuses_a_language_that_is_no_bcp_47_tag(tag: str) -> None:
    with pytest.raises(InvalidArticle, match="language: String should match") as caught:
        parse_article(as_json(language=tag))
    assert caught.value.reason is Reason.INVALID_FIELD


@pytest.mark.parametrize(
    ("moment", "piece"),
    [
        ("", "RFC 3339"),
        ("yesterday", "RFC 3339"),
        ("2026-11-21", "RFC 3339"),
        ("2026-11-21T21:36:00", "RFC 3339"),  # no offset: somebody's local time
        ("20261121T213600Z", "RFC 3339"),  # ISO 8601, but not RFC 3339
        ("2026-W47-6T21:36:00Z", "RFC 3339"),
        ("2026-11-21T21:36Z", "RFC 3339"),
        ("2026-11-21T21:36:00,5Z", "RFC 3339"),
        ("2026-11-21T21:36:00Z\n", "RFC 3339"),
        ("٢٠٢٦-11-21T21:36:00Z", "RFC 3339"),
        ("2026-13-01T00:00:00Z", "month"),
        ("2026-02-29T00:00:00Z", "day"),
        ("2026-11-21T24:00:00Z", "hour"),
        ("2026-11-21T21:60:00Z", "minute"),
        ("2026-11-21T21:36:61Z", "second"),
        ("2026-11-21T21:36:00+25:00", "offset"),
        ("2026-11-21T21:36:00+01:60", "offset"),
    ],
)
def test_refuses_a_published_at_that_is_no_moment(moment: str, piece: str) -> None:
    with pytest.raises(InvalidArticle) as caught:
        parse_article(as_json(published_at=moment))
    assert caught.value.reason is Reason.INVALID_FIELD
    assert str(caught.value).startswith("published_at: ")
    assert piece in str(caught.value)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-21T21:36:00Z",
        "2026-11-21t21:36:00z",
        "2026-11-21 21:36:00Z",
        "2026-11-21T21:36:00.5Z",
        "2026-11-21T21:36:00.123456789+05:30",
        "2026-11-21T21:36:00-00:00",
        "2028-02-29T00:00:00Z",
        "2016-12-31T23:59:60Z",  # a leap second
        "2017-01-01T00:59:60.5+01:00",
    ],
)
def test_takes_every_form_of_rfc_3339_and_passes_it_on_as_it_is(moment: str) -> None:
    assert parse_article(as_json(published_at=moment)).published_at == moment


@pytest.mark.parametrize("field", ["text", "title"])
def test_length_is_limited_in_code_points_and_the_limit_itself_is_fine(field: str) -> None:
    assert parse_article(as_json(**{field: "é" * 20}), max_chars=20)
    with pytest.raises(
        InvalidArticle, match=f"{field} has 21 characters, the limit is 20"
    ) as error:
        parse_article(as_json(**{field: "é" * 21}), max_chars=20)
    assert error.value.reason is Reason.TEXT_TOO_LONG


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (as_json(text=""), {"text": ""}),
        (as_json(id="x" * 512), {"id": "x" * 512}),
        (as_json(wire="AFP", x={"deep": [1, None]}), {"text": "Talks go on."}),
        (b"\xef\xbb\xbf" + as_json(), {"id": "a-1"}),
        (b" \r\n" + as_json() + b"\n", {"id": "a-1"}),
        (
            as_json(title=None, url=None, source=None, language=None, published_at=None),
            {"url": None},
        ),
        (as_json(text="“Yes” 👩‍👩‍👧 𝒷"), {"text": "“Yes” 👩‍👩‍👧 𝒷"}),
        (with_raw(rb'"title": "\ud83d\ude00"'), {"title": "😀"}),
        (as_json(text="a\x00b"), {"text": "a\x00b"}),
        (with_raw(b'"x": {"y": 1, "y": 2}'), {"id": "a-1"}),
        (b'{"x": [{"y": 1, "y": 2}], "id": "a-1", "text": ""}', {"text": ""}),
        (as_json(language="zh-Hant-TW"), {"language": "zh-Hant-TW"}),
    ],
    ids=[
        "an empty text",
        "an id of 512 characters",
        "unknown fields",
        "a byte order mark",
        "white space around",
        "null for what is optional",
        "emoji",
        "an escaped surrogate pair",
        "a null character",
        "keys twice inside an ignored object",
        "the same before the others",
        "a language with script and region",
    ],
)
def test_takes(value: bytes, expected: dict[str, Any]) -> None:
    article = parse_article(value)
    assert {name: getattr(article, name) for name in expected} == expected


def test_message_never_holds_more_than_a_few_words_of_the_input() -> None:
    secret = "s3cret" * 1_000
    values = [
        as_json(id=secret),
        as_json(language=secret),
        as_json(published_at=secret),
        with_raw(f'"{secret}": 1, "{secret}": 2'.encode()),
        secret.encode(),
    ]
    for value in values:
        with pytest.raises(InvalidArticle) as caught:
            parse_article(value)
        assert len(str(caught.value)) < 200


def parse_or_refuse(value: bytes) -> Article | None:
    try:
        return parse_article(value)
    except InvalidArticle:
        return None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["id", "text", "title", "url", "source", "language", "published_at", "x"])
ODD_OBJECTS = st.dictionaries(FIELDS, JSON_VALUES | st.text(), max_size=8).map(
    lambda fields: json.dumps(fields).encode()
)


@settings(max_examples=400, deadline=None)
@given(st.binary() | st.text().map(str.encode) | JSON_VALUES.map(json.dumps).map(str.encode))
@example(b"\xef\xbb\xbf")
@example(b'{"id":"1","text":"t","x":' + b"[" * 100_000)
@example(b'{"":' * 100_000)
def test_any_bytes_are_an_article_or_an_invalid_article(value: bytes) -> None:
    parse_or_refuse(value)


@settings(max_examples=400, deadline=None)
@given(ODD_OBJECTS)
def test_whatever_is_taken_obeys_the_published_schema(value: bytes) -> None:
    if parse_or_refuse(value) is not None:
        SCHEMA.validate(json.loads(value))


KNOWN = set(Article.model_fields)
VALID = st.builds(
    lambda fields, more: {**more, **fields},
    st.fixed_dictionaries(
        {"id": st.text(min_size=1, max_size=512), "text": st.text()},
        optional={
            "title": st.none() | st.text(),
            "url": st.none() | st.text(),
            "source": st.none() | st.text(),
            "language": st.none() | st.from_regex(r"\A[a-z]{2,3}(-[A-Z]{2})?\Z"),
            "published_at": st.none()
            | st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "Z"),
        },
    ),
    st.dictionaries(
        st.text().filter(lambda key: key not in KNOWN),
        st.text() | st.integers(-(10**300), 10**300) | st.lists(st.booleans()),
        max_size=4,
    ),
)


@settings(max_examples=400, deadline=None)
@given(VALID, st.booleans())
def test_every_object_with_id_and_text_parses_and_keeps_them(
    fields: dict[str, Any], ascii_only: bool
) -> None:
    article = parse_article(json.dumps(fields, ensure_ascii=ascii_only).encode())
    assert article.model_dump(exclude_unset=True) == {
        name: value for name, value in fields.items() if name in KNOWN
    }
