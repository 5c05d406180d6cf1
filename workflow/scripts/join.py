"""Write tables of the same columns as one, as CSV and as Markdown."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import jobs

jobs.log_to(snakemake.log[0])
jobs.join_tables(list(snakemake.input), list(snakemake.output))
