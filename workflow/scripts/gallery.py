"""Write the pages that show every figure and claim."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import jobs

jobs.log_to(snakemake.log[0])
params, files, outputs = snakemake.params, snakemake.input.pictures, dict(snakemake.output.items())
jobs.write_pages(params.documents, params.pictures, files, snakemake.input.claims, outputs, params.scale)
