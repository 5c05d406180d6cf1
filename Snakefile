"""diffhep: every computed figure of five documents, rebuilt from generated data.

Read it as a table of contents: settings, one file of rules for each study, then figures, claims and pages.
"""

from snakemake.utils import min_version

min_version("9.19")


include: "workflow/rules/errors.smk"


configfile: "config/config.yaml"


include: "workflow/rules/settings.smk"
include: "workflow/rules/manifest.smk"
include: "workflow/rules/shards.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/worker_processes.smk"
include: "workflow/rules/scheduler_patch.smk"


rule all:
    """Every figure, every claim with its measured value, both pages, and the trained models as pyhf workspaces."""
    input:
        PICTURES.values(),
        "<results>/claims.csv",
        "<results>/index.html",
        "<results>/report.html",
        lambda wildcards: rules.workspaces.input,
    localrule: True


include: "workflow/rules/templates.smk"
include: "workflow/rules/studies/foundations.smk"
include: "workflow/rules/studies/counting.smk"
include: "workflow/rules/studies/cuts.smk"
include: "workflow/rules/studies/histograms.smk"
include: "workflow/rules/studies/two_bins.smk"
include: "workflow/rules/studies/blobs.smk"
include: "workflow/rules/studies/scaling.smk"
include: "workflow/rules/studies/flow_interpolation.smk"
include: "workflow/rules/studies/resonance.smk"
include: "workflow/rules/studies/split_n_fit.smk"
include: "workflow/rules/studies/contrastive.smk"
include: "workflow/rules/studies/higgsml.smk"
include: "workflow/rules/studies/vbf_hh4b.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/gallery.smk"
include: "workflow/rules/benchmarks.smk"


check_references("figures", ENTRIES, plot_function)
check_references(
    "claims",
    CLAIMS,
    lambda claim: f"diffhep.pipeline.claims:{CLAIMS[claim]['check']}",
)
