"""How much may be in work at one time. Knows no Kafka client."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class Budget:
    """Bounds the articles in work, by number and by bytes. One task acquires, many release.

    An article larger than all the bytes allowed is let in when it is alone.
    """

    max_articles: int
    max_bytes: int
    articles: int = 0
    bytes: int = 0
    _freed: asyncio.Event = field(default_factory=asyncio.Event)

    async def acquire(self, size: int) -> None:
        """Wait until one more article of `size` bytes fits."""
        while not self._fits(size):
            self._freed.clear()
            await self._freed.wait()
        self.articles += 1
        self.bytes += size

    def release(self, size: int) -> None:
        """Give back what `acquire(size)` took."""
        self.articles -= 1
        self.bytes -= size
        self._freed.set()

    def _fits(self, size: int) -> bool:
        if self.articles == 0:
            return True
        return self.articles < self.max_articles and self.bytes + size <= self.max_bytes
