"""Two pages that show all figures and claims."""

import hashlib

TEMPLATES = sorted(Path(SOURCE, "diffhep", "pipeline", "templates").iterdir())


rule gallery:
    """Write two pages of figures and claims: one that links to the pictures, and one with everything in a single file."""
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
