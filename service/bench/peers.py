"""What the service is compared with: run as `python -m service.bench.peers NAME`, settings as ever.

- `naive`: what one would write oneself. A Faust agent that sends each quote alone through
  transformers' zero-shot pipeline, with an entailment model of the size of the packaged one
  (random weights: the time is the same) and one hypothesis a label.
- `forward`: a Faust agent that sends as many messages as the article has quotes: no splitting, no
  model. The article's message says how many in the header `quotes`.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import faust
from faust.types import StreamT

from models.loading import PACKAGED
from service.app import BareApp
from service.quotes import extract_quotes
from service.settings import Settings, load_settings

HYPOTHESES = ["doubt about a claim", "an offer of talks", "a threat"]
LAYERS = 6
QUOTES_HEADER = "quotes"

Classify = Callable[[str], object]


def entailment_pipeline(folder: Path) -> Classify:
    """Transformers' zero-shot pipeline on a random model of the packaged model's architecture."""
    from transformers import (
        MPNetConfig,
        MPNetForSequenceClassification,
        PreTrainedTokenizerFast,
        pipeline,
    )

    config = MPNetConfig(
        vocab_size=30527,
        num_hidden_layers=LAYERS,
        id2label={0: "contradiction", 1: "neutral", 2: "entailment"},
        label2id={"contradiction": 0, "neutral": 1, "entailment": 2},
    )
    model = MPNetForSequenceClassification(config)
    model.save_pretrained(folder)
    special = {"pad_token": "<pad>", "sep_token": "</s>", "cls_token": "<s>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(PACKAGED / "tokenizer.json"), model_max_length=512, **special
    )
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    classify = pipeline("zero-shot-classification", model=str(folder), device="cpu")
    return lambda text: classify(
        text, candidate_labels=HYPOTHESES, hypothesis_template="{}", multi_label=True
    )


def main(name: str) -> None:
    """Run one peer until it is told to stop."""
    settings = load_settings()
    app = plain_app(settings)
    with TemporaryDirectory() as folder:
        if name == "naive":
            _add_naive(app, settings, entailment_pipeline(Path(folder)))
        else:
            _add_forward(app, settings)
        faust.Worker(app, loglevel="WARNING").execute_from_commandline()


def plain_app(settings: Settings, **options: Any) -> BareApp:
    """An app as one would make it oneself, on these settings' broker; chaos runs have one too."""
    return BareApp(
        settings.group,
        broker=f"kafka://{settings.brokers}",
        env_prefix="STANCEWIRE_FAUST_UNUSED_",
        store="memory://",
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        consumer_auto_offset_reset="earliest",
        **options,
    )


def _add_naive(app: BareApp, settings: Settings, classify: Classify) -> None:
    quotes = app.topic(settings.topic_quotes, value_serializer="raw", key_serializer="raw")

    @app.agent(app.topic(settings.topic_articles, value_serializer="raw"))
    async def naive(articles: StreamT[bytes]) -> None:
        async for value in articles:
            article = json.loads(value)
            for quote in extract_quotes(article["text"]):
                result = {"text": quote.text, "stance": classify(quote.text)}
                await quotes.send(key=article["id"].encode(), value=json.dumps(result).encode())


def _add_forward(app: BareApp, settings: Settings) -> None:
    quotes = app.topic(settings.topic_quotes, value_serializer="raw", key_serializer="raw")

    @app.agent(app.topic(settings.topic_articles, value_serializer="raw", key_serializer="raw"))
    async def forward(articles: StreamT[bytes]) -> None:
        async for event in articles.events():
            for _ in range(int(event.headers[QUOTES_HEADER])):
                await quotes.send(key=event.key, value=event.value[:600])


if __name__ == "__main__":
    main(sys.argv[1])
