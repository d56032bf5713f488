"""PyTorch: a network as readable source that needs torch alone."""

from archdsl.backends.pytorch.emit import emit

__all__ = ["emit"]
