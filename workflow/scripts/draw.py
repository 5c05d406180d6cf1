"""Draw one figure of the manifest."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import drawing, jobs

jobs.log_to(snakemake.log[0])
outputs, params = dict(snakemake.output.items()), snakemake.params
drawing.draw(params.entry, dict(snakemake.input.items()), outputs, params.dpi)
