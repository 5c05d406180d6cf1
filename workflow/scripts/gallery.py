"""Write the page that shows every figure and claim."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep import jobs

jobs.log_to(snakemake.log[0])
params, files = snakemake.params, snakemake.input.pictures
jobs.write_gallery(params.documents, params.pictures, files, snakemake.input.claims, snakemake.output[0])
