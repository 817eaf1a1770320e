"""Scores of texts seen lately: wire stories are printed by many papers, often within hours.

A text is known by the ids of its tokens, which is all that the network reads of it: white space,
case where the model ignores it, or a comma before the closing mark make no difference.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence

from cachetools import LRUCache

from models.classifier import EncodedText

DIGEST_BYTES = 16


class ScoreCache:
    """The last `quotes` texts that were scored; about 300 bytes each. 0 remembers nothing.

    Not safe for use from several threads.
    """

    def __init__(self, quotes: int, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._packing = struct.Struct(f"{len(self._labels)}d")
        self._packed: LRUCache[bytes, bytes] = LRUCache(quotes)

    def __len__(self) -> int:
        return len(self._packed)

    def get(self, key: bytes) -> dict[str, float] | None:
        """The scores of the text with this key, exactly as they were given."""
        packed = self._packed.get(key)
        if packed is None:
            return None
        return dict(zip(self._labels, self._packing.unpack(packed), strict=True))

    def put(self, key: bytes, scores: Mapping[str, float]) -> None:
        """Remember; what was not asked for the longest time is forgotten when there is no room."""
        if self._packed.maxsize:
            self._packed[key] = self._packing.pack(*(scores[label] for label in self._labels))


def cache_key(text: EncodedText) -> bytes:
    """Equal for texts that the network reads alike."""
    return hashlib.blake2b(text.ids.tobytes(), digest_size=DIGEST_BYTES).digest()
