"""The ONNX backend: files written byte by byte, without torch and without onnx."""

from archdsl.backends.onnx.emit import emit, write

__all__ = ["emit", "write"]
