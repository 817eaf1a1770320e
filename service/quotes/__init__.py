"""Article text -> quotes: where they are, what was said, by whom. Knows no Kafka and no models."""

from service.quotes.extraction import extract_quotes
from service.quotes.model import Quote, QuoteKind, Speaker

__all__ = ["Quote", "QuoteKind", "Speaker", "extract_quotes"]
