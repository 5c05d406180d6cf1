"""Study `cuts`: a cut on one variable, found by scanning, by gradients and without them."""

CUTS = {"seed": config["seed"], **SETTINGS["cuts"]}


use rule stage as cuts_scan with:
    pathvars:
        stem="<results>/cuts/scan",
    params:
        job=job("diffhep.studies.cuts:scan", CUTS),


use rule stage as cuts_descent with:
    input:
        scan="<results>/cuts/scan.nc",
    pathvars:
        stem="<results>/cuts/descent",
    params:
        job=job("diffhep.studies.cuts:descend", CUTS),


use rule stage as cuts_comparison with:
    pathvars:
        stem="<results>/cuts/comparison",
    resources:
        expected_seconds=100,
    params:
        job=job("diffhep.studies.cuts:compare", CUTS),
