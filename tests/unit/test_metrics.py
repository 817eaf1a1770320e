"""What Prometheus sees: names, units, series that are there before their first event."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.errors import Reason
from service.metrics import OUTCOMES, Metrics

Labels = tuple[tuple[str, str], ...]


def series(metrics: Metrics) -> dict[tuple[str, Labels], float]:
    """Every sample, as Prometheus' own parser reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def labelled(metrics: Metrics, name: str) -> dict[Labels, float]:
    return {labels: value for (found, labels), value in series(metrics).items() if found == name}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("articles", "counter"),
        ("quotes", "counter"),
        ("dead_letters", "counter"),
        ("replayed_articles", "counter"),
        ("parked_dead_letters", "counter"),
        ("article_seconds", "histogram"),
        ("article_age_seconds", "histogram"),
        ("inference_seconds", "histogram"),
        ("inference_quotes", "histogram"),
        ("score_cache_requests", "counter"),
        ("in_flight_articles", "gauge"),
        ("in_flight_bytes", "gauge"),
        ("consumer_lag", "gauge"),
        ("stalled", "gauge"),
        ("model_info", "gauge"),
    ],
)
def test_metric_of_the_contract_is_there_with_its_type_and_a_help_text(
    name: str, kind: str
) -> None:
    families = {
        family.name: family
        for family in text_string_to_metric_families(Metrics().render().decode())
    }
    assert families[f"stancewire_{name}"].type == kind
    assert families[f"stancewire_{name}"].documentation.endswith(".")


def test_process_metrics_are_there_too() -> None:
    names = {name for name, _ in series(Metrics())}
    assert {"process_cpu_seconds_total", "python_info"} <= names


def test_every_outcome_is_zero_before_the_first_article() -> None:
    assert labelled(Metrics(), "stancewire_articles_total") == {
        (("outcome", outcome),): 0 for outcome in OUTCOMES
    }


def test_every_reason_is_zero_before_the_first_dead_letter() -> None:
    assert labelled(Metrics(), "stancewire_dead_letters_total") == {
        (("reason", reason.value),): 0 for reason in Reason
    }


def test_every_stance_is_zero_once_the_model_is_known() -> None:
    metrics = Metrics()
    assert labelled(metrics, "stancewire_quotes_total") == {}
    metrics.set_model("keywords", "c5a0", "3063", ("sceptical", "none"))
    assert labelled(metrics, "stancewire_quotes_total") == {
        (("stance", "sceptical"),): 0, (("stance", "none"),): 0
    }  # fmt: skip
    assert labelled(metrics, "stancewire_model_info") == {
        (("labels", "3063"), ("name", "keywords"), ("version", "c5a0")): 1
    }


def test_no_created_series_doubles_what_is_scraped() -> None:
    assert [name for name, _ in series(Metrics()) if name.endswith("_created")] == []


def test_model_call_counts_once_with_its_seconds_and_its_quotes() -> None:
    metrics = Metrics()
    metrics.observe_inference(0.2, 7)
    found = series(metrics)
    assert found["stancewire_inference_seconds_sum", ()] == pytest.approx(0.2)
    assert found["stancewire_inference_seconds_count", ()] == 1
    assert found["stancewire_inference_quotes_bucket", (("le", "4.0"),)] == 0
    assert found["stancewire_inference_quotes_bucket", (("le", "8.0"),)] == 1


def test_hits_and_misses_of_the_cache_are_zero_at_first_and_then_counted() -> None:
    metrics = Metrics()
    name = "stancewire_score_cache_requests_total"
    hit, miss = (("result", "hit"),), (("result", "miss"),)
    assert labelled(metrics, name) == {hit: 0, miss: 0}
    metrics.observe_cache(2, 5)
    metrics.observe_cache(1, 0)
    assert labelled(metrics, name) == {hit: 3, miss: 5}


def test_lag_of_a_partition_that_went_to_another_worker_vanishes() -> None:
    metrics = Metrics()
    metrics.set_lag({("articles", 0): 5, ("articles", 1): 0})
    metrics.set_lag({("articles", 1): 3})
    assert labelled(metrics, "stancewire_consumer_lag") == {
        (("partition", "1"), ("topic", "articles")): 3
    }


def test_two_workers_in_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.articles.labels("classified").inc()
    assert series(second)["stancewire_articles_total", (("outcome", "classified"),)] == 0
