"""Children that some instances of a class lack, and the conditions that say so."""

from __future__ import annotations

from archdsl.annotations import Any, Union
from archdsl.backends.pytorch.body import Body
from archdsl.backends.pytorch.code import Absent, Chain, Star
from archdsl.backends.pytorch.parameters import Known, fresh_name, identifier
from archdsl.layers.code import Call as Construct
from archdsl.layers.code import Infix, Name
from archdsl.records import NamedTuple


class Switch(NamedTuple):
    """Children that some instances lack: whether each instance has them, and the condition that says so."""

    there: tuple[bool, ...]
    positions: tuple[int, ...]
    condition: Any
    name: str  # of the parameter that it takes, "" where a parameter of the block tells


def pieces(code: Union[Chain, Body]) -> tuple[Any, ...]:
    return code.items if isinstance(code, Chain) else code.children


def find_switches(codes: list[Any], known: Known) -> list[Switch]:
    found: dict[tuple[bool, ...], list[int]] = {}
    for position in range(len(pieces(codes[0]))):
        there = tuple(not isinstance(pieces(code)[position], Absent) for code in codes)
        if not all(there):
            found.setdefault(there, []).append(position)
    result = []
    used: set[str] = set()
    for there, positions in found.items():
        tests = [t for t in (_test(there, *pair) for pair in known) if t is not None]
        test = min(tests, key=lambda t: t.right not in (0, 1)) if tests else None
        piece = next(pieces(code)[positions[0]] for code, is_there in zip(codes, there) if is_there)
        name = ""
        if test is None:
            name = fresh_name(("", _switch_name(piece)), used)
            used.add(name)
            test = Name(name)
        result.append(Switch(there, tuple(positions), test, name))
    return result


def _switch_name(piece: Any) -> str:
    """What the flag for a child is called: after its layer where it goes by position, else as the child."""
    if isinstance(piece, Star):
        return _switch_name(piece.items[0])
    if not piece.name.isdigit():
        return identifier(piece.name)
    made = piece.code.name if isinstance(piece.code, Construct) else piece.name
    return identifier(str(made).rpartition(".")[2].lower())


def _test(there: tuple[bool, ...], name: str, values: tuple[Any, ...]) -> Any:
    """`stride != 1`, where that is just where the children are there."""
    out = {v for v, is_there in zip(values, there) if not is_there}
    if len(out) == 1 and not out & {v for v, is_there in zip(values, there) if is_there}:
        return Infix("!=", Name(name), out.pop())
    return None
