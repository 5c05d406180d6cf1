"""Draw one animation of the manifest."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import drawing, jobs

jobs.log_to(snakemake.log[0])
params = snakemake.params
drawing.animate(params.entry, dict(snakemake.input.items()), snakemake.output[0], params.dpi)
