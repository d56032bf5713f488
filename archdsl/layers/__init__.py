"""The layers of the language: one class each, found by name through `LAYERS`."""

from archdsl.layers.registry import LAYERS, layer_class

__all__ = ["LAYERS", "layer_class"]
