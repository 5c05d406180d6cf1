"""Study `two_bins`: what training objectives think of the background's uncertainty."""


use rule stage as two_bins_landscape with:
    pathvars:
        stem="<results>/two_bins/landscape",
    resources:
        expected_seconds=30,
    params:
        job=job("diffhep.studies.two_bins:landscape", SETTINGS["two_bins"]),
