"""Time a build with one worker and more."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import jobs

jobs.log_to(snakemake.log[0])
write = jobs.resolve("benchmarks.workers:write")
write(snakemake.params.settings, snakemake.config, snakemake.threads, snakemake.output[0])
