"""The few opcodes of a pickle that a state_dict is made of, run without pickle: nothing is imported or called.

A pickle is a program, and Python's own machine for it calls what the file names. This one knows dictionaries,
lists, tuples, texts, numbers and the four makers of tensors that torch writes; anything else is refused. The
format: Lib/pickletools.py of CPython.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable

from archdsl.annotations import Any
from archdsl.records import NamedTuple

MOST_STEPS = 20_000_000
"""Opcodes that are run."""


class Refused(Exception):
    """What a state_dict does not need, in words."""


class Global(NamedTuple):
    """A name that the file mentions: it is never looked up."""

    name: str


class Stored(NamedTuple):
    """A persistent id: torch's way to name a storage beside the pickle."""

    id: Any


class Strided(NamedTuple):
    """A tensor: its storage, where in it the first element lies, its shape, and the steps between elements."""

    storage: Stored
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(arguments: tuple[Any, ...]) -> Strided:
    storage, offset, shape, stride = arguments[:4]
    lists = all(
        isinstance(sizes, tuple) and all(type(n) is int and 0 <= n < 2**62 for n in sizes) for sizes in (shape, stride)
    )
    placed = isinstance(storage, Stored) and type(offset) is int and offset >= 0
    if not placed or not lists or len(shape) != len(stride):
        raise Refused("a tensor in it has no storage, offset, shape and stride")
    return Strided(storage, offset, shape, stride)


def _parameter(arguments: tuple[Any, ...]) -> Strided:
    if not isinstance(arguments[0], Strided):
        raise Refused("a parameter in it holds no tensor")
    return arguments[0]


MAKERS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "collections OrderedDict": lambda arguments: {},
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
    "torch Size": lambda arguments: arguments[0] if arguments else (),
}
"""What may be called, by module and name, and what we make of it instead."""

MARK = object()


def run(data: bytes) -> Any:
    """What the pickle describes: dictionaries, lists, tuples, texts, numbers and Strided tensors.

    Raises Refused where it is broken, or asks for anything else.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged text with a backslash in it
            for step, (opcode, argument, _) in enumerate(pickletools.genops(data)):
                if step >= MOST_STEPS:
                    raise Refused(f"it takes more than {MOST_STEPS:,} steps")
                if opcode.name == "STOP":
                    return stack.pop()
                _step(opcode.name, argument, stack, memo)
    except Refused:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, UnicodeError) as error:
        raise Refused(f"its pickle is broken ({type(error).__name__}: {str(error)[:100]})") from None
    raise Refused("its pickle has no end")


PUSHED = {
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1",
    "LONG4", "BINFLOAT", "FLOAT", "SHORT_BINSTRING", "BINSTRING", "STRING", "SHORT_BINBYTES", "BINBYTES",
}  # fmt: skip
MADE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_DICT": dict, "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple, "MARK": lambda: MARK,
}  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _step(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    if name in PUSHED:
        stack.append(argument)
    elif name in MADE:
        stack.append(MADE[name]())
    elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
        memo[int(argument)] = stack[-1]
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in ("BINGET", "LONG_BINGET", "GET"):
        stack.append(memo[int(argument)])
    elif name in TUPLES:
        count = TUPLES[name]
        stack[-count:] = [tuple(stack[-count:])]
    elif name in ("TUPLE", "LIST"):
        items = _marked(stack)
        stack.append(tuple(items) if name == "TUPLE" else items)
    elif name in ("APPEND", "APPENDS"):
        items = [stack.pop()] if name == "APPEND" else _marked(stack)
        _is(stack[-1], list).extend(items)
    elif name in ("SETITEM", "SETITEMS", "DICT"):
        items = [stack.pop() for _ in "kv"][::-1] if name == "SETITEM" else _marked(stack)
        if name == "DICT":
            stack.append({})
        _is(stack[-1], dict).update(zip(items[::2], items[1::2]))
    elif name == "GLOBAL":
        stack.append(Global(argument))
    elif name == "STACK_GLOBAL":
        attribute, module = stack.pop(), stack.pop()
        stack.append(Global(f"{_is(module, str)} {_is(attribute, str)}"))
    elif name == "BINPERSID":
        stack.append(Stored(stack.pop()))
    elif name == "REDUCE":
        arguments, maker = _is(stack.pop(), tuple), _is(stack.pop(), Global).name
        if maker not in MAKERS:
            raise Refused(f"it asks for {maker.replace(' ', '.')[:100]}, which no state_dict needs")
        stack.append(MAKERS[maker](arguments))
    elif name == "BUILD":
        stack.pop()  # an attribute of the dictionary, such as the versions of its modules
        _is(stack[-1], dict)
    elif name not in ("PROTO", "FRAME"):
        raise Refused(f"it holds {name}, which no state_dict needs")


def _marked(stack: list[Any]) -> list[Any]:
    """The items above the last mark, taken off with it."""
    items: list[Any] = []
    while stack[-1] is not MARK:
        items.append(stack.pop())
    stack.pop()
    return items[::-1]


def _is(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise Refused(f"its pickle is broken: {type(value).__name__} where {kind.__name__} is due")
    return value
