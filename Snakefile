"""diffhep: every computed figure of five documents, rebuilt from generated data.

Read it as a table of contents: settings, then one file of rules a study, then what is drawn and told from their results.
"""

from snakemake.utils import min_version

min_version("9.19")


include: "workflow/rules/refusals.smk"


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/processes.smk"
include: "workflow/rules/scheduling.smk"


rule all:
    """Every figure, the claims of every document beside what was measured, and what was trained as workspaces."""
    input:
        PICTURES.values(),
        "<results>/claims.csv",
        "<results>/index.html",
        "<results>/report.html",
        lambda wildcards: rules.workspaces.input,
    localrule: True


include: "workflow/rules/templates.smk"
include: "workflow/rules/foundations.smk"
include: "workflow/rules/counting.smk"
include: "workflow/rules/cuts.smk"
include: "workflow/rules/histograms.smk"
include: "workflow/rules/two_bins.smk"
include: "workflow/rules/blobs.smk"
include: "workflow/rules/scaling.smk"
include: "workflow/rules/flow_interpolation.smk"
include: "workflow/rules/resonance.smk"
include: "workflow/rules/split_n_fit.smk"
include: "workflow/rules/contrastive.smk"
include: "workflow/rules/higgsml.smk"
include: "workflow/rules/vbf_hh4b.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/gallery.smk"
include: "workflow/rules/benchmarks.smk"


require_references("config/figures.yaml", ENTRIES, plot_of)
require_references(
    "config/claims.yaml",
    CLAIMS,
    lambda claim: f"diffhep.claims:{CLAIMS[claim]['check']}",
)
