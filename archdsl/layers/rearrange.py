"""REARRANGE: axes split, moved and merged by a pattern, einops' rule without the batch.

The rule is that of A. Rogozhnikov, "Einops: Clear and reliable tensor manipulations with
Einstein-like notation" (ICLR 2022). The parser is small and pure: a pattern and the sizes that
arrive become a Plan, which is a reshape, a permutation and a reshape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import TEXT, Kind, arg
from archdsl.layers.base import LayerError, Pointwise, Recorder
from archdsl.layers.code import Batch, Code, Method, Torch, X
from archdsl.layers.nodes import onnx_reshape
from archdsl.records import NamedTuple, dataclass
from archdsl.shapes.late import known, same
from archdsl.tensor import Shape, TensorType, product

TOKEN = re.compile(r"\s*([A-Za-z_]\w*|1\b|\.\.\.|[()])")
Side = list[list[str]]  # an axis of the tensor for each entry, with the names of the axes that it is made of


class Plan(NamedTuple):
    """A rearrangement: split the axes into `split`, permute these by `order`, merge them into `merged`."""

    split: Shape
    order: tuple[int, ...]
    merged: Shape


def plan(pattern: str, x: TensorType, given: Mapping[str, int]) -> Plan:
    """What the pattern does to `x`; raises E225 where it is no pattern, or does not fit what arrives."""
    left, right = _sides(pattern, x.rank)
    _check_names(left, right, given)
    if len(left) != x.rank:
        raise _fault(f"the left side has {_axes(len(left))}, and {x} has {x.rank}")
    sizes: dict[str, int] = {}
    for group, n in zip(left, x.shape):
        sizes.update(_group_sizes(group, n, given))
    names = [name for group in left for name in group]
    kept = [name for group in right for name in group]
    place = {name: i for i, name in enumerate(names)}
    return Plan(
        tuple(sizes[name] for name in names),
        tuple(place[name] for name in kept),
        tuple(product(tuple(sizes[name] for name in group)) for group in right),
    )


def _sides(pattern: str, rank: int) -> tuple[Side, Side]:
    """Both sides, with `...` written out as as many axes as the names of the left side leave of `rank`."""
    left, arrow, right = pattern.partition("->")
    if not arrow:
        raise _fault('a pattern has two sides, as in "c h w -> h w c", and this one has no ->')
    if (left.count("..."), right.count("...")) not in ((0, 0), (1, 1)):
        raise _fault("... stands once on both sides, or on none")
    if re.search(r"\([^()]*\.\.\.", left):
        raise _fault("... can't stand in a group on the left side: its sizes would be unknown")
    rest = [f"...{i}" for i in range(rank - len(_side(left, [])))] if "..." in left else []
    return _side(left, rest), _side(right, rest)


def _side(text: str, rest: Sequence[str]) -> Side:
    side: Side = []
    inside = False
    position, end = 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if not match:
            raise _fault(f"{text[position:].strip()[0]!r} has no meaning in a pattern")
        token, position = match[1], match.end()
        if token in "()":
            if inside == (token == "("):
                raise _fault(f"a {token!r} is out of place in {text.strip()!r}: groups open, close and do not nest")
            inside = token == "("
            if inside:
                side.append([])
            continue
        names = [] if token == "1" else rest if token == "..." else [token]
        if inside:
            side[-1] += names
        elif token == "...":
            side += [[name] for name in names]
        else:
            side.append(list(names))
    if inside:
        raise _fault(f"a group is never closed in {text.strip()!r}")
    return side


def _check_names(left: Side, right: Side, given: Mapping[str, int]) -> None:
    names = [[name for group in side for name in group] for side in (left, right)]
    for which, side in zip(("left", "right"), names):
        seen: set[str] = set()
        for name in side:
            if name in seen:
                raise _fault(f"{name} stands twice on the {which} side")
            seen.add(name)
    on_left, on_right = map(set, names)
    for name in names[0]:
        if name not in on_right:
            raise _fault(f"{name} stands on the left side alone, and nothing may be lost")
    for name in names[1]:
        if name not in on_left:
            raise _fault(f"{name} stands on the right side alone, and nothing can be added")
    for name in given:
        if name not in on_left:
            raise _fault(f"{name} (={given[name]}) is no axis of the pattern", argument=name)


def _group_sizes(group: Sequence[str], n: int, given: Mapping[str, int]) -> dict[str, int]:
    """The sizes of the axes that an axis of size n is made of."""
    shown = f"({' '.join(group)})" if len(group) > 1 else "".join(group) or "1"
    own = {name: given[name] for name in group if name in given}
    unknown = [name for name in group if name not in given]
    rest = product(tuple(own.values()))
    if len(unknown) > 1:
        several = " and ".join(unknown)
        raise _fault(f"the sizes of {several} in {shown} do not follow from {n}: give all of them but one")
    values = " times ".join(f"{name} (={size})" for name, size in own.items()) or "1"
    if unknown and known(n) and n % rest:
        raise _fault(f"{values} does not divide the {n} of {shown}", argument=next(iter(own)))
    if not unknown and known(n) and n != rest:
        raise _fault(f"{shown} is {values}, and the axis that arrives has {n}", argument=next(iter(own), "pattern"))
    return own | dict.fromkeys(unknown, n // rest)


def _axes(count: int) -> str:
    return f"{count} axis" if count == 1 else f"{count} axes"


def _fault(message: str, argument: str = "pattern") -> LayerError:
    return LayerError("E225", message, argument=argument, help="axes are written without the batch")


def _free_sizes(value: Any) -> dict[str, int] | None:
    whole = isinstance(value, dict) and all(
        isinstance(v, int) and not isinstance(v, bool) and v > 0 for v in value.values()
    )
    return value if whole else None


@dataclass(frozen=True, eq=False, repr=False)
class Rearrange(Pointwise):
    """Axes split, moved and merged by a pattern: `REARRANGE("(g c) h w -> (c g) h w", g=2)`.

    Each side names the axes, those in parentheses being one axis together, the last moving fastest;
    `1` is an axis of size 1, `...` all axes that no name stands for. Sizes that do not follow from what
    arrives are given by name. This is einops' rearrange (Rogozhnikov, 2022), without the batch.
    """

    spec: ClassVar[str] = "REARRANGE"
    layout: ClassVar[str] = "any"
    positional: ClassVar[tuple[str, ...]] = ("pattern",)
    free: ClassVar[str] = "axes"

    pattern: Any = arg(TEXT)
    axes: Any = arg(Kind("whole numbers above 0, the sizes of the pattern's axes", _free_sizes), None)

    def _plan(self, x: TensorType) -> Plan:
        return plan(self.pattern, x, self.axes or {})

    def shape(self, *x: TensorType) -> TensorType:
        return x[0]._replace(shape=self._plan(x[0]).merged)

    def divisor(self, *x: TensorType) -> int:
        return product(tuple((self.axes or {}).values()))

    def torch(self, *x: TensorType) -> Torch:
        split, order, merged = self._plan(x[0])
        value: Code = X()
        if split != x[0].shape:
            value = Method(value, "reshape", (Batch(), *split))
        if order != tuple(range(len(order))):
            value = Method(value, "permute", (0, *(a + 1 for a in order)))
        if merged != tuple(split[a] for a in order):
            value = Method(value, "reshape", (Batch(), *merged))
        return Torch(value)

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        split, order, merged = self._plan(x[0])
        value = names[0]
        if not same(split, x[0].shape):
            value = onnx_reshape(r, value, split)
        if order != tuple(range(len(order))):
            value = r.node("Transpose", [value], perm=[0, *(a + 1 for a in order)])
        if not same(merged, tuple(split[a] for a in order)):
            value = onnx_reshape(r, value, merged)
        return value
