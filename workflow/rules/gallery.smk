"""One light page that shows everything."""


rule gallery:
    """Every figure beside its caption and every claim beside its verdict, in one page that opens from disk."""
    input:
        pictures=PICTURES.values(),
        claims="<results>/claims.csv",
    output:
        "<results>/index.html",
    log:
        "<results>/index.log",
    benchmark:
        "<results>/index.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        documents=conf.plain(DOCUMENTS),
        pictures=conf.plain({**FIGURES, **ANIMATIONS}),
        code=fingerprint("diffhep.gallery:page"),
    script:
        "../scripts/gallery.py"
