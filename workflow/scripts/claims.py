"""Check the claims of one document."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import jobs

jobs.log_to(snakemake.log[0])
jobs.check_claims(snakemake.params.claims, snakemake.output[0])
