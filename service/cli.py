"""The command `stancewire`. Thin: parses, calls, prints; heavy imports wait until they are needed.

Exit codes: 0 fine, 1 something failed (said on standard error), 2 wrong usage or settings.
"""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli_options import Brokers, Files, Labels, Model, OutputFormat
from service.cli_speakers import watch_speakers
from service.cli_topics import dead_letters_app, topics_app
from service.errors import FatalError, InvalidArticle
from service.output import (
    Format,
    Output,
    event_cells,
    print_events,
    print_explanations,
    print_line,
    print_table,
    say,
)
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
schema_app = typer.Typer(help="The contracts, generated from the code.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(schema_app, name="schema")


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


app.command("watch-speakers", epilog="Example: stancewire watch-speakers --format jsonl")(
    watch_speakers
)


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
    explain: Annotated[
        bool, typer.Option("--explain", help="Each hypothesis' score, similar training quotes.")
    ] = False,
) -> None:
    """Stances of given texts, one a line: no broker."""
    from service.inputs import read_texts
    from service.model import load_explainer, load_model
    from service.offline import classify_texts, explained

    objects = list(read_texts(files))
    settings = load_settings(model=model, labels_file=labels)
    classifier = load_model(settings)
    results = classify_texts(classifier, objects)
    if explain:
        results = explained(results, load_explainer(classifier))
        if format is Format.TABLE:
            print_explanations(results)
            return
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


@schema_app.command("json-schema", epilog="Example: stancewire schema json-schema quote")
def schema_json(
    event: Annotated[str, typer.Argument(help="article, quote or tally")] = "quote",
) -> None:
    """JSON Schema of an event."""
    from service.contracts import article_schema, quote_schema, tally_schema

    schemas = {"article": article_schema, "quote": quote_schema, "tally": tally_schema}
    if event not in schemas:
        raise typer.BadParameter(f"{event!r} is none of {', '.join(schemas)}")
    print_line(json.dumps(schemas[event](), indent=2))


@schema_app.command("asyncapi", epilog="Example: stancewire schema asyncapi > asyncapi.json")
def schema_asyncapi() -> None:
    """AsyncAPI 3 document of the service."""
    from service.contracts import asyncapi

    print_line(json.dumps(asyncapi(), indent=2))


@app.command(epilog="Example: stancewire bench --quick")
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="One short round: a minute.")] = False,
    rounds: Annotated[int, typer.Option(help="How often each party is measured.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="How long each load for latency.", min=1)] = 40,
    format: OutputFormat = Format.TABLE,
) -> None:
    """Stancewire beside a naive service and the model alone, on this machine: 15 minutes."""
    from rich.console import Console

    from service.bench.report import print_result
    from service.bench.run import QUICK, Plan, run_bench

    plan = QUICK if quick else Plan(rounds=rounds, latency_seconds=seconds)
    with Console(stderr=True).status("") as status:
        result = run_bench(load_settings(), plan, status.update)
    if format is Format.TABLE:
        print_result(result)
    print_line(json.dumps(result.as_dict()))


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


def _fail_if(count: int, what: str) -> None:
    if count:
        raise FatalError(f"{count} {what}")
