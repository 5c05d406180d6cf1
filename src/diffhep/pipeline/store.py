"""Results on disk: the only place where diffhep reads or writes them.

A result is an `xarray.Dataset` in a netCDF-4 file that also says where it came from. Identical input gives an
identical file, byte for byte, so that a checksum tells whether a result changed; a file is there completely
or not at all.
"""

import errno
import json
from pathlib import Path
from typing import Any

import netCDF4
import xarray as xr
from xarray.backends import NetCDF4DataStore

from diffhep.errors import InputError
from diffhep.files import replacing
from diffhep.pipeline.provenance import current_environment

FORMAT = "diffhep result 1"
COMPRESSED_BYTES = 2**16  # smaller arrays would gain nothing over their chunk's overhead


def save(dataset: xr.Dataset, path: str | Path, *, provenance: dict[str, Any]) -> None:
    """Write a result and how it was made, so that the file appears complete or not at all.

    Three attributes are added to the dataset's own, replacing those of the same name: `format`; `provenance`,
    the given dictionary as JSON with sorted keys; `environment`, JSON of the versions of Python and of the
    packages that decide the numbers, and the git revision of the source (`-dirty` where it was edited,
    `unknown` outside a checkout).

    Args:
        dataset: Labelled arrays; attributes may be strings, numbers and lists of them.
        path: File to write or replace; its folder is made where needed.
        provenance: What decided the content: settings, seeds, names of the inputs. Anything JSON can say.

    Raises:
        OSError: It cannot be written there.
    """
    attributes = {
        "format": FORMAT,
        "provenance": json.dumps(provenance, sort_keys=True),
        "environment": json.dumps(current_environment(), sort_keys=True),
    }
    labelled = dataset.drop_encoding().assign_attrs(attributes)  # encoding: left by the file it was read from
    large = [name for name, array in labelled.variables.items() if _is_large(array)]
    encoding = {name: {"zlib": True, "complevel": 4, "shuffle": True} for name in large}
    with replacing(path) as temporary:
        try:
            labelled.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # HDF5 does not say why
            reason = f"not written ({error}): see whether the disk is full, or what you may use of it"
            raise OSError(errno.EIO, reason, str(path)) from error


def load(path: str | Path) -> xr.Dataset:
    """Read a result into memory and close the file.

    Raises:
        InputError: The file is missing, unreadable, broken (for instance cut short), or was not written by `save`.
    """
    try:
        content = Path(path).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(f"there is no result {path}: make it with `snakemake {path}`") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: ask its owner to let you read it") from None
    try:
        dataset = xr.load_dataset(NetCDF4DataStore(netCDF4.Dataset("result", memory=content)))
    except Exception as error:  # netCDF and xarray each raise classes of their own
        raise InputError(f"{path} is broken or no netCDF file: delete it and run snakemake again") from error
    if dataset.attrs.get("format") != FORMAT:
        raise InputError(f"{path} is not a '{FORMAT}': delete it and run snakemake again")
    return dataset


def _is_large(array: xr.Variable) -> bool:
    return array.dtype.kind in "biufc" and array.nbytes >= COMPRESSED_BYTES
