"""PyTorch: a network as readable source that needs torch alone."""

from __future__ import annotations

from archdsl.annotations import BinaryIO
from archdsl.backends.pytorch.emit import emit
from archdsl.graph import Network


def write(network: Network, stream: BinaryIO, *, source_name: str = "") -> None:
    """Write the source of a network to a binary stream, in UTF-8; raises ArchError E604."""
    stream.write(emit(network, source_name).encode())


__all__ = ["emit", "write"]
