"""A second, direct interpreter of the language in torch, to hold archdsl against: it shares no code with the package.

It runs the structure of `tests.support.generate` on tensors, step by step: torch decides what is accepted, what
the shapes are and what comes out. Only the rules of the language itself are written down here once more: names,
defaults, joins, `fit`. Modules are made in the first run and kept, so that weights can be put in and other batches run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tests.support.structure import (
    Binary,
    Call,
    Chain,
    Choose,
    Condition,
    Group,
    In,
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
    Variable,
    Word,
)  # fmt: skip
from tests.support.torch_layers import CALLS, JOINS, MAKERS, PLAIN, POOLED, RESIZING, Rejected, per_axis, refuse


@dataclass(eq=False)
class Value:
    """A tensor that flows; `batched`: it has a batch. `frame` is the block or file where it was made."""

    tensor: Tensor
    batched: bool = True
    frame: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the batch."""
        return tuple(self.tensor.shape[1:] if self.batched else self.tensor.shape)


@dataclass(eq=False)
class Frame:
    """A level of the module tree while it is gone through; `closed`: a block, which sees no labels from around."""

    key: tuple[Any, ...]
    outer: Frame | None = None
    closed: bool = False
    title: str = ""
    positional: bool = True
    steps: list[tuple[str, str, tuple[Any, ...], Frame | None]] = field(
        default_factory=list
    )  # label, kind, key, inside
    labels: dict[str, Value] = field(default_factory=dict)
    targets: dict[str, tuple[Item, tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    inside: list[Frame] = field(default_factory=list)

    @property
    def around(self) -> Frame:
        """The block or file that this level belongs to."""
        return self if self.closed or self.outer is None else self.outer.around

    def label(self, name: str, value: Value, target: Any) -> None:
        """Keep what a label stands for."""
        if name in self.labels:
            raise Rejected(f"two steps are called {name}")
        self.positional = False
        self.labels[name] = value
        self.targets[name] = target

    def find(self, name: str) -> Frame:
        """The level whose label `@name` means."""
        level: Frame | None = self
        widest = self
        while level is not None:
            if name in level.labels:
                return level
            widest, level = level, None if level.closed else level.outer
        found = [frame for frame in widest.below() if name in frame.labels]
        if len(found) != 1:
            raise Rejected(f"{len(found)} steps are called {name}")
        return found[0]

    def below(self) -> list[Frame]:
        """All levels inside."""
        return [deep for frame in self.inside for deep in (frame, *frame.below())]


Memory = tuple[int | None, bool]
MOST = 1_000_000


class Network:
    """A spec as torch modules and a run over them."""

    def __init__(self, spec: Spec, device: str = "cpu") -> None:
        self.spec = spec
        self.device = device
        self.trying = ""  # the layer that runs now, or was refused
        self.kept: dict[tuple[Any, ...], Any] = {}
        self.convolutions: list[tuple[Any, Value]] = []  # those whose bias the rule decides, with what they give
        self.readers: dict[Value, list[tuple[str, Frame]]] = {}
        self.training = False
        self.shapes: list[tuple[str, tuple[int, ...]]] = []
        self.root = Frame(())
        self.first = True
        self.made: list[tuple[Value, list[Value]]] = []  # each tensor with those that it was made of
        self.whole = True  # whether the outputs need all of them

    # ---- the whole

    def run(self, inputs: dict[str, Tensor], training: bool = False) -> list[Tensor]:
        """The outputs in order; raises Rejected where language or torch refuse."""
        self.training = training
        for module in self.kept.values():
            if isinstance(module, nn.Module):
                module.train(training)
        self.root = Frame(())
        self.shapes, self.convolutions, self.readers, self.made = [], [], {}, []
        for given in self.spec.inputs:
            self.root.labels[given.name] = Value(inputs[given.name], frame=self.root)
        self.memory: Memory = (None, False)  # the last CONV's width, and whether a stride lies since
        self.convolved = False  # whether a CONV stands in this arm
        start = self.root.labels[self.spec.inputs[0].name]
        try:
            result = self.chain(self.spec.body, start, self.root, dict(self.spec.constants))
            plain = [self.root.labels[self.root_label(name)] for name in self.spec.outputs] or [result]
            extra = [self.root.labels[name] for name in self.spec.training]
            extra = [value for value in extra if self.spec.outputs or value is not result]  # it is given anyway
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            raise Rejected(f"{type(error).__name__}: {error}") from error
        for value in (*plain, *extra):
            self.read(value, "output", self.root)
        needed = {*plain, *extra}
        for value, sources in reversed(self.made):
            needed.update(sources if value in needed else ())
        self.whole = all(value in needed for value, _ in self.made)
        if self.first:
            self.decide_biases()
            self.first = False
        return [v.tensor for v in (*plain, *(extra if training else ()))]

    def root_label(self, name: str) -> str:
        """The label of an output."""
        if name not in self.root.labels:
            raise Rejected(f"no {name}")
        return name

    def decide_biases(self) -> None:
        """None where just one BN of the same block or file reads the layer."""
        for module, value in self.convolutions:
            readers = self.readers.get(value, [])
            if len(readers) == 1 and readers[0][0] == "BN" and readers[0][1].around is value.frame.around:
                module.register_parameter("bias", None)

    def state(self) -> dict[str, Tensor]:
        """What the module's state_dict must be, by the rules of names."""
        result: dict[str, Tensor] = {}
        self.name(self.root, "", result)
        return result

    def size(self) -> int:
        """The numbers that it holds, learned or not."""
        held = (made.state_dict().values() if isinstance(made, nn.Module) else [made] for made in self.kept.values())
        return sum(tensor.numel() for tensors in held for tensor in tensors if isinstance(tensor, Tensor))

    def parameters(self) -> int:
        """The number of learned numbers."""
        return sum(t.numel() for t in self.state().values() if isinstance(t, nn.Parameter))

    def load(self, state: dict[str, Tensor]) -> None:
        """Take the weights of a module with the same names and shapes."""
        own = self.state()
        assert {k: tuple(v.shape) for k, v in own.items()} == {k: tuple(v.shape) for k, v in state.items()}
        with torch.no_grad():
            for key, value in own.items():
                value.copy_(state[key])

    def double(self) -> None:
        """Go on in doubles, where rounding hides nothing."""
        for key, held in self.kept.items():
            if isinstance(held, nn.Parameter):
                self.kept[key] = nn.Parameter(held.detach().double())
            elif isinstance(held, nn.Module):
                held.double()

    def name(self, frame: Frame, prefix: str, result: dict[str, Tensor]) -> None:
        counts: Counter[str] = Counter()
        taken = {label for label, _, _, _ in frame.steps if label}
        for position, (label, kind, key, inside) in enumerate(frame.steps):
            name = label or str(position)
            if not label and not frame.positional:
                name = ""
                while not name or name in taken:
                    counts[kind] += 1
                    name = f"{kind}{counts[kind]}"
            if inside is not None:
                self.name(inside, f"{prefix}{name}.", result)
            elif kind != "share":
                held = self.kept.get(key)
                if isinstance(held, nn.Parameter):
                    result[prefix + name] = held
                elif isinstance(held, nn.Module):
                    result.update((f"{prefix}{name}.{k}", v) for k, v in self.tensors(held))

    @staticmethod
    def tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
        named = dict((*module.named_parameters(), *module.named_buffers()))
        return [(k, named[k]) for k in module.state_dict()]

    # ---- steps

    def read(self, value: Value, by: str, frame: Frame) -> None:
        self.readers.setdefault(value, []).append((by, frame))

    def chain(self, chain: Chain, value: Value, frame: Frame, env: dict[str, Any]) -> Value:
        for item in chain.items:
            value = self.step(item, value, frame, env)
        return value

    def step(self, item: Item, value: Value, frame: Frame, env: dict[str, Any], label: str = "") -> Value:
        if isinstance(item, Layer) and item.kind == "INPUT":
            return value
        if isinstance(item, (Layer, Join, Call)) or (label and isinstance(item, (Group, Repeat))):
            key = (*frame.key, len(frame.steps))
            return self.place(item, value, frame, env, label, key)
        if isinstance(item, Chain):
            return self.chain(item, value, frame, env)
        if isinstance(item, Group):
            return self.chain(item.body, value, frame, env)
        if isinstance(item, Label):
            name = item.name.format(**env)
            key = (*frame.key, len(frame.steps))
            named = isinstance(item.item, (Layer, Join, Call, Group, Repeat, Share))
            before = len(frame.steps)
            result = self.step(item.item, value, frame, env, name if named else "")
            if named and isinstance(item.item, Join):
                key = frame.steps[-1][2]
            frame.label(name, result, (item.item, key, dict(env)) if len(frame.steps) > before else None)
            return result
        if isinstance(item, Repeat):
            for _ in range(self.value(item.count, env, value)):
                value = self.chain(Chain([item.item]), value, frame, env)
            return value
        if isinstance(item, Reference):
            frame.positional = False
            found = frame.find(item.name.format(**env))
            return found.labels[item.name.format(**env)]
        if isinstance(item, Share):
            return self.share(item, value, frame, env, label)
        if isinstance(item, Loop):
            for row in item.values:
                value = self.chain(item.body, value, frame, {**env, **dict(zip(item.names, row))})
            return value
        if isinstance(item, Condition):
            return self.chain(item.then if self.value(item.test, env, value) else item.other, value, frame, env)
        if isinstance(item, Optional):
            return self.step(item.item, value, frame, env) if item.on else value
        if isinstance(item, Choose):
            return self.chain(item.arms[item.pick], value, frame, env)
        raise TypeError(item)

    def place(
        self,
        item: Item,
        value: Value,
        frame: Frame,
        env: dict[str, Any],
        label: str,
        key: tuple[Any, ...],
        again: bool = False,
    ) -> Value:
        """A step that has a name of its own."""
        if isinstance(item, Layer):
            return self.layer(item.kind, self.arguments(item, env, value), [value], frame, label, key, again)
        if isinstance(item, Join):
            arguments = self.arguments(item, env, value)
            frame.positional = False
            start, before, after = self.memory, self.convolved, None
            arms, strided = [], start[1]
            for arm in item.arms:
                self.memory, self.convolved = start, False
                arms.append(self.arm(arm, value, frame, env))
                if self.convolved and after is None:
                    after = self.memory
                strided = strided or self.memory[1]
            self.convolved = before or after is not None
            self.memory = after or (start[0], strided)
            key = (*frame.key, len(frame.steps))
            return self.layer(item.kind, arguments, arms, frame, label, key, again)
        if isinstance(item, Call):
            block = self.spec.blocks[item.name]
            inner = dict(self.spec.constants)
            given = {k: self.value(v, env, value) for k, v in item.arguments.items()}
            for name, default in block.parameters:
                inner[name] = given[name] if name in given else self.value(default, inner, value)
            below = Frame(key, frame, True, block.name)
            body, title = block.body, block.name.lower()
            self.read(value, "block", frame)
            arriving = Value(value.tensor, value.batched, below)
            self.made.append((arriving, [value]))
        else:
            below, inner, title = Frame(key, frame), env, "group"
            body = item.body if isinstance(item, Group) else Chain([item])
            arriving = value
        if not again:
            frame.inside.append(below)
        result = self.chain(body, arriving, below, inner)
        if isinstance(item, Call):
            self.read(result, "block", below)
            outer = Value(result.tensor, result.batched, frame)
            self.made.append((outer, [result]))
            result = outer
        if not again:
            if not isinstance(item, Repeat) or self.value(item.count, env, value):
                frame.steps.append((label, title, key, below))
        return result

    def arm(self, arm: Any, value: Value, frame: Frame, env: dict[str, Any]) -> Value:
        if isinstance(arm, (int, float)):
            frame.steps.append(("", "const", (*frame.key, len(frame.steps)), None))
            return Value(torch.tensor(float(arm)).to(self.device), False, frame)
        return self.chain(arm, value, frame, env)

    def share(self, item: Share, value: Value, frame: Frame, env: dict[str, Any], label: str) -> Value:
        frame.positional = False
        name = item.name.format(**env)
        target = frame.find(name).targets[name]
        if target is None:
            return value
        what, key, inner = target
        self.read(value, "share", frame)
        throwaway = Frame(key[:-1], frame)
        throwaway.steps = [("", "", (), None)] * key[-1]
        result = self.place(what, value, throwaway, inner, "", key, True)
        frame.steps.append((label, "share", (), None))
        outer = Value(result.tensor, result.batched, frame)
        self.made.append((outer, [result]))
        return outer

    def layer(
        self, kind: str, a: dict[str, Any], x: list[Value], frame: Frame, label: str, key: tuple[Any, ...], again: bool
    ) -> Value:
        self.trying = kind
        if kind in ("PARAM", "CONST"):
            x = []
        for value in x:
            self.read(value, kind, frame)
        default_width = kind == "CONV" and a.get("filters") is None
        if default_width:
            width, strided = self.memory
            own = any(s > 1 for s in per_axis(a.get("stride", 1), len(x[0].shape) - 1))
            a["filters"] = 32 if width is None else min(2 * width, 512) if (strided or own) and width < 512 else width
        refuse(any(a.get(name, 1) == 0 for name in ("filters", "width", "groups", "count", "heads")), "a width of 0")
        made, batched = self.apply(kind, a, x, key)
        refuse(made.numel() == 0, "nothing is left")
        if made.numel() > MOST:
            raise MemoryError(kind)
        result = Value(made, batched, frame)
        self.made.append((result, x))
        if kind == "CONV":
            self.memory, self.convolved = (result.shape[0], False), True
        elif kind in POOLED:
            strides = per_axis(a.get("stride", a.get("size", 2)), len(x[0].shape) - 1)
            self.memory = (self.memory[0], self.memory[1] or any(s > 1 for s in strides))
        elif kind in RESIZING:  # to one position is a mean over all, and no stride
            shrunk = any(n > m for n, m in zip(x[0].shape[1:], result.shape[1:]))
            whole = kind != "UPSAMPLE" and set(result.shape[1:]) == {1}
            self.memory = (self.memory[0], self.memory[1] or (shrunk and not whole))
        if kind in ("CONV", "UPCONV") and a.get("bias") is None and not again:
            self.convolutions.append((self.kept[key], result))
        frame.steps.append((label, kind.lower(), key, None))
        self.shapes.append((kind, result.shape))
        return result

    def apply(self, kind: str, a: dict[str, Any], x: list[Value], key: tuple[Any, ...]) -> tuple[Tensor, bool]:
        """What the layer gives, and whether that has a batch."""
        if kind == "PARAM":
            if key not in self.kept:
                sizes = (1, *a["sizes"]) if a.get("batch") else a["sizes"]
                self.kept[key] = nn.Parameter((torch.randn(sizes) * 0.5).to(self.device))
            return self.kept[key][0] if a.get("batch") else self.kept[key], False
        if kind == "CONST":
            return torch.tensor(a["values"], dtype=torch.float32).to(self.device), False
        if kind in JOINS:
            return JOINS[kind](a, x), any(value.batched for value in x)
        tensors = [value.tensor for value in x]
        if kind in PLAIN:
            return PLAIN[kind](tensors[0]), x[0].batched
        if key not in self.kept:
            self.kept[key] = MAKERS[kind]({**a, "fit": a.get("fit", self.spec.fit)}, tensors)
            if isinstance(self.kept[key], nn.Module):
                module = self.kept[key] if self.device == "cpu" else self.kept[key].to(self.device)
                module.train(self.training)
        made = self.kept[key]
        if isinstance(made, nn.Module):
            return CALLS[kind](made, a, tensors) if kind in CALLS else made(tensors[0]), True
        return made(tensors, self.training) if kind == "DROPPATH" else made(tensors), True

    # ---- values

    def arguments(self, item: Layer | Join, env: dict[str, Any], value: Value) -> dict[str, Any]:
        kind = "POOL" if item.kind == "MAXPOOL" else item.kind
        given = {**self.spec.defaults.get(kind, {}), **item.arguments}
        return {k: self.value(v, env, value) for k, v in given.items()}

    def value(self, expression: Any, env: dict[str, Any], value: Value) -> Any:
        if isinstance(expression, Number):
            return expression.value
        if isinstance(expression, Variable):
            return env[expression.name]
        if isinstance(expression, In):
            return value.shape[0 if expression.what == "channels" else -1]
        if isinstance(expression, Binary):
            left, right = self.value(expression.left, env, value), self.value(expression.right, env, value)
            return _OPERATORS[expression.operator](left, right)
        if isinstance(expression, Word):
            return expression.word
        if isinstance(expression, tuple):
            return tuple(self.value(part, env, value) for part in expression)
        return expression


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
}
