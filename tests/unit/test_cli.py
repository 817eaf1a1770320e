"""The commands, run for real: `spawn` where streams, pipes or processes matter.

All others run through the same `main()` in this process, which saves each a second of imports.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from service.cli import app, main
from service.contracts import quote_schema
from service.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(quote_schema())
DOUBT = {"id": "d", "title": "On figures", "text": "“I doubt those figures,” Ana Morel said."}
TALKS = {"id": "t", "text": "“Let us talk about peace,” said Jon Hale. “We will retaliate.”"}
KEYWORDS = ("--model", "keywords")
JSONL = ("--format", "jsonl")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working folder, and no setting of whoever runs the tests."""
    for variable in os.environ:
        if variable.upper().startswith(ENV_PREFIX):
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    return tmp_path


@pytest.fixture
def articles(folder: Path) -> Path:
    """The same two articles in every form."""
    path = folder / "articles"
    path.mkdir()
    lines = [json.dumps(one, ensure_ascii=False) for one in (DOUBT, TALKS)]
    (path / "both.jsonl").write_text("\n".join(lines) + "\n")
    (path / "both.json").write_text(json.dumps([DOUBT, TALKS], indent=1))
    (path / "one.txt").write_text(DOUBT["text"])
    return path


Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]


@pytest.fixture
def stancewire(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process: arguments, then environment variables by name."""

    def run(*arguments: str | Path, **variables: str) -> Result:
        command = ["stancewire", *map(str, arguments)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", command)
            for name, value in variables.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        printed = capsys.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return Result(command, code, printed.out, printed.err)

    return run


def spawn(*arguments: str | Path, stdin: str = "", **variables: str) -> Result:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "service", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env={**os.environ, **variables},
        check=False,
    )


def lines_of(result: Result) -> list[Any]:
    """Standard output, which must be JSON lines and nothing else, of a command that went well."""
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def one_line(stderr: str) -> str:
    """What is said when something is wrong: one line, no traceback."""
    [line] = stderr.splitlines()
    assert line.startswith("stancewire: ")
    return line


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", commands(typer.main.get_command(app)), ids=" ".join)
def test_help_of_every_command_says_what_it_does_and_shows_an_example(
    command: tuple[str, ...],
) -> None:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert "Example: " in result.output
    example = result.output.partition("Example: ")[2].splitlines()[0]
    assert f"stancewire {' '.join(command)}" in example


def test_all_commands_of_the_design_are_there() -> None:
    assert {" ".join(command) for command in commands(typer.main.get_command(app))} >= {
        "demo", "worker", "publish", "tail", "extract", "classify", "process", "config",
        "topics create", "topics list", "dead-letters list", "dead-letters replay",
        "schema json-schema", "schema asyncapi", "bench", "watch-speakers",
    }  # fmt: skip


def test_no_arguments_show_the_help() -> None:
    result = spawn()
    assert "Usage:" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_unknown_command_is_wrong_usage(stancewire: Run) -> None:
    result = stancewire("clasify", "x.txt")
    assert result.returncode == 2
    assert "No such command" in result.stderr


@pytest.mark.parametrize("name", ["both.jsonl", "both.json"])
def test_extract_prints_one_line_an_article(stancewire: Run, articles: Path, name: str) -> None:
    doubt, talks = lines_of(stancewire("extract", articles / name, *JSONL))
    assert doubt["article_id"] == "d"
    assert doubt["quotes"][0]["segments"] == ["I doubt those figures,"]
    assert doubt["quotes"][0]["offsets"] == [[1, 23]]
    assert doubt["quotes"][0]["speaker"] == "Ana Morel"
    assert talks["article_id"] == "t"


def test_extract_reads_text_files_folders_and_stdin(articles: Path) -> None:
    [from_file] = lines_of(spawn("extract", articles / "one.txt", *JSONL))
    assert (from_file["article_id"], len(from_file["quotes"])) == ("one", 1)
    [from_stdin] = lines_of(spawn("extract", "-", *JSONL, stdin=DOUBT["text"]))
    assert (from_stdin["article_id"], from_stdin["quotes"]) == ("stdin", from_file["quotes"])
    from_folder = lines_of(spawn("extract", articles, *JSONL))
    assert [one["article_id"] for one in from_folder] == ["d", "t", "d", "t", "one"]


def test_process_prints_one_valid_event_a_quote(stancewire: Run, articles: Path) -> None:
    events = lines_of(stancewire("process", articles / "both.jsonl", *KEYWORDS, *JSONL))
    for event in events:
        SCHEMA.validate(event)
        article = {"d": DOUBT, "t": TALKS}[event["article"]["id"]]
        assert " ".join(article[event["in"]][a:b] for a, b in event["segments"]) == event["text"]
    assert [event["article"]["id"] for event in events] == ["d", "t"]
    assert events[0]["stance"] == "sceptical"
    assert events[0]["model"]["name"] == "keywords"


def test_process_gives_the_same_ids_on_every_run_and_from_every_form(
    stancewire: Run, articles: Path
) -> None:
    def ids(path: Path) -> list[str]:
        return [one["id"] for one in lines_of(stancewire("process", path, *KEYWORDS, *JSONL))]

    from_lines = ids(articles / "both.jsonl")
    assert len(set(from_lines)) == 2
    assert ids(articles / "both.jsonl") == from_lines
    assert ids(articles / "both.json") == from_lines
    assert ids(articles) == [*from_lines, *from_lines, *ids(articles / "one.txt")]


def test_process_reads_json_lines_from_stdin(articles: Path) -> None:
    stdin = (articles / "both.jsonl").read_text()
    events = lines_of(spawn("process", "-", *KEYWORDS, *JSONL, stdin=stdin))
    assert [event["article"]["id"] for event in events] == ["d", "t"]
    for event in events:
        SCHEMA.validate(event)


def test_classify_prints_the_same_objects_with_stance_and_scores(
    stancewire: Run, folder: Path
) -> None:
    (folder / "texts.jsonl").write_text(
        '{"text": "I doubt it.", "n": 7}\n{"text": "Fine, we talk."}'
    )
    (folder / "texts.json").write_text('[{"text": "I doubt it."}]')
    (folder / "texts.txt").write_text("I doubt it.\n\nWe will strike and destroy.\n")
    run = ("classify", *KEYWORDS, *JSONL)
    first, second = lines_of(stancewire(*run, "texts.jsonl"))
    assert list(first) == ["text", "n", "stance", "scores"]
    assert (first["n"], first["stance"]) == (7, "sceptical")
    assert set(second["scores"]) == {"sceptical", "conciliatory", "threatening"}
    [only] = lines_of(stancewire(*run, "texts.json"))
    assert only == {name: value for name, value in first.items() if name != "n"}
    stances = [one["stance"] for one in lines_of(stancewire(*run, "texts.txt"))]
    assert stances == ["sceptical", "threatening"]
    assert len(lines_of(stancewire(*run, folder))) == 5
    [piped] = lines_of(spawn(*run, "-", stdin="I doubt it.\n"))
    assert piped == only


@pytest.mark.parametrize(
    ("command", "pieces"),
    [
        (("extract",), ["Ana Morel", "I doubt those figures,"]),
        (("process", *KEYWORDS), ["On figures", "sceptical", "0.60"]),
        (("classify", *KEYWORDS), ["sceptical 0.60"]),
    ],
    ids=["extract", "process", "classify"],
)
def test_table_for_people_shows_what_counts(
    stancewire: Run, articles: Path, command: tuple[str, ...], pieces: list[str]
) -> None:
    name = "one.txt" if command[0] == "classify" else "both.jsonl"
    result = stancewire(*command, articles / name, COLUMNS="200")
    assert result.returncode == 0
    for piece in pieces:
        assert piece in result.stdout


def test_foreign_text_is_never_read_as_markup(stancewire: Run, folder: Path) -> None:
    text = "“We doubt [red]that[/red] [/nonsense] :smile:,” she said."
    (folder / "a.jsonl").write_text(json.dumps({"id": "[b]1[/b]", "text": text}))
    for command in (("extract",), ("process", *KEYWORDS)):
        result = stancewire(*command, "a.jsonl", COLUMNS="200")
        assert result.returncode == 0
        assert "[red]that[/red] [/nonsense] :smile:" in result.stdout
        assert "[b]1[/b]" in result.stdout


@pytest.mark.parametrize("format", ["jsonl", "table"])
def test_reader_that_leaves_early_is_no_failure(folder: Path, format: str) -> None:  # noqa: A002
    lines = (json.dumps({**DOUBT, "id": str(number)}) for number in range(1_000))
    (folder / "many.jsonl").write_text("\n".join(lines))
    command = ["process", "many.jsonl", *KEYWORDS, "--format", format]
    with subprocess.Popen(
        [sys.executable, "-m", "service", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("command", ["extract", "classify", "process"])
def test_missing_file_is_wrong_usage_in_one_line(stancewire: Run, command: str) -> None:
    result = stancewire(command, "nothing.jsonl")
    assert result.returncode == 2
    assert one_line(result.stderr) == "stancewire: nothing.jsonl: no such file or folder"
    assert result.stdout == ""


@pytest.mark.parametrize("command", [("extract",), ("process", *KEYWORDS)], ids=lambda one: one[0])
def test_bad_article_is_named_with_its_place_and_the_others_are_printed(
    folder: Path, command: tuple[str, ...]
) -> None:
    deep = folder / "a-folder-with-a-name-that-is-longer-than-a-terminal-is-wide" / ":smile:"
    deep.mkdir(parents=True)
    path = deep / "mixed.jsonl"
    path.write_text("\n".join([json.dumps(DOUBT), '{"id": "x"}', "[nonsense", json.dumps(TALKS)]))
    result = spawn(*command, path, *JSONL)
    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == 2
    second, third, last = result.stderr.splitlines()
    assert second == f"{path}:2: missing_field: text is missing"
    assert third.startswith(f"{path}:3: not_json: not JSON: ")
    assert last.startswith("stancewire: 2 articles could not be ")


@pytest.mark.parametrize(
    ("variables", "piece"),
    [
        ({"STANCEWIRE_BATCH_TOKENS": "many"}, "STANCEWIRE_BATCH_TOKENS='many': "),
        ({"STANCEWIRE_NONSENSE": "1"}, "STANCEWIRE_NONSENSE: there is no such setting"),
        ({"STANCEWIRE_CONFIG_FILE": "no.toml"}, "STANCEWIRE_CONFIG_FILE=no.toml: no such file"),
    ],
    ids=["bad value", "unknown", "missing file"],
)
@pytest.mark.parametrize("command", ["config", "worker"])
def test_bad_setting_is_wrong_usage_in_one_line(
    stancewire: Run, command: str, variables: dict[str, str], piece: str
) -> None:
    result = stancewire(command, **variables)
    assert result.returncode == 2
    assert piece in one_line(result.stderr)


def test_process_that_gets_a_bad_setting_ends_with_2_and_one_line() -> None:
    result = spawn("config", STANCEWIRE_BATCH_TOKENS="many")
    assert result.returncode == 2
    assert "STANCEWIRE_BATCH_TOKENS='many'" in one_line(result.stderr)


def test_length_limit_is_the_worker_s(stancewire: Run, articles: Path) -> None:
    result = stancewire(
        "process", articles / "one.txt", *KEYWORDS, *JSONL, STANCEWIRE_MAX_ARTICLE_CHARS="10"
    )
    assert result.returncode == 1
    assert "text_too_long" in result.stderr


def test_label_set_that_is_missing_is_wrong_usage_in_one_line(
    stancewire: Run, articles: Path
) -> None:
    result = stancewire("process", articles, *KEYWORDS, "--labels", "no.toml")
    assert result.returncode == 2
    assert "no.toml" in one_line(result.stderr)


def test_config_shows_every_setting_with_its_value_and_source(
    stancewire: Run, folder: Path
) -> None:
    (folder / "stancewire.toml").write_text('topic_quotes = "said"\n')
    rows = lines_of(stancewire("config", *JSONL, STANCEWIRE_GROUP="desk"))
    found = {row["setting"]: (row["value"], row["source"]) for row in rows}
    assert list(found) == list(Settings.model_fields)
    assert found["group"] == ("desk", "environment")
    assert found["topic_quotes"] == ("said", "stancewire.toml")
    assert found["http_port"] == (8088, "default")


def test_config_is_a_table_for_people() -> None:
    result = CliRunner().invoke(app, ["config"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for piece in ("setting", "source", "topic_dead_letters", "articles.dead", "default"):
        assert piece in result.output


@pytest.mark.parametrize("event", ["article", "quote"])
def test_schema_prints_a_valid_json_schema(stancewire: Run, event: str) -> None:
    result = stancewire("schema", "json-schema", event)
    assert result.returncode == 0
    assert result.stdout.endswith("}\n")
    Draft202012Validator.check_schema(json.loads(result.stdout))


def test_schema_of_an_unknown_event_is_wrong_usage(stancewire: Run) -> None:
    result = stancewire("schema", "json-schema", "speaker")
    assert result.returncode == 2
    assert "none of article, quote, tally" in result.stderr


def test_asyncapi_is_printed(stancewire: Run) -> None:
    result = stancewire("schema", "asyncapi")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["asyncapi"] == "3.0.0"


@pytest.fixture
def used_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def last_line(stderr: str) -> str:
    """The worker logs before it fails; what is wrong comes last, and no traceback ever."""
    assert "Traceback" not in stderr
    return one_line(stderr.splitlines()[-1])


def test_worker_with_a_broken_model_stops_with_2_and_one_line(free_port: str) -> None:
    result = spawn("worker", "--model", "/no/such/folder", STANCEWIRE_HTTP_PORT=free_port)
    assert result.returncode == 2
    assert last_line(result.stderr).startswith("stancewire: /no/such/folder: no such folder")


def test_worker_whose_port_is_in_use_stops_with_1_and_one_line(used_port: str) -> None:
    result = spawn("worker", *KEYWORDS, STANCEWIRE_HTTP_PORT=used_port)
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{used_port}" in last_line(result.stderr)


def test_worker_without_a_broker_stops_with_1_and_one_line(free_port: str) -> None:
    with socket.socket() as bound:  # and not listening: nobody else can answer there
        bound.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{bound.getsockname()[1]}"
        result = spawn(
            "worker", *KEYWORDS, "--brokers", nobody,
            STANCEWIRE_HTTP_PORT=free_port, STANCEWIRE_CONNECT_TIMEOUT_SECONDS="0.5",
        )  # fmt: skip
    assert result.returncode == 1
    assert f"Kafka at {nobody}" in last_line(result.stderr)


@pytest.mark.parametrize(
    "command",
    [
        ("publish", "articles"),
        ("tail",),
        ("topics", "list"),
        ("dead-letters", "replay"),
        ("watch-speakers",),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("articles")
def test_tool_without_a_broker_stops_with_1_and_one_line(command: tuple[str, ...]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{bound.getsockname()[1]}"
        result = spawn(*command, "--brokers", nobody, STANCEWIRE_CONNECT_TIMEOUT_SECONDS="0.2")
    assert result.returncode == 1
    assert f"Kafka at {nobody}" in one_line(result.stderr)


def test_tool_run_as_a_module_needs_no_torch(articles: Path) -> None:
    code = (
        "import sys; sys.argv = ['stancewire', *sys.argv[1:]]\n"
        "from service.cli import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(repr({'torch', 'transformers', 'kafka'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "extract", str(articles)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0
    assert result.stderr == "set()"
