"""Where does a worker's time go under full load: a flame graph of all its threads.

Regime: one worker with the packaged model, the embedded broker, the load of `stancewire bench`,
sampled by py-spy 100 times a second for 20 s. A thread that waits is left out where py-spy can
tell; of an event loop that waits in its selector it often cannot. py-spy may ask for root.

Run: make profile
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from service.bench.drive import Driver
from service.bench.load import make_articles
from service.bench.parties import SERVICE, Party, party_settings
from service.broker import EmbeddedBroker
from service.settings import Settings, load_settings

PARTITIONS = 4
SECONDS = 20
ARTICLES = 700
PICTURE = Path(__file__).parents[1] / "docs" / "profile.svg"


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedBroker() as broker:
        settings = party_settings(load_settings(brokers=broker.address), SERVICE, "profile")
        with Party(SERVICE, settings, PARTITIONS, Path(folder) / "worker.log") as worker:
            asyncio.run(_load_while_sampled(settings, worker))
    # py-spy's title is its command line, with this machine's paths.
    picture = re.sub(r">[^<>]*py-spy record[^<>]*<", ">One worker, full load<", PICTURE.read_text())
    PICTURE.write_text(picture)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes")


async def _load_while_sampled(settings: Settings, worker: Party) -> None:
    async with Driver(settings, PARTITIONS) as driver:
        await driver.warm_up()
        articles = list(make_articles(ARTICLES, seed=1))
        sampler = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("py-spy"),
            *("record", "--threads", "--duration", str(SECONDS), "--rate", "100"),
            *("--output", str(PICTURE), "--pid", str(worker.pid)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await driver.rate(articles)
        if await sampler.wait():
            raise SystemExit("py-spy could not sample the worker: may you trace processes here?")


if __name__ == "__main__":
    main()
