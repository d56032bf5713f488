"""What lies at a place: the one table of schemes and files that data is recognised by."""

from __future__ import annotations

from archdsl.graph import Network
from archdsl.training.data.dataset import Data, DataOptions
from archdsl.training.data.faults import fault
from archdsl.training.data.fit import fit
from archdsl.training.data.found import Found
from archdsl.training.data.packages import builtin


def open_data(where: str, network: Network, options: DataOptions) -> Data:
    """The data at `where`, a path or a scheme such as `builtin:digits`, held against the network.

    Raises ArchError (E700 to E729) where it cannot be read, is broken or does not fit.
    """
    return fit(where, find(where), network, options)


def find(where: str) -> Found:
    """What lies there; raises ArchError."""
    scheme, colon, rest = where.partition(":")
    if colon and scheme == "builtin":
        return builtin(rest)
    raise fault("E701", f"{where} is not recognised as data", file=where)
