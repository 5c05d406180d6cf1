"""Two pages that show everything."""


rule gallery:
    """Every figure beside its caption and every claim beside its verdict: a light page, and one file that holds all."""
    input:
        pictures=PICTURES.values(),
        claims="<results>/claims.csv",
    output:
        gallery="<results>/index.html",
        report="<results>/report.html",
    log:
        "<results>/index.log",
    benchmark:
        "<results>/index.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        documents=DOCUMENTS,  # in the order of the manifest
        pictures=ENTRIES,
        scale=config["scale"],
        code=[fingerprint("diffhep.pipeline.gallery:page"), fingerprint("diffhep.pipeline.report:page")],
    script:
        "../scripts/gallery.py"
