"""Our work timed beside the same work as the peers do it: `snakemake benchmarks`."""
