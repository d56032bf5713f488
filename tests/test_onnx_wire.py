"""Our bytes against those of onnx's own classes."""

from __future__ import annotations

import struct

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from archdsl.backends.onnx import wire
from archdsl.backends.onnx.emit import IR_VERSIONS

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats(width=32, allow_nan=False)
TEXT = st.text(max_size=200)
NAME = st.text(min_size=1, max_size=20)
ATTRIBUTES = st.one_of(
    INT64,
    FLOAT,
    TEXT,
    st.lists(INT64, min_size=1, max_size=5),
    st.lists(FLOAT, min_size=1, max_size=5),
    st.lists(TEXT, min_size=1, max_size=5),
)


@given(NAME, ATTRIBUTES)
def test_attributes(name: str, value: wire.Attribute) -> None:
    """Every kind of attribute is what helper.make_attribute gives."""
    assert wire.attribute(name, value) == helper.make_attribute(name, value).SerializeToString()


@pytest.mark.parametrize("value", [[], {}, None, [1, "a"], [[1]], b""])
def test_no_attribute(value: object) -> None:
    """What has no type in ONNX is refused."""
    with pytest.raises(TypeError, match="no attribute"):
        wire.attribute("a", value)  # type: ignore[arg-type]


@given(
    st.lists(TEXT, max_size=4), st.lists(NAME, min_size=1, max_size=3), st.dictionaries(NAME, ATTRIBUTES, max_size=4)
)
def test_nodes(inputs: list[str], outputs: list[str], attributes: dict[str, wire.Attribute]) -> None:
    """A node is what helper.make_node gives, inputs left out and all."""
    expected = onnx.NodeProto(name="a/Conv", op_type="Conv", input=inputs, output=outputs)
    expected.attribute.extend(helper.make_attribute(key, attributes[key]) for key in sorted(attributes))
    assert wire.node("Conv", "a/Conv", inputs, outputs, attributes) == expected.SerializeToString()


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 300, 1)])
@pytest.mark.parametrize("dtype", ["float", "int", "bool"])
def test_tensors(dtype: str, shape: tuple[int, ...]) -> None:
    """A tensor's head and its data are what numpy_helper gives."""
    array: np.ndarray = np.zeros(shape, {"float": np.float32, "int": np.int64, "bool": np.bool_}[dtype])
    data = array.tobytes()
    expected = numpy_helper.from_array(array, "weight").SerializeToString()
    assert wire.tensor_head("weight", dtype, shape, len(data)) + data == expected
    assert array.itemsize == wire.WIDTHS[dtype]


@pytest.mark.parametrize("shape", [(), ("N",), ("N", 3, 224, 224), (1, 0)])
def test_value_infos(shape: tuple[int | str, ...]) -> None:
    """Inputs and outputs are what helper gives, the batch a symbol."""
    expected = helper.make_tensor_value_info("image", onnx.TensorProto.INT64, shape)
    assert wire.value_info("image", "int", shape) == expected.SerializeToString()


def test_model() -> None:
    """The parts of a model, put together, are what onnx writes."""
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="relu")]
    info = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["N", 3]) for n in "xy"]
    weight = numpy_helper.from_array(np.ones(3, np.float32), "w")
    model = helper.make_model(
        helper.make_graph(nodes, "Net", info[:1], info[1:], [weight]), ir_version=10, producer_name="archdsl"
    )
    model.producer_version = "1"
    del model.opset_import[:]
    model.opset_import.add(version=20)
    helper.set_model_props(model, {"a": "b"})
    head = wire.graph_head([wire.node("Relu", "relu", ["x"], ["y"], {})], "Net")
    tensor = wire.blob(wire.INITIALIZER, weight.SerializeToString())
    tail = wire.graph_tail([wire.value_info("x", "float", ("N", 3))], [wire.value_info("y", "float", ("N", 3))])
    ours = wire.model_head(10, "archdsl", "1") + wire.blob(wire.GRAPH, head + tensor + tail)
    assert ours + wire.model_tail([("", 20)], [("a", "b")]) == model.SerializeToString()


@given(INT64)
def test_varints(value: int) -> None:
    """64 bits, two's complement, seven to a byte."""
    data = wire.varint(value)
    assert sum((b & 0x7F) << 7 * i for i, b in enumerate(data)) == struct.unpack("<Q", struct.pack("<q", value))[0]
    assert len(data) <= 10 and all(b & 0x80 for b in data[:-1]) and not data[-1] & 0x80


def test_ir_versions() -> None:
    """An opset goes with the format's version of the first onnx release that had it, but for 20."""
    table = {opset: ir for _, ir, opset, *_ in reversed(helper.VERSION_TABLE)}
    assert {**table, 20: 10}.items() >= IR_VERSIONS.items()
