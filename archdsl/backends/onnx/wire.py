"""ONNX's few messages as bytes: the protobuf wire format, written directly.

A message is its fields one after another, each a key (field number and wire type) and a value; see
https://protobuf.dev/programming-guides/encoding/ for the format and onnx.proto, in the ONNX project, for the
field numbers. Fields are written in the order of their numbers, so equal models are equal bytes, and they
are those that onnx's own classes would write.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import cache

from archdsl.annotations import Union

Attribute = Union[int, float, str, bytes, Sequence[int], Sequence[float], Sequence[str]]
"""What a node may have; bytes are a whole TensorProto."""

ELEMENTS = {"float": 1, "int": 7, "bool": 9, "float16": 10, "bfloat16": 16}
"""TensorProto.DataType of our element types (FLOAT, INT64, BOOL), and of those that weights may be stored in."""

WIDTHS = {"float": 4, "int": 8, "bool": 1, "float16": 2, "bfloat16": 2}
"""The bytes of one element."""

VARINT, LENGTH, FIXED32 = 0, 2, 5
ONE_BYTE = [bytes([value]) for value in range(0x80)]
GRAPH = 7  # the field of ModelProto that holds the graph
INITIALIZER = 5  # the field of GraphProto that holds a tensor


def varint(value: int) -> bytes:
    """A whole number of up to 64 bits, seven to a byte, the lowest first; below zero as its two's complement."""
    if 0 <= value < 0x80:
        return ONE_BYTE[value]
    value &= 0xFFFF_FFFF_FFFF_FFFF
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


@cache
def key(field: int, wire: int) -> bytes:
    """What stands before a value."""
    return varint(field << 3 | wire)


def integer(field: int, value: int) -> bytes:
    """A field of type int64, int32 or an enumeration."""
    return key(field, VARINT) + varint(value)


def real(field: int, value: float) -> bytes:
    """A field of type float: 32 bits."""
    return key(field, FIXED32) + struct.pack("<f", value)


def blob(field: int, value: bytes) -> bytes:
    """A field of type bytes, or a message inside."""
    return key(field, LENGTH) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """A field of type string."""
    return blob(field, value.encode())


def attribute(name: str, value: Attribute) -> bytes:
    """An AttributeProto: name 1, f 2, i 3, s 4, t 5, floats 7, ints 8, strings 9, type 20.

    Lists are all of one type, ints beside floats count as floats. Raises TypeError for anything else, and
    for an empty list, which has no type.
    """
    head = text(1, name)
    if isinstance(value, int):
        return head + integer(3, value) + integer(20, 2)
    if isinstance(value, float):
        return head + real(2, value) + integer(20, 1)
    if isinstance(value, str):
        return head + text(4, value) + integer(20, 3)
    if isinstance(value, bytes) and value:
        return head + blob(5, value) + integer(20, 4)
    if isinstance(value, (list, tuple)) and value:
        if all(isinstance(v, int) for v in value):
            return head + b"".join(integer(8, v) for v in value) + integer(20, 7)
        if all(isinstance(v, (int, float)) for v in value):
            return head + b"".join(real(7, v) for v in value) + integer(20, 6)
        if all(isinstance(v, str) for v in value):
            return head + b"".join(text(9, v) for v in value) + integer(20, 8)
    raise TypeError(f"{name}={value!r} is no attribute of ONNX")


def node(
    operator: str,
    name: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    attributes: dict[str, Attribute],
    domain: str = "",
) -> bytes:
    """A NodeProto: input 1, output 2, name 3, op_type 4, attribute 5 (by name), domain 7.

    An empty input is one left out, an empty domain ONNX's own.
    """
    parts = [text(1, value) for value in inputs]
    parts += [text(2, value) for value in outputs]
    parts += [text(3, name), text(4, operator)]
    parts += [blob(5, attribute(key, attributes[key])) for key in sorted(attributes)]
    return b"".join(parts) + (text(7, domain) if domain else b"")


def function(
    name: str, inputs: Iterable[str], outputs: Iterable[str], nodes: Iterable[bytes], opset: int, domain: str
) -> bytes:
    """A FunctionProto: name 1, input 4, output 5, node 7, opset_import 9, domain 10."""
    parts = [text(1, name)]
    parts += [text(4, value) for value in inputs]
    parts += [text(5, value) for value in outputs]
    parts += [blob(7, value) for value in nodes]
    return b"".join(parts) + blob(9, integer(2, opset)) + text(10, domain)


def tensor_head(name: str, dtype: str, shape: Sequence[int], size: int) -> bytes:
    """A TensorProto up to its data: dims 1, data_type 2, name 8, raw_data 9; `size` bytes must follow."""
    dims = b"".join(integer(1, n) for n in shape)
    return dims + integer(2, ELEMENTS[dtype]) + text(8, name) + key(9, LENGTH) + varint(size)


def external_tensor(name: str, dtype: str, shape: Sequence[int], location: str, offset: int, size: int) -> bytes:
    """A TensorProto whose data is elsewhere: dims 1, data_type 2, name 8, external_data 13, data_location 14."""
    head = b"".join(integer(1, n) for n in shape) + integer(2, ELEMENTS[dtype]) + text(8, name)
    entries = (("location", location), ("offset", str(offset)), ("length", str(size)))
    return head + b"".join(blob(13, text(1, key) + text(2, value)) for key, value in entries) + integer(14, 1)


def value_info(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto: name 1, type 2 {tensor_type 1 {elem_type 1, shape 2 {dim 1 {dim_value 1, dim_param 2}}}}."""
    dims = (text(2, n) if isinstance(n, str) else integer(1, n) for n in shape)
    tensor = integer(1, ELEMENTS[dtype]) + blob(2, b"".join(blob(1, dim) for dim in dims))
    return text(1, name) + blob(2, blob(1, tensor))


def graph_head(nodes: Iterable[bytes], name: str) -> bytes:
    """A GraphProto up to its initializers: node 1, name 2."""
    return b"".join(blob(1, n) for n in nodes) + text(2, name)


def graph_tail(inputs: Iterable[bytes], outputs: Iterable[bytes]) -> bytes:
    """A GraphProto behind its initializers: input 11, output 12."""
    return b"".join(blob(11, v) for v in inputs) + b"".join(blob(12, v) for v in outputs)


def model_head(ir_version: int, producer: str, version: str) -> bytes:
    """A ModelProto up to its graph: ir_version 1, producer_name 2, producer_version 3."""
    return integer(1, ir_version) + text(2, producer) + text(3, version)


def model_tail(
    opsets: Iterable[tuple[str, int]], metadata: Iterable[tuple[str, str]], functions: Iterable[bytes] = ()
) -> bytes:
    """A ModelProto behind its graph: opset_import 8 {domain 1, version 2}, metadata_props 14 {key 1, value 2},
    functions 25.

    An OperatorSetIdProto without a domain is ONNX's own set of operators.
    """
    parts = [blob(8, (text(1, domain) if domain else b"") + integer(2, version)) for domain, version in opsets]
    parts += [blob(14, text(1, name) + text(2, value)) for name, value in metadata]
    return b"".join(parts) + b"".join(blob(25, value) for value in functions)
