"""archdsl: neural-network architectures as text, checked and compiled to PyTorch and ONNX.

    archdsl.check("net.arch", N=2)                                    a report: ok, diagnostics, model
    archdsl.compile("net.arch")                                       the source of a PyTorch module
    archdsl.load(text="CONV(8)-RELU-GAP-FC(10)", input="3x32x32")     the module itself
    archdsl.to_onnx("net.arch", "net.onnx")                           an ONNX file, without torch

`import archdsl` imports nothing else; each name is fetched when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not from `typing`, which is most of the time of this import

if TYPE_CHECKING:
    from archdsl.api import check, compile, load, parse, to_onnx
    from archdsl.diagnostics import ArchError, Diagnostic
    from archdsl.report import Model, Report

__version__ = "0.1.0"

__all__ = [
    "ArchError",
    "Diagnostic",
    "Model",
    "Report",
    "__version__",
    "check",
    "compile",
    "load",
    "parse",
    "to_onnx",
]

_HOMES = {
    "check": "api",
    "compile": "api",
    "load": "api",
    "parse": "api",
    "to_onnx": "api",
    "ArchError": "diagnostics",
    "Diagnostic": "diagnostics",
    "Model": "report",
    "Report": "report",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'archdsl' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"archdsl.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
