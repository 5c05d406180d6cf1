"""Study `counting`: one parameter of an analysis, optimised for its discovery p-value."""


use rule stage as counting_scan with:
    pathvars:
        stem="<results>/counting/scan",
    params:
        job=job("diffhep.studies.counting:scan", SETTINGS["counting"]),


use rule stage as counting_descent with:
    input:
        scan="<results>/counting/scan.nc",
    pathvars:
        stem="<results>/counting/descent",
    params:
        job=job("diffhep.studies.counting:descend", SETTINGS["counting"]),
