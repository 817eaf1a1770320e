"""Settings: one frozen object, read once from the environment and an optional TOML file.

Every field is set by `STANCEWIRE_<FIELD>` or by the same name in lower case in the TOML file that
`STANCEWIRE_CONFIG_FILE` names (default: `stancewire.toml` in the working folder, when there is
one). The environment wins. `stancewire config` shows what is in force and where it came from.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, SecretStr, StringConstraints, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from models.batches import BATCH_TOKENS
from service.errors import UsageError
from service.logs import LogFormat
from service.security import contradiction

ENV_PREFIX = "STANCEWIRE_"
CONFIG_FILE_VARIABLE = f"{ENV_PREFIX}CONFIG_FILE"
DEFAULT_CONFIG_FILE = "stancewire.toml"
MASK = "**********"  # as pydantic shows a secret
NO_SUCH_SETTING = "there is no such setting; see `stancewire config`"
# Kubernetes sets these in every pod beside a Service that is named stancewire.
SERVICE_LINK = re.compile(r"STANCEWIRE_(SERVICE_(HOST|PORT)|PORT$|PORT_\d+_(TCP|UDP))")

Topic = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
Brokers = Annotated[str, StringConstraints(pattern=r"^[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*$")]


class Settings(BaseSettings):
    """What can be set. Times are in seconds, sizes in bytes, text lengths in code points."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # in tracebacks; our own line shows it unless it is a secret
    )

    brokers: Brokers = Field(
        "127.0.0.1:9092", description="Kafka bootstrap servers: host:port, comma separated."
    )
    group: Topic = Field("stancewire", description="Consumer group that the workers share.")
    topic_articles: Topic = Field("articles", description="Topic that articles are read from.")
    topic_quotes: Topic = Field("quotes", description="Topic that quote events are written to.")
    topic_dead_letters: Topic = Field(
        "articles.dead", description="Topic for articles that cannot be processed."
    )
    topic_speakers: Topic = Field(
        "speakers", description="Topic that `stancewire watch-speakers` writes to."
    )
    start_from: Literal["earliest", "latest"] = Field(
        "earliest", description="Where a group without committed offsets begins to read."
    )

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = Field(
        "PLAINTEXT", description="`SSL`: TLS to the brokers; `SASL_SSL`: credentials, over TLS."
    )
    tls_ca_file: Path | None = Field(
        None, description="PEM file of the CAs that are trusted; unset: those of the system."
    )
    tls_certificate_file: Path | None = Field(
        None, description="PEM file of the client's certificate, where brokers ask for one."
    )
    tls_key_file: Path | None = Field(
        None, description="PEM file of its private key; unset: in the file of the certificate."
    )
    tls_key_password: SecretStr | None = Field(
        None, min_length=1, description="Password of an encrypted private key."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How the password is proved to the brokers."
    )
    sasl_username: str | None = Field(None, min_length=1, description="User that the brokers know.")
    sasl_password: SecretStr | None = Field(
        None, min_length=1, description="Password of that user."
    )
    sasl_password_file: Path | None = Field(
        None, description="File that holds this password, such as a mounted secret."
    )

    model: str = Field(
        "default",
        min_length=1,
        description="Classifier: `default`, a local folder, a Hugging Face id, or `keywords`.",
    )
    labels_file: Path | None = Field(
        None, description="TOML file with another label set; unset: the three stances."
    )
    model_threads: int = Field(
        0,
        ge=0,
        le=256,
        description="Threads of the model; 0: one for each core that the container may use.",
    )
    batch_tokens: int = Field(
        BATCH_TOKENS,
        ge=16,
        le=65_536,
        description="Most tokens in one model call, padding included; a longer quote goes alone.",
    )
    batch_wait_seconds: float = Field(
        0.002, ge=0, le=1, description="How long a quote waits for others to share its model call."
    )
    cache_quotes: int = Field(
        20_000,
        ge=0,
        le=100_000_000,
        description="Quotes whose scores are remembered, about 300 bytes each; 0: none.",
    )

    max_article_chars: int = Field(
        1_000_000, ge=1, description="Longest text of an article; longer ones are dead letters."
    )
    max_message_bytes: int = Field(
        8 * 1024**2, ge=65_536, description="Largest message that is sent or fetched."
    )
    max_output_bytes: int = Field(
        256 * 1024**2,
        ge=65_536,
        description="Largest output of one article, all its events together.",
    )
    max_in_flight_articles: int = Field(
        128, ge=1, le=100_000, description="Articles in work at one time in one worker."
    )
    max_in_flight_bytes: int = Field(
        64 * 1024**2, ge=1024, description="Bytes of articles in work at one time in one worker."
    )
    article_timeout_seconds: float = Field(
        120, gt=0, description="Longest work on one article; then it is a dead letter."
    )
    delivery_timeout_seconds: float = Field(
        30,
        ge=1,
        description="Longest wait for a message to be acknowledged; then the worker stops.",
    )
    drain_timeout_seconds: float = Field(
        20, ge=0, description="Longest wait for articles in work at shutdown or rebalance."
    )
    stall_timeout_seconds: float = Field(
        45, ge=5, description="Longest standstill while articles wait; then the worker stops."
    )

    fetch_wait_seconds: float = Field(
        0.5,
        ge=0,
        le=30,
        description="How long the broker may hold a fetch while nothing arrives.",
    )
    commit_interval_seconds: float = Field(
        1.0, gt=0, description="How often offsets of delivered articles are committed."
    )
    session_timeout_seconds: float = Field(
        30, gt=0, description="Silence after which the group gives a worker's partitions away."
    )
    heartbeat_seconds: float = Field(3, gt=0, description="Pause between group heartbeats.")
    rebalance_timeout_seconds: float = Field(
        40, gt=0, description="How long a rebalance waits for a worker to hand over."
    )
    connect_timeout_seconds: float = Field(
        30, ge=0, description="How long a worker tries to reach Kafka before it gives up."
    )

    http_host: str = Field(
        "127.0.0.1", description="Address of the HTTP port; 0.0.0.0 in a container."
    )
    http_port: int = Field(
        8088, ge=0, le=65535, description="Port of metrics, probes, live page; 0: any."
    )
    live_page: bool = Field(True, description="Show the last quotes at `/` of the same port.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severity that is logged."
    )
    log_format: LogFormat = Field(
        "text", description="Log lines as `text`, or as `json`: one object a line."
    )
    tracing: bool = Field(
        False, description="Send spans of OpenTelemetry by OTLP; `OTEL_…` variables say where to."
    )

    @property
    def topics(self) -> tuple[str, str, str]:
        """Names of the topics that a worker needs: articles, quotes, dead letters."""
        return self.topic_articles, self.topic_quotes, self.topic_dead_letters

    @property
    def all_topics(self) -> tuple[str, ...]:
        """These, and the one that the watcher of speakers writes to."""
        return (*self.topics, self.topic_speakers)

    @model_validator(mode="after")
    def _times_fit_together(self) -> "Settings":
        if self.heartbeat_seconds * 3 > self.session_timeout_seconds:
            raise ValueError(
                "session_timeout_seconds must be at least three times heartbeat_seconds "
                f"(got {self.session_timeout_seconds:g} and {self.heartbeat_seconds:g})"
            )
        if self.drain_timeout_seconds >= self.rebalance_timeout_seconds:
            raise ValueError(
                "drain_timeout_seconds must be below rebalance_timeout_seconds "
                f"(got {self.drain_timeout_seconds:g} and {self.rebalance_timeout_seconds:g})"
            )
        return self

    @model_validator(mode="after")
    def _topics_differ(self) -> "Settings":
        names = self.all_topics
        if len(set(names)) < len(names):  # a worker would feed on its own output for ever
            raise ValueError(
                "topic_articles, topic_quotes, topic_dead_letters and topic_speakers must differ "
                f"(got {', '.join(names)})"
            )
        return self

    @model_validator(mode="after")
    def _connection_is_safe(self) -> "Settings":
        problem = contradiction(self)
        if problem:
            raise ValueError(problem)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file; nothing else."""
        del dotenv_settings, file_secret_settings
        file = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, file


def config_file() -> Path | None:
    """The TOML file in force, or None.

    Raises:
        UsageError: `STANCEWIRE_CONFIG_FILE` names a file that is not there.
    """
    named = os.environ.get(CONFIG_FILE_VARIABLE)
    path = Path(named or DEFAULT_CONFIG_FILE)
    if path.is_file():
        return path
    if named:
        raise UsageError(f"{CONFIG_FILE_VARIABLE}={named}: no such file")
    return None


def load_settings(**overrides: Any) -> Settings:
    """Read the settings once.

    Args:
        overrides: fields set by the caller (a command's options); they win. None is ignored.

    Raises:
        UsageError: a value is wrong or unknown; the message names it on one line.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    _reject_unknown_variables()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise UsageError(_one_line(error)) from error
    except ValueError as error:  # a TOML file that is not TOML
        raise UsageError(f"{config_file()}: {error}") from error


def source_of(field: str, settings: Settings) -> str:
    """Where the value of `field` came from: "environment", a file's name, "default" or "option"."""
    value = getattr(settings, field)
    if f"{ENV_PREFIX}{field}".upper() in os.environ:
        return "environment"
    file = config_file()
    if file and field in TomlConfigSettingsSource(Settings, toml_file=file)():
        return str(file)
    return "default" if value == Settings.model_fields[field].default else "option"


def _reject_unknown_variables() -> None:
    """A misspelt variable is an error: silently ignored settings are found in production."""
    known = {f"{ENV_PREFIX}{name}".upper() for name in Settings.model_fields}
    known.add(CONFIG_FILE_VARIABLE)
    for variable in sorted(os.environ):
        if (
            variable.startswith(ENV_PREFIX)
            and variable not in known
            and not SERVICE_LINK.match(variable)
        ):
            raise UsageError(f"{variable}: {NO_SUCH_SETTING}")


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if not field:
        return message
    if first["type"] == "extra_forbidden":  # its value may be a secret under a misspelt name
        return f"{field}: {NO_SUCH_SETTING}"
    variable = f"{ENV_PREFIX}{field}".upper()
    name = variable if variable in os.environ else field
    return f"{name}={MASK if _is_secret(field) else repr(first['input'])}: {message}"


def _is_secret(field: str) -> bool:
    return SecretStr in get_args(Settings.model_fields[field].annotation)
