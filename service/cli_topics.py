"""The commands `stancewire topics` and `stancewire dead-letters`."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli_options import Brokers, OutputFormat
from service.errors import Reason
from service.output import Format, foreign, print_line, print_table, say
from service.settings import load_settings

if TYPE_CHECKING:
    from service.letter_log import OpenLetter

MaxReplays = Annotated[
    int, typer.Option(min=1, help="What was replayed that often is parked: left where it is.")
]

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
    """Create those of the topics that do not exist yet; that of the speakers is compacted."""
    from service.clients import create_topics

    created = create_topics(
        load_settings(brokers=brokers), partitions=partitions, replicas=replicas
    )
    say("created " + ", ".join(created) if created else "all topics exist")


@topics_app.command("list", epilog="Example: stancewire topics list --format jsonl")
def topics_list(format: OutputFormat = Format.TABLE, brokers: Brokers = None) -> None:
    """The topics, with their numbers of partitions."""
    from service.clients import existing_topics

    settings = load_settings(brokers=brokers)
    existing = existing_topics(settings)
    names = settings.all_topics
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
    max_replays: MaxReplays = 1,
) -> None:
    """Dead letters that were not replayed yet.

    A letter is open, parked (replayed before, and it failed again), or has no_value.
    """
    from service.replay import read_letters

    letters = read_letters(load_settings(brokers=brokers)).open(reason)
    rows = [_letter_fields(letter, max_replays) for letter in letters]
    if format is Format.JSONL:
        for row in rows:
            print_line(json.dumps(row, ensure_ascii=False))
        return
    columns = ("place", "from", "time", "state", "replays", "reason", "message")
    print_table(columns, ([row[name] for name in columns] for row in rows))


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
    max_replays: MaxReplays = 1,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be replayed.")] = False,
) -> None:
    """Publish dead letters to the input topic again, as they were received."""
    from service.letter_log import State
    from service.replay import read_letters, replay

    settings = load_settings(brokers=brokers)
    log = read_letters(settings, to_replay=not dry_run)
    letters = log.open(reason)
    chosen = [letter for letter in letters if letter.state(max_replays) is State.OPEN][:limit]
    count = 0
    for letter in chosen if dry_run else replay(settings, log, chosen):
        fields = _letter_fields(letter, max_replays)
        line = f"{fields['place']}  {fields['reason']}  {fields['message']}"
        typer.echo(foreign(line).plain)
        count += 1
    say(f"{count} dead letters " + ("would be replayed" if dry_run else "replayed"))
    _say_what_is_left(letters, max_replays)


def _say_what_is_left(letters: "list[OpenLetter]", max_replays: int) -> None:
    from service.letter_log import State

    parked = [one for one in letters if one.state(max_replays) is State.PARKED]
    if parked:
        enough = 1 + max(one.failure.replays for one in parked)
        say(
            f"{len(parked)} left parked: replayed before, and failed again; "
            f"--max-replays {enough} replays them once more"
        )
    bare = [one for one in letters if one.state(max_replays) is State.NO_VALUE]
    if bare:
        say(f"{len(bare)} left without a value: publish them again from where they came from")


def _letter_fields(letter: "OpenLetter", max_replays: int) -> dict[str, Any]:
    failure = letter.failure
    return {
        "place": f"{letter.partition}:{letter.offset}",
        "from": str(failure.origin),
        "time": failure.time,
        "state": letter.state(max_replays).value,
        "replays": failure.replays,
        "reason": failure.reason,
        "message": failure.message,
        "key": letter.letter.key.decode("utf-8", "replace") if letter.letter.key else None,
    }
