"""What layers over maps have in common: a map is channels first, then one to three axes."""

from __future__ import annotations

from archdsl.layers.base import LayerError
from archdsl.tensor import TensorType


def need_map(spec: str, x: TensorType) -> int:
    """The number of axes of the map, 1 to 3; raises E206 where `x` is none, E207 where it is not of floats."""
    if x.dtype != "float":
        need_float(spec, x)
    rank = len(x.shape) - 1
    if not 1 <= rank <= 3:
        raise LayerError(
            "E206",
            f"{spec} works on a map (channels and 1 to 3 axes), and {x} arrives",
            help="a map arrives before a flattening: FC and FLATTEN end the maps",
        )
    return rank


def need_float(spec: str, x: TensorType) -> None:
    """Raises E207 where `x` is not of floats."""
    if x.dtype != "float":
        raise LayerError(
            "E207", f"{spec} works on floats, and {x} arrives", help="EMBEDDING turns whole numbers into vectors"
        )
