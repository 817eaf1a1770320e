"""The tally that leaves: rolling counts of stances of one speaker or one source."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.events import Headers, binary_headers

EVENT_TYPE = "stancewire.stances.tallied.v1"
WINDOWS = {"1h": 60, "24h": 24 * 60, "7d": 7 * 24 * 60}
"""Names of the windows, and their lengths in minutes."""

Subject = Literal["speaker", "source"]
Count = Annotated[int, Field(ge=0)]
Counts = dict[str, Count]  # by stance; those that are 0 are left out


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(_Frozen):
    """A change of tone."""

    before: str = Field(description="Prevailing stance of the 7 days but for the last 24 hours.")
    now: str = Field(description="Prevailing stance of the last 24 hours.")


class Tally(_Frozen):
    """Rolling counts of one speaker's, or one source's, quotations by stance."""

    subject: Subject = Field(description="Whose quotations: said by, or printed in.")
    name: str
    windows: dict[str, Counts] = Field(
        description="1h, 24h and 7d to the counts of each stance; a stance without any is left out."
    )
    turn: Turn | None = Field(description="null: the tone is the same, or too little was said.")
    updated_at: str = Field(json_schema_extra={"format": "date-time"})

    @property
    def key(self) -> bytes:
        """Kafka key: the topic is compacted by it."""
        return tally_key(self.subject, self.name)

    def to_json(self) -> bytes:
        """The event as it is sent: UTF-8 JSON."""
        return self.model_dump_json().encode()

    def says_the_same(self, other: "Tally | None") -> bool:
        """True when only the time of writing differs."""
        return other is not None and self == other.model_copy(
            update={"updated_at": self.updated_at}
        )


def tally_key(subject: str, name: str) -> bytes:
    """As bytes: speaker:Jens Stoltenberg."""
    return f"{subject}:{name}".encode()


def tally_headers(tally: Tally) -> Headers:
    """Kafka headers of a tally: those of a CloudEvent. The id is key and time."""
    identity = f"{tally.key.decode()}@{tally.updated_at}"
    source = "/stancewire/watch-speakers"
    return binary_headers(identity, EVENT_TYPE, source=source, time=tally.updated_at)
