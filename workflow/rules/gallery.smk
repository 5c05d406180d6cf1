"""Two pages that show all figures and claims."""

import hashlib

TEMPLATES = sorted(Path(SOURCE, "diffhep", "pipeline", "templates").iterdir())


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
        templates=[hashlib.sha256(template.read_bytes()).hexdigest()[:12] for template in TEMPLATES],
    script:
        "../scripts/gallery.py"
