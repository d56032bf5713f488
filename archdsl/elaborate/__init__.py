"""From a text to a checked network, or to diagnostics that say why it is none."""

from archdsl.elaborate.file import elaborate

__all__ = ["elaborate"]
