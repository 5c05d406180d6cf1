"""Write what a stage makes of its inputs as JSON files."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import jobs

jobs.log_to(snakemake.log[0])
jobs.prepare(snakemake.threads, optimise=snakemake.config["optimise"])
jobs.export(snakemake.params.job, dict(snakemake.input.items()), snakemake.output)
