"""Samples that are not what an input takes, as an error with the help that was tried."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.graph import Network
from archdsl.tensor import show_shape
from archdsl.training.data.faults import fault
from archdsl.training.data.remade import help_for_input
from archdsl.training.data.wanted import WantedInput


def misfit(
    message: str,
    want: WantedInput,
    shapes: Sequence[tuple[int, ...]],
    network: Network | None,
    image: bool,
    *notes: str,
) -> None:
    """Raise what is to be said of samples that do not have the input's shape (E706).

    `network` is None where its input cannot be another one, since it is trained.
    """
    help = help_for_input(network, want.name, shapes[0]) if network is not None and len(shapes) == 1 else ()
    if image and not want.open and all(shape[0] == want.shape[0] for shape in shapes):
        help = (*help, f"--resize scales them to {show_shape(want.shape[1:])}")
    raise fault(
        "E706", f"{message}, and the input takes {show_shape(want.shape)}", span=want.span, notes=notes, help=help
    )
