"""Makes wine.csv, next to this file, from scikit-learn's copy of the set.

    pip download --no-deps scikit-learn==1.7.2
    python3 make.py scikit_learn-1.7.2-*.whl

With a second argument, it writes there instead.
"""

import pathlib
import sys
import zipfile

NAMES = [
    "alcohol", "malic_acid", "ash", "alcalinity", "magnesium", "phenols", "flavanoids", "nonflavanoid_phenols",
    "proanthocyanins", "colour", "hue", "od280_od315", "proline", "grower",
]

wheel = sys.argv[1]
out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).with_name("wine.csv")
with zipfile.ZipFile(wheel) as archive:
    text = archive.read("sklearn/datasets/data/wine_data.csv").decode()
# Its first line counts rows and columns.
first, *rows = text.split()
assert first.startswith("178,13,") and len(rows) == 178, first
assert all(len(row.split(",")) == len(NAMES) for row in rows)
out.write_text("\n".join([",".join(NAMES), *rows]) + "\n")
