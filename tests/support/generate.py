"""Random specs: `generate(seed)` gives the structure of one, `text(spec)` of `tests.support.structure` writes it.

Layers are proposed at random and tried by torch (through `tests.support.reference`) on what arrives, so that most
specs are valid; `wrong` is the probability with which a layer that torch refuses stays, and ends the spec.
"""

from __future__ import annotations

import math
import random
from typing import Any

import torch
from hypothesis import strategies

from tests.support.propose import Proposals, Scope, Shape
from tests.support.reference import Network, Rejected
from tests.support.structure import (
    Binary,
    Block,
    Call,
    Chain,
    Choose,
    Condition,
    Group,
    In,
    Input,
    Item,
    Join,
    Label,
    Layer,
    Loop,
    Number,
    Optional,
    Reference,
    Repeat,
    Share,
    Spec,
    Word,
)  # fmt: skip

LARGEST = 6000  # elements of a tensor
HEAVIEST = 100_000  # numbers that a step holds


class Broken(Exception):
    """A step that does not fit was kept: the spec ends there."""

    def __init__(self, items: list[Item]) -> None:
        super().__init__()
        self.items = items


def specs(wrong: float = 0.1) -> strategies.SearchStrategy[Spec]:
    """Random specs for hypothesis, which shrinks the seed alone."""
    return strategies.integers(0, 2**32).map(lambda seed: generate(seed, wrong))


def generate(seed: int, wrong: float = 0.1) -> Spec:
    """The spec of a seed."""
    return _Generator(random.Random(seed), wrong).spec()


def inputs(spec: Spec, batch: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random tensors for a spec's inputs."""
    made = torch.Generator().manual_seed(seed)
    return {
        given.name: torch.randint(0, given.high, (batch, *given.shape), generator=made)
        if given.high
        else torch.randn((batch, *given.shape), generator=made)
        for given in spec.inputs
    }


class _Generator(Proposals):
    def __init__(self, rng: random.Random, wrong: float) -> None:
        self.rng = rng
        self.wrong = wrong
        self.made = Spec([], Chain([]))
        self.names = 0
        self.arrives_as = 0  # of whole numbers below this, where the input is

    # ---- the whole

    def spec(self) -> Spec:
        rng, made = self.rng, self.made
        made.fit = rng.choice(("floor", "floor", "cover", "exact"))
        self.pads = made.fit == "floor" and self.chance(0.5)
        shape = self.input_shape()
        name = rng.choice(("input", "input", "image"))
        if len(shape) == 1 and self.chance(0.5):
            self.arrives_as = rng.randint(2, 12)
        made.inputs = [Input(name, shape, self.arrives_as)]
        other = None
        if self.chance(0.2):
            other = Input("meta", rng.choice((shape, (rng.randint(1, 9),), self.input_shape())))
            made.inputs.append(other)
        if self.chance(0.3):
            made.constants = {n: rng.randint(1, 9) for n in rng.sample(("W", "width", "growth"), rng.randint(1, 2))}
        if self.chance(0.15):
            made.defaults = rng.choice(
                (
                    {"CONV": {"bias": False}},
                    {"CONV": {"bias": True}},
                    {"BN": {"eps": 0.001, "momentum": 0.2}},
                    {"LRELU": {"slope": 0.3}},
                    {"POOL": {"fit": Word("ceil")}, "AVGPOOL": {"fit": Word("ceil")}},
                    {"CONV": {"padding_mode": Word("replicate")}},
                )
            )
        scope = Scope(dict(made.constants))
        if not self.arrives_as:
            scope.labels[name] = shape
        if other is not None:
            scope.labels["meta"] = other.shape
        items: list[Item] = []
        try:
            if self.arrives_as:
                items, shape = self.embedded(shape)
            more, _ = self.chain(shape, rng.randint(1, 9), scope)
            items += more
        except Broken as broken:
            items += broken.items
        made.body = Chain(items)
        self.results(scope, [given.name for given in made.inputs])
        self.number_choices()
        return made

    def input_shape(self) -> Shape:
        rng = self.rng
        channels = rng.choice((1, 2, 3, 4, 6, 8))
        return rng.choice(
            (
                (rng.randint(1, 20),),
                (channels, rng.randint(1, 24)),
                (rng.randint(2, 9), rng.randint(1, 9)),
                (channels, rng.randint(4, 16), rng.randint(4, 16)),
                (channels, rng.randint(4, 16), rng.randint(4, 16)),
                (channels, *(rng.choice((8, 12, 16)),) * 2),
                (channels, rng.randint(2, 7), rng.randint(2, 7), rng.randint(2, 7)),
            )
        )

    def embedded(self, shape: Shape) -> tuple[list[Item], Shape]:
        width = self.rng.randint(1, 8)
        if self.chance(0.1):  # along another axis of the table
            table = self.param((2, self.arrives_as, width))
            return [Join("GATHER", [Chain([table]), Chain([Layer("ID")])], {"axis": self.rng.choice((1, -2))})], (
                2,
                *shape,
                width,
            )
        if self.chance(0.3):
            return [Join("GATHER", [Chain([self.param((self.arrives_as, width))]), Chain([Layer("ID")])])], (
                *shape,
                width,
            )
        arguments = {"count": self.arrives_as, "width": width}
        if self.chance(0.3):
            arguments["padding"] = self.rng.randrange(self.arrives_as)
        return [Layer("EMBEDDING", arguments)], (*shape, width)

    def results(self, scope: Scope, given: list[str]) -> None:
        own = [item.name for item in self.made.body.items if isinstance(item, Label)]
        own = [name for name in own if name in scope.labels and name.isidentifier() and name not in given]
        if not own or self.chance(0.6):
            return
        chosen = self.rng.sample(own, self.rng.randint(1, min(3, len(own))))
        if self.chance(0.3):
            self.made.training = [chosen.pop()]
        self.made.outputs = chosen

    def number_choices(self) -> None:
        """The -D of choices that are not the default: by number in the order of the text, apart in each block."""
        for prefix, chain in (("", self.made.body), *((f"{b.name}.", b.body) for b in self.made.blocks.values())):
            for number, item in enumerate(_choices(chain), 1):
                if isinstance(item, Optional) and not item.on:
                    self.made.choices[f"{prefix}choice{number}"] = "off"
                if isinstance(item, Choose) and item.pick:
                    self.made.choices[f"{prefix}choice{number}"] = str(item.pick + 1)

    # ---- chains

    def chain(self, shape: Shape, length: int, scope: Scope) -> tuple[list[Item], Shape]:
        """Steps over what arrives, and what comes out; raises Broken with those up to the fault."""
        items: list[Item] = []
        for _ in range(length):
            try:
                more, shape = self.steps(shape, scope)
            except Broken as broken:
                raise Broken([*items, *broken.items]) from None
            items += more
        return items, shape

    def steps(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape]:
        """One step, or a few that belong together."""
        kinds: list[Any] = [self.plain] * 12 + [self.join] * 3
        if scope.depth < 3:
            kinds += [
                self.group,
                self.repeat,
                self.repeat,
                self.call,
                self.call,
                self.loop,
                self.condition,
                self.choice,
            ]
            if scope.may_label:
                kinds += [self.labelled] * 4
        if scope.labels:
            kinds += [self.reference]
        if scope.targets:
            kinds += [self.share]
        for _ in range(20):
            found = self.rng.choice(kinds)(shape, scope)
            if found is not None:
                items, result = found
                if 0 < math.prod(result) <= LARGEST and 1 <= len(result) <= 5:
                    return items, result
        return [Layer("ID")], shape

    def attempt(self, item: Item, shape: Shape, scope: Scope) -> Shape | None:
        """What the item gives for what arrives, tried by torch; None where it is refused and not to be kept."""
        made = self.made
        mini = Spec(
            [Input("input", shape)], Chain([item]), made.blocks, dict(made.constants), made.defaults, fit=made.fit
        )
        network = Network(mini)
        for name, value in scope.env.items():
            mini.constants[name] = value
        try:
            with torch.no_grad():
                [result] = network.run({"input": torch.randn(1, *shape)})
        except MemoryError:
            return None
        except Rejected:
            if self.chance(self.wrong):
                raise Broken([item]) from None
            return None
        return _tame(result) if network.size() <= HEAVIEST else None

    def plain(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        """A layer."""
        proposals = self.layers(shape, scope)
        layer = self.rng.choice(proposals)() if proposals else Layer("RELU")
        items: list[Item] = list(layer) if isinstance(layer, list) else [layer]
        result = self.attempt(Chain(items), shape, scope)
        return None if result is None else (items, result)

    # ---- joins

    def join(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        rng = self.rng
        inner = Scope(scope.env, scope.labels, scope.targets, scope.may_label, scope.in_block, scope.depth + 1)
        kind = rng.choice(
            (
                "ADD",
                "ADD",
                "ADD",
                "SUB",
                "MUL",
                "DIV",
                "MAX",
                "MIN",
                "CONCAT",
                "CONCAT",
                "MATMUL",
                "ATTENTION",
                "number",
                "param",
            )
        )
        if kind == "number":
            arms: list[Any] = [Chain([Layer("ID")] if self.chance(0.5) else []), rng.choice((2, 0.5, -1.5, 3))]
            rng.shuffle(arms)
            return self.joined(Join(rng.choice(("ADD", "SUB", "MUL", "MAX", "MIN")), arms), shape, scope)
        if kind == "param":
            own = rng.choice(
                (
                    shape,
                    shape[1:],
                    shape[-1:],
                    (*(1,) * (len(shape) - 1), shape[-1]),
                    (shape[0], *(1,) * (len(shape) - 1)),
                    (5,),
                )
            ) or (1,)
            tensor: Layer = self.param(own)
            if self.chance(0.3) and math.prod(own) <= 8 and len(own) == 1:
                values = [rng.choice((1, round(rng.uniform(-1, 1), 2))) for _ in range(own[0])]
                tensor = Layer("CONST", {"values": values, "dtype": Word("float"), **self.some(batch=True)})
            arms = [Chain([Layer("ID")]), Chain([self.held(tensor, scope)])]
            rng.shuffle(arms)
            return self.joined(Join(rng.choice(("ADD", "MUL", "SUB", "MAX", "CONCAT")), arms), shape, scope)
        if kind == "ATTENTION":
            if len(shape) != 2:
                return None
            heads = self.some(heads=rng.choice((1, 2, 2)), causal=True, scale=0.5)
            parts = [
                Chain([Layer("LINEAR", {"width": rng.choice((4, shape[1]))})] if self.chance(0.4) else [])
                for _ in range(3)
            ]
            return self.joined(Join(kind, parts, heads), shape, scope)
        if kind == "MATMUL":
            if len(shape) < 2:
                return None
            last = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
            return self.joined(Join(kind, [Chain([]), Chain([Layer("PERMUTE", {"axes": last})])]), shape, scope)
        if kind in ("MUL", "DIV") and 2 <= len(shape) <= 4 and self.chance(0.5):  # squeeze and excitation
            gate: list[Item] = [Layer("GAP"), Layer("CONV", {"filters": In("channels"), "kernel": 1}), Layer("SIGMOID")]
            gate += [Layer("CLAMP", {"min": 0.05})] if kind == "DIV" else []
            return self.joined(Join(kind, [Chain([]), Chain(gate)]), shape, scope)
        if (
            kind in ("ADD", "SUB") and len(shape) >= 2 and self.chance(0.2)
        ):  # an axis of size 1 is stretched, if told so
            mean = Layer("MEAN", {"axis": (rng.randrange(len(shape)),), "keep": True})
            stretched = {"stretch": True} if self.chance(0.8) else {}
            return self.joined(Join(kind, [Chain([]), Chain([mean])], stretched), shape, scope)
        arms, shapes = [], []
        for position in range(2 if kind in ("SUB", "DIV") else rng.choice((2, 2, 2, 3))):
            if position and self.chance(0.25):
                arms.insert(0, Chain([Layer("ID")] if self.chance(0.5) else []))
                shapes.append(shape)
                continue
            try:
                items, out = self.chain(shape, rng.randint(1, 3), inner)
            except Broken as broken:
                raise Broken([Join(kind, [*arms, Chain(broken.items), *([] if arms else [Chain([])])])]) from None
            target = shapes[0] if shapes else shape
            items, out = self.matched(items, out, target, kind, scope)
            arms.append(Chain(items))
            shapes.append(out)
        if kind == "DIV":  # by what is above 0
            arms[-1].items.append(Layer("EXP"))
            arms[-1].items.insert(len(arms[-1].items) - 1, Layer("TANH"))
        arguments = {"axis": rng.randint(-1, len(shape) - 1)} if kind == "CONCAT" and self.chance(0.3) else {}
        return self.joined(Join(kind, arms, arguments), shape, scope)

    def held(self, tensor: Layer, scope: Scope) -> Item:
        """A tensor of its own as it stands, labelled, or by its position in a group or a block."""
        rng = self.rng
        behind: list[Item] = [Layer(kind) for kind in rng.sample(("TANH", "SIGMOID", "ABS"), rng.randint(0, 2))]
        inside = Chain([tensor, *behind])
        if self.chance(0.2) and not scope.in_block and len(self.made.blocks) < 4:
            name = f"Held{len(self.made.blocks)}"
            self.made.blocks[name] = Block(name, [], inside)
            return Call(name, {})
        if not scope.may_label or self.chance(0.5):
            return tensor
        return Label(self.name(), Group(inside) if self.chance(0.5) else tensor)

    def joined(self, join: Join, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        """The join as it stands, if torch takes it; what its arms name must be known to the trial."""
        result = self.attempt_named(join, shape, scope)
        return None if result is None else ([join], result)

    def attempt_named(self, item: Item, shape: Shape, scope: Scope) -> Shape | None:
        """As `attempt`, for an item that may name labels from around: they stand as inputs."""
        made = self.made
        outside = {name: known for name, known in scope.labels.items() if _names(item, name)}
        given = [Input("arriving", shape), *(Input(name, known) for name, known in outside.items())]
        if any(_names(item, name) for name in scope.targets):
            return None
        mini = Spec(given, Chain([item]), made.blocks, {**made.constants, **scope.env}, made.defaults, fit=made.fit)
        network = Network(mini)
        try:
            with torch.no_grad():
                [result] = network.run({g.name: torch.randn(1, *g.shape) for g in given})
        except MemoryError:
            return None
        except Rejected:
            if self.chance(self.wrong):
                raise Broken([item]) from None
            return None
        return _tame(result) if network.size() <= HEAVIEST else None

    def matched(
        self, items: list[Item], out: Shape, wanted: Shape, kind: str, scope: Scope
    ) -> tuple[list[Item], Shape]:
        """Steps more that give the shape that the other arms have, most of the time."""
        if out == wanted or self.chance(self.wrong / 2):
            return items, out
        if kind == "CONCAT" and out[1:] == wanted[1:]:
            return items, out
        if out[1:] == wanted[1:] and 2 <= len(out) <= 4:
            return [*items, Layer("CONV", {"filters": self.number(wanted[0], scope, out), "kernel": 1})], wanted
        if out[:-1] == wanted[:-1] and out:
            return [*items, Layer("LINEAR", {"width": wanted[-1]})], wanted
        if math.prod(wanted) <= 200:
            return [*items, Layer("FC", {"width": math.prod(wanted)}), Layer("RESHAPE", {"sizes": wanted})], wanted
        return [Layer("RELU")], wanted  # what there was is too far from it

    # ---- what holds other steps

    def below(self, scope: Scope, **changes: Any) -> Scope:
        values = {**vars(scope), "depth": scope.depth + 1, **changes}
        return Scope(**values)

    def group(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape]:
        try:
            items, result = self.chain(shape, self.rng.randint(1, 3), self.below(scope))
        except Broken as broken:
            raise Broken([Group(Chain(broken.items))]) from None
        return [Group(Chain(items))], result

    def repeat(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        rng = self.rng
        count = rng.choice((0, 1, 2, 2, 3, 4))
        inner = self.below(scope, may_label=False)
        if self.chance(0.4):
            inner.env = dict(scope.env)
            body, _ = self.plain(shape, inner) or ([Layer("RELU")], shape)
            item: Item = body[0] if len(body) == 1 else Group(Chain(body))
        else:
            try:
                body, _ = self.chain(shape, rng.randint(1, 3), inner)
            except Broken as broken:
                raise Broken([Repeat(Group(Chain(broken.items)), 1)]) from None
            item = Group(Chain(body))
        repeated = Repeat(item, self.number(count, scope, ()))
        found = self.attempt_named(repeated, shape, scope)
        return None if found is None else ([repeated], found)

    def call(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        """A block's call, of one that is there or of a new one."""
        rng = self.rng
        held = [name for name in self.made.blocks if name.startswith("Held")]  # they take nothing that arrives
        blocks = {name: block for name, block in self.made.blocks.items() if name not in held}
        if blocks and self.chance(0.6):
            block = rng.choice(list(blocks.values()))
            call = Call(block.name, {})
            for name, default in block.parameters:
                if default is None or self.chance(0.3):
                    call.arguments[name] = self.width(scope, shape)
            if scope.in_block:  # a block may not lead back to itself
                return None
            found = self.attempt(call, shape, scope)
            return None if found is None else ([call], found)
        if scope.in_block or len(blocks) >= 3:
            return None
        name = rng.choice(("Cell", "Unit", "Bottleneck", "SE", "Stem")) + rng.choice(("", "A", "B"))
        if name in blocks:
            return None
        parameters: list[tuple[str, Any]] = []
        env: dict[str, Any] = dict(self.made.constants)
        call = Call(name, {})
        for parameter in rng.sample(("w", "c", "k", "g"), rng.randint(0, 3)):
            default = rng.choice(
                (None, In("channels"), Number(rng.randint(1, 8)), Binary("*", Number(2), In("channels")))
            )
            value = {In: shape[0], Binary: 2 * shape[0]}.get(
                type(default), default.value if isinstance(default, Number) else 0
            )
            if default is None or self.chance(0.2):
                value = rng.choice((1, 2, 4, 6, 8))
                call.arguments[parameter] = Number(value)
            parameters.append((parameter, default))
            env[parameter] = value
        parameters.sort(key=lambda p: p[1] is not None)
        inner = Scope(env, {}, {}, True, True, scope.depth + 1)
        try:
            items, result = self.chain(shape, rng.randint(1, 4), inner)
        except Broken as broken:
            self.made.blocks[name] = Block(name, parameters, Chain(broken.items))
            raise Broken([call]) from None
        self.made.blocks[name] = Block(name, parameters, Chain(items))
        return [call], result

    def loop(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        rng = self.rng
        if scope.in_block and self.chance(0.5):
            return None
        self.names += 1
        name = f"i{self.names}"
        pair = self.chance(0.3)
        names = [name, f"j{self.names}"] if pair else [name]
        rows: list[tuple[Any, ...]] = [
            (n, rng.choice((2, 4, 8))) if pair else (n,) for n in rng.sample(range(1, 7), rng.randint(0, 3))
        ]
        env = {**scope.env, name: rows[0][0] if rows else 2}
        if pair:
            env[names[1]] = rows[0][1] if rows else 4
        inner = self.below(scope, env=env, may_label=False)
        try:
            items, _ = self.chain(shape, rng.randint(1, 3), inner)
        except Broken as broken:
            raise Broken([Loop(names, rows or [tuple(env[n] for n in names)], Chain(broken.items))]) from None
        if scope.may_label and self.chance(0.5):
            label = f"stage{self.names}_{{{name}}}" if self.chance(0.7) else f"s{self.names}-{{{name}}}"
            body: Item = (
                items[0]
                if len(items) == 1 and not isinstance(items[0], (Reference, Share, Loop, Condition))
                else Group(Chain(items))
            )
            if not isinstance(body, (Optional, Choose)):
                items = [Label(label, body)]
        loop = Loop(names, rows, Chain(items))
        found = self.attempt_named(loop, shape, scope)
        return None if found is None else ([loop], found)

    def condition(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        number = shape[0] if self.chance(0.5) else self.rng.choice((1, 2, 4, 8))
        operator = self.rng.choice(("==", "!=", ">"))
        test = Binary(operator, In("channels"), self.number(number, scope, ()))
        holds = {"==": shape[0] == number, "!=": shape[0] != number, ">": shape[0] > number}[operator]
        inner = self.below(scope, may_label=False)
        taken, result = self.arm(
            shape, inner, lambda items: [Condition(test, *(Chain(items), Chain([]))[:: 1 if holds else -1])]
        )
        untaken = self.dead(shape, inner)
        chains = (Chain(taken), Chain(untaken))
        return [Condition(test, *(chains if holds else chains[::-1]))], result

    def arm(self, shape: Shape, scope: Scope, around: Any) -> tuple[list[Item], Shape]:
        try:
            return self.chain(shape, self.rng.randint(1, 3), scope)
        except Broken as broken:
            raise Broken(around(broken.items)) from None

    def dead(self, shape: Shape, scope: Scope) -> list[Item]:
        """Steps that are never reached, so may be wrong; none that a choice stands in, which would be counted."""
        if self.chance(0.5):
            return []
        return (
            [Layer("CONV", {"filters": 3, "kernel": 1}), Layer("RELU")]
            if self.chance(0.7)
            else [Layer("FC", {"width": 7})]
        )

    def choice(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape]:
        inner = self.below(scope, may_label=False)
        if self.chance(0.5):
            if self.chance(0.4):
                return [Optional(Group(Chain(self.dead(shape, inner) or [Layer("RELU")])), False)], shape
            taken, result = self.arm(shape, inner, lambda items: [Optional(Group(Chain(items)))])
            return [Optional(Group(Chain(taken)))], result
        pick = self.rng.choice((0, 0, 1))
        taken, result = self.arm(shape, inner, lambda items: [Choose([Chain(items), Chain([])])])
        arms = [Chain(taken), Chain(self.dead(shape, inner))]
        return [Choose(arms if pick == 0 else arms[::-1], pick)], result

    # ---- names

    def name(self) -> str:
        self.names += 1
        stems = ("x", "features", "conv", "relu", "b-", "input", "output_", "self_", "bn")
        return f"{self.rng.choice(stems)}{self.names}"

    def labelled(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        name = self.name()
        way = self.rng.choice(("layer", "layer", "group", "group", "join", "call", "repeat"))
        labels, targets = dict(scope.labels), dict(scope.targets)
        if way == "group":
            inner = self.below(scope, labels=labels, targets=targets)
            try:
                items, result = self.chain(shape, self.rng.randint(1, 3), inner)
            except Broken as broken:
                raise Broken([Label(name, Group(Chain(broken.items)))]) from None
            item: Item = Group(Chain(items))
        else:
            makers = {"layer": self.plain, "join": self.join, "call": self.call, "repeat": self.repeat}
            try:
                found = makers[way](shape, self.below(scope, may_label=False))
            except Broken as broken:
                raise Broken(
                    [Label(name, broken.items[0]), *broken.items[1:]] if len(broken.items) == 1 else broken.items
                ) from None
            if found is None or len(found[0]) != 1:
                return None
            [item], result = found
        # What stands deeper down may be named from here on too.
        scope.labels.update({k: v for k, v in labels.items() if k not in scope.labels})
        scope.labels[name] = result
        simple = (isinstance(item, Group) and not _inside(item, (Reference, Share, Choose, Optional))) or isinstance(
            item, (Layer, Call)
        )
        if simple and not (isinstance(item, Layer) and item.kind == "INPUT"):
            if not _inside(item, (In,)) and not _undecided(item):
                scope.targets[name] = shape
        return [Label(name, item)], result

    def reference(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        """A tensor from before, joined to what arrives, or instead of it."""
        name, known = self.rng.choice(list(scope.labels.items()))
        if self.chance(0.1):
            return [Reference(name)], known
        if known == shape:
            kind = self.rng.choice(("ADD", "SUB", "MUL", "MAX", "CONCAT"))
            arms: list[Any] = [Chain([Layer("ID")]), Chain([Reference(name)])]
            self.rng.shuffle(arms)
            return [Join(kind, arms)], (2 * shape[0], *shape[1:]) if kind == "CONCAT" else shape
        if len(known) == len(shape) and known[1:] == shape[1:]:
            return [Join("CONCAT", [Chain([Reference(name)]), Chain([])])], (known[0] + shape[0], *shape[1:])
        if math.prod(shape) <= 100:
            arm: list[Item] = [
                Reference(name),
                Layer("FC", {"width": math.prod(shape)}),
                Layer("RESHAPE", {"sizes": shape}),
            ]
            return [Join("ADD", [Chain(arm), Chain([])])], shape
        return None

    def share(self, shape: Shape, scope: Scope) -> tuple[list[Item], Shape] | None:
        for name, arrived in scope.targets.items():
            if arrived == shape and name in scope.labels:
                item: Item = Share(name)
                if scope.may_label and self.chance(0.3):
                    label = self.name()
                    item = Label(label, item)
                    scope.labels[label] = scope.labels[name]
                return [item], scope.labels[name]
        return None


def _tame(result: torch.Tensor) -> Shape | None:
    """The shape of a tensor without the batch; None where its numbers are too large to compare, or none."""
    result = result.detach()
    good = result.numel() and bool(torch.isfinite(result).all()) and float(result.abs().max()) < 1e4
    return tuple(result.shape[1:]) if good else None


def parts(item: Any, choices: bool = False) -> list[Any]:
    """The item and all that stands in it, in the order of the text."""
    inside: list[Any] = []
    if isinstance(item, (Chain, Loop, Group)):
        inside = item.items if isinstance(item, Chain) else [item.body]
    elif isinstance(item, (Label, Repeat, Optional)):
        inside = [item.item]
    elif isinstance(item, (Join, Choose)):
        inside = item.arms
    elif isinstance(item, Condition):
        inside = [item.then, item.other]
    below = [part for one in inside for part in parts(one, choices)]
    return [*below, item] if choices and isinstance(item, Optional) else [item, *below]


def _choices(chain: Chain) -> list[Any]:
    """Choices in the order of the text, where `?` stands behind what it is about."""
    return [part for part in parts(chain, choices=True) if isinstance(part, (Optional, Choose))]


def _names(item: Item, name: str) -> bool:
    return any(isinstance(part, (Reference, Share)) and part.name == name for part in parts(item))


def _inside(item: Item, kinds: tuple[type, ...]) -> bool:
    """Whether one of these stands in the item, its arguments included."""
    return any(
        isinstance(part, kinds) or any(isinstance(v, kinds) for v in getattr(part, "arguments", {}).values())
        for part in parts(item)
    )


def _undecided(item: Item) -> bool:
    """Whether a CONV or FC in it leaves its width to the rule."""
    return any(
        isinstance(part, Layer) and part.kind in ("CONV",) and "filters" not in part.arguments for part in parts(item)
    )
