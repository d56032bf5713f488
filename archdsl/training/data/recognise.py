"""What lies at a place: the one table of schemes and files that data is recognised by."""

from __future__ import annotations

import os
import stat
from collections import Counter

from archdsl.diagnostics import ArchError
from archdsl.graph import Network
from archdsl.training.data.dataset import Data, DataOptions
from archdsl.training.data.faults import fault, some
from archdsl.training.data.fit import fit
from archdsl.training.data.found import Found
from archdsl.training.data.places import files_of_parts, split_suffix
from archdsl.training.data.wanted import Wanted, wanted

SCHEMES = ("builtin", "torchvision", "hf", "wds")
TABLES = (".csv", ".tsv")
ARRAYS, COLUMNS, TEXT, SHARDS = (".npz",), (".parquet",), (".txt",), (".tar",)

RECOGNISED = (
    "a folder of class folders with images, or of train/ and valid/ with such",
    "a folder of idx files, as MNIST's",
    "a file .npz, .csv, .tsv, .parquet, .txt or .tar, or a folder with train.npz and its like",
    "builtin:digits, torchvision:NAME@FOLDER, hf:NAME, wds:PATTERN",
)


def open_data(where: str, network: Network, options: DataOptions) -> Data:
    """The data at `where`, a path or a scheme such as `builtin:digits`, held against the network.

    Raises ArchError (E700 to E729) where it cannot be read, is broken or does not fit.
    """
    try:
        scheme, colon, rest = where.partition(":")
        if colon and scheme in SCHEMES and not os.path.exists(where):
            return fit(where, _scheme(scheme, rest), network, options)
        files = _files(where)
        if split_suffix(next(iter(files.values())))[1] in TEXT:
            from archdsl.training.data.text import open_texts

            return open_texts(where, files, network, options)
        return fit(where, _read(where, files, wanted(network)), network, options)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fault("E700", f"the data cannot be read: {reason}", file=str(error.filename or where)) from None


def _scheme(scheme: str, rest: str) -> Found:
    if scheme == "builtin":
        from archdsl.training.data.packages import builtin

        return builtin(rest)
    if scheme == "torchvision":
        from archdsl.training.data.packages import torchvision

        return torchvision(rest)
    if scheme == "hf":
        from archdsl.training.data.hub import read_hub

        return read_hub(rest)
    from archdsl.training.data.shards import read_shards

    return read_shards(rest)


def _files(where: str) -> dict[str, str]:
    """What is to be read, by part: one file, or one for each part; "folder" where it is the folder itself."""
    if not os.path.isdir(where):
        _check_ordinary(where)
        if split_suffix(where)[1] not in (*ARRAYS, *TABLES, *COLUMNS, *TEXT, *SHARDS):
            raise _unknown(where, f"{os.path.basename(where)} is not recognised as data")
        return {"train": where}
    for suffixes in (ARRAYS, TABLES, COLUMNS, TEXT):
        found = files_of_parts(where, suffixes)
        if found:
            for path in found.values():
                _check_ordinary(path)
            return found
    return {"folder": where}


def _check_ordinary(path: str) -> None:
    """Raises ArchError (E700) for a pipe or a device, which might never end, and OSError where there is nothing."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise fault("E700", "the data cannot be read: it is no ordinary file", file=path)


def _read(where: str, files: dict[str, str], want: Wanted) -> Found:
    if "folder" in files:
        return _folder(where)
    suffix = split_suffix(next(iter(files.values())))[1]
    if suffix in SHARDS:
        from archdsl.training.data.shards import read_shards

        return read_shards(where)
    if suffix in ARRAYS:
        from archdsl.training.data.arrays import read_npz

        names = [i.name for i in want.inputs]
        single = len(files) == 1
        return _joined({part: read_npz(path, names, None if single else part) for part, path in files.items()})
    if suffix in COLUMNS:
        from archdsl.training.data.columns import read_parquet

        return _joined({part: read_parquet(path, want, part) for part, path in files.items()})
    from archdsl.training.data.table import read_csv

    return _joined({part: read_csv(path, want, part) for part, path in files.items()})


def _joined(found: dict[str, Found]) -> Found:
    """Files of parts as one; raises ArchError (E703) where their classes differ."""
    if len(found) == 1:
        return next(iter(found.values()))
    from hashlib import sha256

    from archdsl.training.data.labels import check_same

    check_same({part: one.classes for part, one in found.items()}, "")
    parts = {name: part for one in found.values() for name, part in one.parts.items()}
    digest = sha256("".join(one.fingerprint for one in found.values()).encode()).hexdigest()
    notes = tuple(dict.fromkeys(note for one in found.values() for note in one.notes))
    return Found(parts, next(iter(found.values())).classes, digest, notes)


def _folder(where: str) -> Found:
    from archdsl.training.data.idx import idx_files, read_idx_folder

    if idx_files(where):
        return read_idx_folder(where)
    from archdsl.training.data.folder import is_folder_of_images, read_folder

    if is_folder_of_images(where):
        return read_folder(where)
    raise _unknown(where, "nothing in this folder is recognised as data")


def _unknown(where: str, message: str) -> ArchError:
    notes: list[str] = []
    if os.path.isdir(where):
        names = sorted(os.listdir(where))
        kinds = Counter("folders" if os.path.isdir(os.path.join(where, n)) else split_suffix(n)[1] or n for n in names)
        notes = [f"it holds {some([f'{count:,} {kind}' for kind, count in kinds.most_common()]) or 'nothing'}"]
    return fault("E701", message, file=where, notes=notes, help=RECOGNISED)
