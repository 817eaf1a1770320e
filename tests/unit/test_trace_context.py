"""The trace context: passed on where W3C's rules say that it is one, and never large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.trace_context import trace_context

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def with_state(*states: bytes | None) -> list[tuple[str, bytes | None]]:
    return [("traceparent", PARENT), *(("tracestate", state) for state in states)]


def test_parent_and_state_are_passed_on_and_nothing_else() -> None:
    headers = [("a", b"1"), ("tracestate", b"vendor=1"), ("traceparent", PARENT), ("b", None)]
    assert trace_context(headers) == [("traceparent", PARENT), ("tracestate", b"vendor=1")]


@pytest.mark.parametrize(
    "parent",
    [
        None,
        b"",
        b"00-0af7-b7ad-01",
        PARENT + b"0",
        PARENT + b"\n",
        PARENT.upper(),
        b"ff" + PARENT[2:],
        b"00-" + b"0" * 32 + PARENT[35:],
        PARENT[:36] + b"0" * 16 + PARENT[52:],
        PARENT * 20_000,
        b"\xff" * 55,
    ],
    ids=[
        "none", "empty", "short ids", "too long", "line break", "capitals", "version ff",
        "trace 0", "span 0", "huge", "not text",
    ],
)  # fmt: skip
def test_a_parent_that_is_not_valid_is_left_out_with_its_state(parent: bytes | None) -> None:
    assert trace_context([("traceparent", parent), ("tracestate", b"vendor=1")]) == []


def test_state_without_a_parent_is_left_out() -> None:
    assert trace_context([("tracestate", b"vendor=1")]) == []


def test_of_two_parents_none_is_passed_on() -> None:
    assert trace_context([("traceparent", PARENT), ("traceparent", PARENT)]) == []


def test_several_states_are_one_list() -> None:
    assert trace_context(with_state(b"a=1", b"b=2"))[1:] == [("tracestate", b"a=1,b=2")]


@pytest.mark.parametrize(
    ("states", "passed_on"),
    [
        ([b"x" * 512], True),
        ([b"x" * 513], False),
        ([b"x" * 256, b"x" * 256], False),
        ([b"\xc3\xa9=1"], False),
        ([b"a=1\r\nb"], False),
        ([b""], False),
        ([None], False),
    ],
    ids=["longest", "too long", "too long together", "not ASCII", "line break", "empty", "none"],
)
def test_a_state_that_is_not_valid_is_left_out_and_its_parent_is_not(
    states: list[bytes | None], passed_on: bool
) -> None:
    context = dict(trace_context(with_state(*states)))
    assert context["traceparent"] == PARENT
    assert ("tracestate" in context) is passed_on


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["traceparent", "tracestate", "other"]),
            st.none() | st.binary() | st.just(PARENT),
        )
    )
)
def test_whatever_was_received_little_is_passed_on(headers: list[tuple[str, bytes | None]]) -> None:
    context = trace_context(headers)
    assert sum(len(name) + len(content) for name, content in context) <= 11 + 55 + 10 + 512
