"""The command `stancewire`. Thin: parses, calls, prints; heavy imports wait until they are needed.

Exit codes: 0 fine, 1 something failed (said on standard error), 2 wrong usage or settings.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.errors import FatalError, InvalidArticle, Reason
from service.output import Format, Output, event_cells, print_events, print_line, print_table, say
from service.settings import Settings, load_settings, source_of

if TYPE_CHECKING:
    from service.article import Article
    from service.inputs import Raw

app = typer.Typer(
    name="stancewire",
    help="Every quotation in a stream of news articles, with its speaker and its stance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
topics_app = typer.Typer(help="The topics that Stancewire reads and writes.", no_args_is_help=True)
dead_letters_app = typer.Typer(
    help="Articles that could not be processed, and the way back.", no_args_is_help=True
)
schema_app = typer.Typer(help="The contracts, generated from the code.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(schema_app, name="schema")

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Files (.jsonl, .json, .txt), folders of them, or - for standard input.",
        show_default=False,
    ),
]
OutputFormat = Annotated[
    Format, typer.Option("--format", "-f", help="A table, or one JSON object a line.")
]
Brokers = Annotated[
    str | None,
    typer.Option("--brokers", "-b", help="host:port,…; default: the setting.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Classifier: a folder or id; default: the setting.",
        show_default=False,
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        "-l",
        help="TOML file with a label set; default: the setting.",
        show_default=False,
    ),
]


@app.command(epilog="Example: stancewire demo --format jsonl | head -1")
def demo(
    format: OutputFormat = Format.TABLE,
    model: Model = None,
    keep: Annotated[bool, typer.Option(help="Leave broker and worker running.")] = False,
) -> None:
    """Everything on this machine: embedded broker, worker, sample articles, a table of quotes."""
    from service.demo import run_demo

    result = run_demo(load_settings(model=model), keep=keep)
    if format is Format.JSONL:
        for line in result.lines:
            print_line(line.decode())
    else:
        print_events(result.events)
        typer.echo(f"\n{result.http}/metrics: {result.metrics}")
    if result.kept:
        pids = " ".join(map(str, result.kept))
        say(f"broker  {result.brokers}\nworker  {result.http}/metrics\nlogs    {result.folder}")
        say(f"watch   STANCEWIRE_BROKERS={result.brokers} stancewire tail\nstop    kill {pids}")


@app.command(epilog="Example: STANCEWIRE_BROKERS=kafka:9092 stancewire worker")
def worker(brokers: Brokers = None, model: Model = None) -> None:
    """The service: reads articles, writes classified quotes, until it is told to stop."""
    from service.app import StancewireWorker, create_app

    settings = load_settings(brokers=brokers, model=model)
    faust_app = create_app(settings)
    StancewireWorker(faust_app, loglevel=settings.log_level).execute_from_commandline()


@app.command(epilog="Example: stancewire publish seeds/articles.jsonl")
def publish(
    files: Files,
    brokers: Brokers = None,
    check: Annotated[bool, typer.Option(help="Refuse what no worker could process.")] = True,
) -> None:
    """Publish articles to Kafka, byte for byte as they stand in the files."""
    from rich.console import Console
    from rich.progress import track

    from service.clients import producer
    from service.inputs import read_articles

    settings = load_settings(brokers=brokers)
    refused = published = 0
    console = Console(stderr=True)
    raws = read_articles(files)
    with producer(settings) as client:
        for raw in track(
            raws,
            "publishing",
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ):
            article = _parse(raw, settings) if check else None
            if check and article is None:
                refused += 1
                continue
            key = article.id.encode() if article else None
            client.send(settings.topic_articles, key=key, value=raw.value)
            published += 1
    say(f"{published} articles published to {settings.topic_articles}")
    _fail_if(refused, "articles refused")


@app.command(epilog="Example: stancewire tail --stance threatening")
def tail(
    format: OutputFormat = Format.TABLE,
    brokers: Brokers = None,
    stance: Annotated[
        str | None, typer.Option(help="Only this stance.", show_default=False)
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option(help="Begin with the first quote on the topic.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(help="End after that many quotes.", min=1, show_default=False)
    ] = None,
) -> None:
    """Watch classified quotes as they arrive."""
    from contextlib import closing

    from rich.text import Text

    from service.clients import follow

    settings = load_settings(brokers=brokers)
    console = Output()
    shown = 0
    records = follow(settings, settings.topic_quotes, from_beginning=from_beginning)
    with closing(records):
        for record in records:
            if record is None:
                continue
            event = json.loads(record.value)
            if stance not in (None, event["stance"]):
                continue
            if format is Format.JSONL:
                print_line(record.value.decode())
            else:
                who, what, judged, sure = event_cells(event)
                console.print(Text("  ").join([judged, sure, who, what]), soft_wrap=True)
            shown += 1
            if shown == limit:
                return


@app.command(epilog="Example: stancewire extract article.txt")
def extract(files: Files, format: OutputFormat = Format.TABLE) -> None:
    """Quotes and speakers: no broker, no model."""
    from service.inputs import read_articles
    from service.offline import extract_article

    failed = 0
    rows = []
    for raw in read_articles(files):
        try:
            found = extract_article(raw.value)
        except InvalidArticle as problem:
            say(f"{raw.where}: {problem.reason.value}: {problem}")
            failed += 1
            continue
        if format is Format.JSONL:
            print_line(json.dumps(found, ensure_ascii=False))
        else:
            rows += [
                (found["article_id"], quote["speaker"] or "–", quote["cue"] or "–", quote["text"])
                for quote in found["quotes"]
            ]
    if format is Format.TABLE:
        print_table(("article", "speaker", "cue", "quote"), rows)
    _fail_if(failed, "articles could not be read")


@app.command(epilog="Example: echo 'Two paths are still open.' | stancewire classify -")
def classify(
    files: Files,
    format: OutputFormat = Format.TABLE,
    model: Model = None,
    labels: Labels = None,
) -> None:
    """Stances of given texts, one a line: no broker."""
    from service.inputs import read_texts
    from service.model import load_model
    from service.offline import classify_texts

    objects = list(read_texts(files))
    settings = load_settings(model=model, labels_file=labels)
    results = classify_texts(load_model(settings), objects, batch=settings.batch_quotes)
    if format is Format.JSONL:
        for result in results:
            print_line(json.dumps(result, ensure_ascii=False))
        return
    print_table(
        ("stance", "scores", "text"),
        (
            (
                result["stance"],
                " ".join(f"{name} {score:.2f}" for name, score in result["scores"].items()),
                result["text"],
            )
            for result in results
        ),
    )


@app.command(epilog="Example: stancewire process seeds/articles.jsonl --format jsonl")
def process(
    files: Files,
    format: OutputFormat = Format.TABLE,
    model: Model = None,
    labels: Labels = None,
) -> None:
    """Articles in, quote events out: no broker."""
    from service.inputs import read_articles
    from service.model import load_model
    from service.offline import process_article

    settings = load_settings(model=model, labels_file=labels)
    raws = list(read_articles(files))
    classifier = load_model(settings)
    failed = 0
    events = []
    for raw in raws:
        article = _parse(raw, settings)
        if article is None:
            failed += 1
            continue
        for event in process_article(article, classifier):
            if format is Format.JSONL:
                print_line(event.to_json().decode())
            else:
                events.append(json.loads(event.to_json()))
    if format is Format.TABLE:
        print_events(events)
    _fail_if(failed, "articles could not be processed")


@topics_app.command("create", epilog="Example: stancewire topics create --partitions 12")
def topics_create(
    brokers: Brokers = None,
    partitions: Annotated[int, typer.Option(min=1, help="Of each topic.")] = 4,
    replicas: Annotated[
        int, typer.Option(min=1, help="Copies of each partition; 3 in production.")
    ] = 1,
) -> None:
    """Create those of the three topics that do not exist yet."""
    from service.clients import create_topics

    created = create_topics(
        load_settings(brokers=brokers), partitions=partitions, replicas=replicas
    )
    say("created " + ", ".join(created) if created else "all topics exist")


@topics_app.command("list", epilog="Example: stancewire topics list --format jsonl")
def topics_list(format: OutputFormat = Format.TABLE, brokers: Brokers = None) -> None:
    """The three topics, with their numbers of partitions."""
    from service.clients import existing_topics

    settings = load_settings(brokers=brokers)
    existing = existing_topics(settings)
    names = (settings.topic_articles, settings.topic_quotes, settings.topic_dead_letters)
    if format is Format.JSONL:
        for name in names:
            print_line(json.dumps({"topic": name, "partitions": existing.get(name)}))
        return
    print_table(("topic", "partitions"), ((name, existing.get(name, "missing")) for name in names))


@dead_letters_app.command("list", epilog="Example: stancewire dead-letters list --reason not_json")
def dead_letters_list(
    format: OutputFormat = Format.TABLE,
    brokers: Brokers = None,
    reason: Annotated[
        Reason | None, typer.Option(help="Only with this reason.", show_default=False)
    ] = None,
) -> None:
    """Dead letters that were not replayed yet."""
    from service.replay import open_letters

    letters = open_letters(load_settings(brokers=brokers), reason)
    if format is Format.JSONL:
        for letter in letters:
            print_line(json.dumps(_letter_fields(letter), ensure_ascii=False))
        return
    columns = ("place", "from", "time", "replays", "reason", "message")
    print_table(columns, ([_letter_fields(letter)[name] for name in columns] for letter in letters))


@dead_letters_app.command(
    "replay", epilog="Example: stancewire dead-letters replay --reason timeout --dry-run"
)
def dead_letters_replay(
    brokers: Brokers = None,
    reason: Annotated[
        Reason | None, typer.Option(help="Only with this reason.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most that many.", show_default=False)
    ] = None,
    max_replays: Annotated[
        int, typer.Option(min=1, help="Leave alone what was replayed that often.")
    ] = 1,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be replayed.")] = False,
) -> None:
    """Publish dead letters to the input topic again, as they were received."""
    from service.replay import replay

    count = 0
    for letter in replay(
        load_settings(brokers=brokers),
        reason=reason,
        limit=limit,
        max_replays=max_replays,
        dry_run=dry_run,
    ):
        fields = _letter_fields(letter)
        typer.echo(f"{fields['place']}  {fields['reason']}  {fields['message']}")
        count += 1
    say(f"{count} dead letters " + ("would be replayed" if dry_run else "replayed"))


@schema_app.command("json-schema", epilog="Example: stancewire schema json-schema quote")
def schema_json(
    event: Annotated[str, typer.Argument(help="article or quote")] = "quote",
) -> None:
    """JSON Schema of an event."""
    from service.contracts import article_schema, quote_schema

    schemas = {"article": article_schema, "quote": quote_schema}
    if event not in schemas:
        raise typer.BadParameter(f"{event!r} is neither article nor quote")
    print_line(json.dumps(schemas[event](), indent=2))


@schema_app.command("asyncapi", epilog="Example: stancewire schema asyncapi > asyncapi.json")
def schema_asyncapi() -> None:
    """AsyncAPI 3 document of the service."""
    from service.contracts import asyncapi

    print_line(json.dumps(asyncapi(), indent=2))


@app.command(epilog="Example: STANCEWIRE_GROUP=desk stancewire config")
def config(format: OutputFormat = Format.TABLE) -> None:
    """The settings in force, and where each came from."""
    settings = load_settings()
    rows = [
        (name, value, source_of(name, settings))
        for name, value in settings.model_dump(mode="json").items()
    ]
    if format is Format.JSONL:
        for name, value, source in rows:
            print_line(json.dumps({"setting": name, "value": value, "source": source}))
        return
    print_table(("setting", "value", "source"), rows)


def main() -> None:
    """Entry point: no traceback for what is the user's or the broker's fault."""
    try:
        app()
    except FatalError as error:
        sys.stderr.write(f"stancewire: {error}\n")
        sys.exit(error.exit_code)


def _parse(raw: "Raw", settings: Settings) -> "Article | None":
    """The article, or None after a line on standard error that says why not."""
    from service.article import parse_article

    try:
        return parse_article(raw.value, max_chars=settings.max_article_chars)
    except InvalidArticle as problem:
        say(f"{raw.where}: {problem.reason.value}: {problem}")
        return None


def _letter_fields(letter: Any) -> dict[str, Any]:
    failure = letter.failure
    origin = failure.origin
    return {
        "place": f"{letter.partition}:{letter.offset}",
        "from": f"{origin.topic}[{origin.partition}]@{origin.offset}",
        "time": failure.time,
        "replays": failure.replays,
        "reason": failure.reason,
        "message": failure.message,
        "key": letter.letter.key.decode("utf-8", "replace") if letter.letter.key else None,
    }


def _fail_if(count: int, what: str) -> None:
    if count:
        raise FatalError(f"{count} {what}")
