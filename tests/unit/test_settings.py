"""Settings: where they come from, and that every mistake is one line that names it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.errors import UsageError
from service.settings import Settings, config_file, load_settings, source_of

pytestmark = pytest.mark.usefixtures("no_settings")


def write(text: str, name: str = "stancewire.toml") -> Path:
    path = Path(name)
    path.write_text(text)
    return path


def complaint(**overrides: Any) -> str:
    """The one line that loading fails with."""
    with pytest.raises(UsageError) as caught:
        load_settings(**overrides)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_field_has_a_default_and_a_description(field: str) -> None:
    info = Settings.model_fields[field]
    assert not info.is_required()
    assert info.description
    assert info.description.endswith(".")


def test_defaults_are_valid_and_listen_on_this_machine_only() -> None:
    settings = load_settings()
    assert settings.http_host == "127.0.0.1"
    assert settings.brokers == "127.0.0.1:9092"


def test_defaults_wait_little_and_remember_quotes() -> None:
    settings = load_settings()
    assert settings.batch_tokens == 256
    assert settings.batch_wait_seconds == 0.002
    assert settings.cache_quotes >= 10_000
    assert settings.fetch_wait_seconds == 0.5


def test_a_cache_of_no_quotes_and_a_fetch_without_waiting_are_fine() -> None:
    settings = load_settings(cache_quotes=0, fetch_wait_seconds=0, batch_wait_seconds=0)
    assert (settings.cache_quotes, settings.fetch_wait_seconds) == (0, 0)


def test_the_setting_that_counted_quotes_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STANCEWIRE_BATCH_QUOTES", "32")
    assert complaint().startswith("STANCEWIRE_BATCH_QUOTES: there is no such setting")


def test_environment_beats_file_and_file_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    write('group = "from-file"\nmodel = "from-file"\n')
    monkeypatch.setenv("STANCEWIRE_GROUP", "from-environment")
    settings = load_settings()
    assert settings.group == "from-environment"
    assert settings.model == "from-file"
    assert settings.topic_articles == "articles"


def test_option_beats_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_MODEL", "from-environment")
    assert load_settings(model="from-option").model == "from-option"


def test_option_that_was_not_given_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_MODEL", "from-environment")
    assert load_settings(model=None).model == "from-environment"


def test_file_in_the_working_folder_is_read_only_if_there_is_one() -> None:
    assert config_file() is None
    path = write('group = "desk"')
    assert config_file() == path
    assert load_settings().group == "desk"


def test_named_file_replaces_the_one_in_the_working_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write('group = "here"')
    write('model = "there"', "other.toml")
    monkeypatch.setenv("STANCEWIRE_CONFIG_FILE", "other.toml")
    assert (load_settings().group, load_settings().model) == ("stancewire", "there")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().group = "other"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("variable", "value", "piece"),
    [
        ("STANCEWIRE_BATCH_TOKENS", "many", "valid integer"),
        ("STANCEWIRE_BATCH_TOKENS", "15", "greater than or equal to 16"),
        ("STANCEWIRE_BATCH_TOKENS", "65537", "less than or equal to 65536"),
        ("STANCEWIRE_BATCH_TOKENS", "", "valid integer"),
        ("STANCEWIRE_BATCH_WAIT_SECONDS", "1.1", "less than or equal to 1"),
        ("STANCEWIRE_CACHE_QUOTES", "-1", "greater than or equal to 0"),
        ("STANCEWIRE_FETCH_WAIT_SECONDS", "-0.1", "greater than or equal to 0"),
        ("STANCEWIRE_FETCH_WAIT_SECONDS", "31", "less than or equal to 30"),
        ("STANCEWIRE_HTTP_PORT", "65536", "less than or equal to 65535"),
        ("STANCEWIRE_BROKERS", "kafka", "match pattern"),
        ("STANCEWIRE_BROKERS", "kafka:9092, other:9092", "match pattern"),
        ("STANCEWIRE_BROKERS", "", "match pattern"),
        ("STANCEWIRE_TOPIC_QUOTES", "quotes of the day", "match pattern"),
        ("STANCEWIRE_START_FROM", "yesterday", "'earliest' or 'latest'"),
        ("STANCEWIRE_LOG_LEVEL", "LOUD", "'DEBUG', 'INFO'"),
        ("STANCEWIRE_MODEL", "", "at least 1 character"),
        ("STANCEWIRE_ARTICLE_TIMEOUT_SECONDS", "0", "greater than 0"),
        ("STANCEWIRE_ARTICLE_TIMEOUT_SECONDS", "nan", ""),
        ("STANCEWIRE_CONNECT_TIMEOUT_SECONDS", "inf", "finite number"),
    ],
)
def test_bad_value_is_one_line_that_names_the_variable_and_the_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, piece: str
) -> None:
    monkeypatch.setenv(variable, value)
    line = complaint()
    assert line.startswith(f"{variable}={value!r}: ")
    assert piece in line


def test_bad_value_in_the_file_is_one_line_that_names_the_key() -> None:
    write('batch_tokens = "many"')
    assert complaint().startswith("batch_tokens='many': ")


def test_bad_option_is_one_line_that_names_it() -> None:
    assert complaint(brokers="kafka").startswith("brokers='kafka': ")


def test_misspelt_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_BROKER", "kafka:9092")
    assert complaint().startswith("STANCEWIRE_BROKER: there is no such setting")


@pytest.mark.parametrize(
    "variable",
    [
        "STANCEWIRE_SERVICE_HOST",
        "STANCEWIRE_SERVICE_PORT_HTTP",
        "STANCEWIRE_PORT",
        "STANCEWIRE_PORT_8088_TCP_ADDR",
    ],
)
def test_variables_that_kubernetes_sets_beside_a_service_of_that_name_are_no_settings(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "tcp://10.0.0.1:8088")
    assert load_settings() == Settings()


def test_misspelt_key_in_the_file_is_refused_by_name() -> None:
    write('broker = "kafka:9092"')
    assert complaint() == "broker: there is no such setting; see `stancewire config`"


def test_named_file_that_is_missing_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_CONFIG_FILE", "no/such.toml")
    assert complaint() == "STANCEWIRE_CONFIG_FILE=no/such.toml: no such file"


@pytest.mark.parametrize(
    "data", [b"group = ", b'group = "a"\ngroup = "b"', b"\xff\xfe"], ids=["half", "twice", "binary"]
)
def test_file_that_is_not_toml_is_one_line_that_names_the_file(data: bytes) -> None:
    Path("stancewire.toml").write_bytes(data)
    assert complaint().startswith("stancewire.toml: ")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (
            {"heartbeat_seconds": 11, "session_timeout_seconds": 30},
            ["session_timeout_seconds", "heartbeat_seconds", "11"],
        ),
        (
            {"drain_timeout_seconds": 60, "rebalance_timeout_seconds": 60},
            ["drain_timeout_seconds", "rebalance_timeout_seconds", "60"],
        ),
        (
            {"topic_articles": "wire", "topic_dead_letters": "wire"},
            ["topic_articles", "topic_dead_letters", "wire"],
        ),
        ({"topic_quotes": "articles"}, ["topic_quotes", "articles"]),
    ],
    ids=["heartbeat", "drain", "dead letters to the input", "quotes to the input"],
)
def test_values_that_do_not_fit_together_are_one_line_that_names_both(
    values: dict[str, Any], names: list[str]
) -> None:
    line = complaint(**values)
    for name in names:
        assert name in line


def test_times_that_just_fit_are_fine() -> None:
    settings = load_settings(heartbeat_seconds=10, session_timeout_seconds=30)
    assert settings.heartbeat_seconds == 10


def test_source_of_tells_all_four_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    write('topic_quotes = "said"\ngroup = "from-file"')
    monkeypatch.setenv("STANCEWIRE_GROUP", "desk")
    settings = load_settings(model="keywords")
    assert source_of("group", settings) == "environment"
    assert source_of("topic_quotes", settings) == "stancewire.toml"
    assert source_of("model", settings) == "option"
    assert source_of("brokers", settings) == "default"
