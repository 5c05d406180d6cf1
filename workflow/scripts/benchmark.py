"""Time our work beside the peers'."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
from diffhep.pipeline import jobs

if __name__ == "__main__":  # the processes of one core each read this file too
    jobs.log_to(snakemake.log[0])
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    jobs.prepare(snakemake.threads)
    write = jobs.resolve("benchmarks.table:write")
    write(snakemake.params.settings, snakemake.threads, list(snakemake.output))
