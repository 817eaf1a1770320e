"""The commands `stancewire topics` and `stancewire dead-letters`."""

import json
from typing import Annotated, Any

import typer

from service.cli_options import Brokers, OutputFormat
from service.errors import Reason
from service.output import Format, print_line, print_table, say
from service.settings import load_settings

topics_app = typer.Typer(help="The topics that Stancewire reads and writes.", no_args_is_help=True)
dead_letters_app = typer.Typer(
    help="Articles that could not be processed, and the way back.", no_args_is_help=True
)


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
    names = settings.topics
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
