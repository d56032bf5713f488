"""An ONNX file made where no test has imported torch or onnx."""

from archdsl.backends.onnx import emit
from tests.support.build import Label, Times, layers, network


def data() -> bytes:
    """The bytes of a small network."""
    conv, norm, relu, linear = layers("CONV", "BN", "RELU", "FC")
    return b"".join(emit(network([Label("a", conv(8)), Times(3, [conv(8), norm(), relu()]), linear(10)])))
