"""Reference values of the challenge's own package for toy events; writes the file that the tests compare with.

The package is not among our dependencies. To run it again:

    uv run --no-project --with HiggsML==0.1.5 --with 'pandas<4' python tests/data/htautau/higgsml_oracle.py

It reads `events` of `higgsml_oracle.json` (toy events of `diffhep.data.htautau.generator` of every process and
number of jets, rounded to three decimals as in the challenge, the last of them edited) and `shifts` and `intervals`
there, and writes the results beside them.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from HiggsML.derived_quantities import DER_data
from HiggsML.score import Scoring
from HiggsML.systematics import mom4_manipulate, postprocess

PATH = Path(__file__).with_suffix(".json")
SEED = 31415


def numbers(values):
    return [[float(f"{value:.7g}") for value in row] for row in np.asarray(values, float)]


def derived(table):
    return numbers(DER_data(table.copy()).filter(regex="^DER_"))


def shifted(events, shift):
    """Columns after a shift, and after the selection with the rows that pass."""
    table = mom4_manipulate(events.copy(), shift["tes"], shift["jes"], shift["soft_met"], seed=SEED)
    selected = postprocess(table.assign(row=np.arange(len(table))))
    rows = selected.pop("row").tolist()
    return {"shifted": numbers(table), "rows": rows, "selected": numbers(selected), "derived": derived(selected)}


def main():
    content = json.loads(PATH.read_text())
    events = pd.DataFrame(content["events"], columns=content["columns"])
    names = list(DER_data(events.copy()).filter(regex="^DER_"))
    noise = np.random.RandomState(SEED).normal(0, 1, size=2 * len(events)).reshape(2, -1).T
    scores = [
        Scoring().Quantiles_Score(*(np.array(each[name]) for name in ("truth", "low", "high")))
        for each in content["intervals"]
    ]
    content |= {"derived_columns": names, "derived": derived(events), "noise": numbers(noise)}
    content["shifts"] = [
        {name: shift[name] for name in ("tes", "jes", "soft_met")} | shifted(events, shift)
        for shift in content["shifts"]
    ]
    content["scores"] = numbers(scores)
    lines = (f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in content.items())
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
