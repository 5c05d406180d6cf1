"""What the documents say happened, beside what the stored results say."""


rule document_claims:
    """Check the claims of one document."""
    input:
        lambda wildcards: claim_inputs(wildcards.document),
    output:
        "<results>/claims/{document}.csv",
    log:
        "<results>/claims/{document}.log",
    benchmark:
        "<results>/claims/{document}.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        claims=lambda wildcards: claims_of(wildcards.document),
        code=fingerprint("diffhep.pipeline.claims:check"),
    script:
        "../scripts/claims.py"


rule claims:
    """The claims of all documents, each with what was measured: holds, does not hold, or undecided."""
    input:
        expand("<results>/claims/{document}.csv", document=DOCUMENTS),
    output:
        "<results>/claims.csv",
        "<results>/claims.md",
    log:
        "<results>/claims.log",
    benchmark:
        "<results>/claims.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    script:
        "../scripts/join.py"
