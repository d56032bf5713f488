"""ADD, SUB, MUL, DIV, MAX, MIN, CONCAT, MATMUL and GATHER against torch and onnxruntime."""

from typing import Any

import pytest

from archdsl.layers import layer_class
from archdsl.layers.base import LayerError
from archdsl.tensor import TensorType
from tests.support.single import hold


def f(*shape: int) -> TensorType:
    """A tensor of floats."""
    return TensorType(shape)


def p(*shape: int) -> TensorType:
    """A tensor without a batch."""
    return TensorType(shape, batched=False)


def i(*shape: int, batched: bool = True) -> TensorType:
    """Whole numbers."""
    return TensorType(shape, "int", batched)


CASES: list[tuple[str, dict[str, Any], tuple[TensorType, ...]]] = [
    *((name, {}, (f(3, 4), f(3, 4))) for name in ("ADD", "SUB", "MUL", "DIV", "MAX", "MIN")),
    *((name, {}, (f(3, 4), p(4))) for name in ("ADD", "SUB", "MUL", "DIV", "MAX", "MIN")),
    *((name, {}, (p(), f(3, 4))) for name in ("ADD", "SUB", "MUL", "DIV", "MAX", "MIN")),
    *((name, {}, (f(3, 4), i(batched=False))) for name in ("ADD", "SUB", "MUL", "MAX")),
    *((name, {}, (f(3, 4, 5), f(3, 1, 1), f(3, 4, 1))) for name in ("MUL", "MAX", "MIN")),
    ("DIV", {}, (f(3, 1), f(3, 4))),
    ("ADD", {"stretch": True}, (f(2, 3, 4, 4), p(2, 1, 4, 4))),
    ("SUB", {"stretch": True}, (f(2, 1, 4), f(2, 4, 1))),
    ("ADD", {}, (f(3), f(3), f(3), p(3))),
    ("ADD", {}, (p(3, 4), p(4))),
    ("ADD", {}, (p(5, 3), f(5, 3))),
    ("CONCAT", {}, (f(3, 4), f(2, 4))),
    ("CONCAT", {"axis": -1}, (f(3, 4), f(3, 1), f(3, 2))),
    ("CONCAT", {}, (p(1, 4), f(3, 4))),
    ("CONCAT", {}, (p(1, 4), p(3, 4))),
    ("CONCAT", {"axis": 1}, (f(3, 4), p(3, 2))),
    ("CONCAT", {}, (i(3), i(2))),
    ("MATMUL", {}, (f(3, 4), f(4, 5))),
    ("MATMUL", {}, (f(2, 3, 4), f(2, 4, 5))),
    ("MATMUL", {}, (f(2, 3, 4), f(1, 4, 5))),
    ("MATMUL", {}, (f(2, 3, 4), p(4, 5))),
    ("MATMUL", {}, (p(6, 3), f(2, 3, 4))),
    ("GATHER", {}, (p(5, 3), i(4, batched=False))),
    ("GATHER", {}, (f(5, 3), i(4, batched=False))),
    ("GATHER", {"axis": 1}, (f(2, 5, 3), i(4, 2, batched=False))),
    ("GATHER", {}, (f(5, 3), i(batched=False))),
    ("GATHER", {}, (p(5, 3), i(4))),
    ("GATHER", {"axis": 1}, (p(2, 5, 3), i(4, 2))),
    ("GATHER", {"axis": -1}, (p(2, 5), i())),
    ("GATHER", {}, (f(5, 3), i(4))),
    ("GATHER", {}, (f(5, 3, 2), i(4, 2))),
    ("GATHER", {}, (f(5), i(4))),
    ("GATHER", {}, (f(5, 3), i())),
]


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("name, arguments, x", CASES)
def test_parity(name: str, arguments: dict[str, Any], x: tuple[TensorType, ...], opset: int) -> None:
    """Shapes and numbers equal torch's."""
    hold(layer_class(name)(**arguments), *x, opset=opset)


@pytest.mark.parametrize(
    "name, arguments, x, code, words",
    [
        ("ADD", {}, (f(64, 7, 7), f(256, 7, 7)), "E220", "arms 1 and 2 of ADD differ in axis 0 (64 and 256)"),
        ("ADD", {}, (f(8, 7), f(8, 7), f(4, 6)), "E220", "arms 1 and 3 of ADD differ in axes 0 (8 and 4) and 1"),
        ("ADD", {}, (f(8, 1, 1), f(8, 7, 7)), "E220", "axes 1 (1 and 7) and 2 (1 and 7): 8x1x1 and 8x7x7"),
        ("ADD", {}, (f(197, 768), p(768, 1)), "E220", "axes 0 (197 and 768) and 1 (768 and 1)"),
        ("SUB", {}, (f(8, 7), f(7)), "E220", "2 and 1: 8x7 and 7"),
        ("MUL", {}, (f(7), p(8, 7)), "E220", "1 and 2: 7 and 8x7"),
        ("MUL", {}, (f(2, 4), f(3, 1)), "E220", "axis 0 (2 and 3)"),
        ("MUL", {}, (f(2, 4), i(2, 4)), "E207", "2x4 of int"),
        ("CONCAT", {}, (f(3, 4), f(3, 5)), "E221", "along axis 0 differ in axis 1 (4 and 5): 3x4 and 3x5"),
        ("CONCAT", {}, (f(3, 4), f(4)), "E221", "2 and 1"),
        ("CONCAT", {}, (f(3), i(3)), "E221", "float and int"),
        ("CONCAT", {"axis": 2}, (f(3, 4), f(3, 4)), "E209", "no axis 2"),
        ("MATMUL", {}, (f(3, 4), f(5, 6)), "E222", "rows of 4 (a is 3x4) with columns of 5 (b is 5x6)"),
        ("MATMUL", {}, (f(3), f(3, 6)), "E222", "a is 3"),
        ("MATMUL", {}, (f(2, 3, 4), f(4, 6)), "E222", "3 and 2: 2x3x4 and 4x6"),
        ("MATMUL", {}, (f(2, 3, 4), f(3, 4, 6)), "E222", "axis 0 (2 and 3): 2x3x4 and 3x4x6"),
        ("GATHER", {}, (f(3, 4), f(3)), "E223", "3 of float"),
        ("GATHER", {"axis": 1}, (f(3, 4), i(3)), "E223", "axis 1 of 3x4"),
    ],
)
def test_errors(name: str, arguments: dict[str, Any], x: tuple[TensorType, ...], code: str, words: str) -> None:
    """Errors name the arms and the axes that differ, with their sizes."""
    with pytest.raises(LayerError) as caught:
        layer_class(name)(**arguments).shape(*x)
    assert caught.value.code == code
    assert words in caught.value.message


def test_macs() -> None:
    """A matrix product of MxK and KxN is M*K*N."""
    assert layer_class("MATMUL")().macs(f(2, 3, 4), f(2, 4, 5)) == 2 * 3 * 4 * 5
    assert layer_class("ADD")().macs(f(3), f(3)) == 0
