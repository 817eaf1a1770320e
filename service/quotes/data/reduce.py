"""Makes `given_names.tsv` anew: python reduce.py NAME_DATA_JSON > given_names.tsv.

NAME_DATA_JSON is `nomquamgender/name_data.json` of the package nomquamgender 0.1.4 (MIT licence,
Ian Van Buskirk): lower-case ASCII name -> [sources, persons counted, share of women, …]. Names that
few sources or few persons bear are left out, and those that are no single ASCII word.
"""

import json
import re
import sys
from pathlib import Path

MIN_SOURCES = 8
MIN_PERSONS = 500
CLEAR = 0.9

if __name__ == "__main__":
    names: dict[str, list[str]] = {"she": [], "he": [], "either": []}
    for name, (sources, persons, women, *_) in json.loads(Path(sys.argv[1]).read_text()).items():
        if sources >= MIN_SOURCES and persons >= MIN_PERSONS and re.fullmatch("[a-z]{2,}", name):
            names["she" if women >= CLEAR else "he" if women <= 1 - CLEAR else "either"].append(
                name
            )
    for pronoun, listed in names.items():
        sys.stdout.write(f"{pronoun}\t{' '.join(sorted(listed))}\n")
