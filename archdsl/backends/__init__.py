"""The table of backends: a new backend is one module, and one line here.

The module of a backend has `write(network, stream, *, …)`, which writes the whole output to a binary stream;
the keywords are the names in `options`. It is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module

from archdsl.annotations import Any, BinaryIO
from archdsl.graph import Network
from archdsl.records import NamedTuple


class Backend(NamedTuple):
    """What can be known of a backend without importing it.

    `text` says that its output may go to a terminal. A file is known as archdsl's own by `mark`: text starts
    with it, anything else holds it within its first 64 bytes.
    """

    module: str
    suffix: str
    text: bool
    mark: bytes
    options: tuple[str, ...]

    def wrote(self, head: bytes) -> bool:
        """Whether a file that starts so was written by this backend."""
        return head.startswith(self.mark) if self.text else self.mark in head[:64]

    def write(self, network: Network, stream: BinaryIO, options: dict[str, Any]) -> None:
        """Write the network; of the options, the backend gets those that it takes."""
        module = import_module(self.module)
        module.write(network, stream, **{name: value for name, value in options.items() if name in self.options})


BACKENDS: dict[str, Backend] = {
    "torch": Backend("archdsl.backends.pytorch", ".py", True, b"# Made by archdsl ", ("source_name",)),
    # the mark is the field producer_name
    "onnx": Backend(
        "archdsl.backends.onnx",
        ".onnx",
        False,
        b"\x12\x07archdsl",
        (
            *("weights", "seed", "opset", "batch", "half", "fold_bn", "logits", "functions", "external_data"),
            *("classes", "normalisation", "beside"),
        ),
    ),
}
