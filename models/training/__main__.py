"""`python -m models.training`: from data to shipped files. See pipeline.py."""

from pathlib import Path

from models.training.pipeline import run

if __name__ == "__main__":
    run(Path("build/train"))
