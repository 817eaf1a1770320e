"""Made-up texts to break extraction with, and what must hold for every text whatever."""
