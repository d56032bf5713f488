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

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
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
            return Value(torch.tensor(float(arm)), False, frame)
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
                self.kept[key] = nn.Parameter(torch.randn(a["sizes"]) * 0.5)
            return self.kept[key], False
        if kind == "CONST":
            return torch.tensor(a["values"]), False
        if kind in JOINS:
            return JOINS[kind](a, x), any(value.batched for value in x)
        tensors = [value.tensor for value in x]
        if kind in PLAIN:
            return PLAIN[kind](tensors[0]), x[0].batched
        if key not in self.kept:
            self.kept[key] = MAKERS[kind]({**a, "fit": a.get("fit", self.spec.fit)}, tensors)
            if isinstance(self.kept[key], nn.Module):
                self.kept[key].train(self.training)
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


def refuse(wrong: bool, why: str) -> None:
    """A rule of the language that torch does not have."""
    if wrong:
        raise Rejected(why)


def _tuple(value: Any, rank: int) -> tuple[int, ...]:
    if isinstance(value, tuple):
        refuse(len(value) != rank, "sizes for another number of axes")
        return value
    return (value,) * rank


def _rank(x: Tensor) -> int:
    rank = x.dim() - 2
    refuse(not 1 <= rank <= 3, "no map")
    refuse(not x.is_floating_point(), "no floats")
    return rank


# ---- windows


def lost(n: int, k: int, s: int, d: int, before: int, after: int) -> int:
    """The positions of the input that no window reaches, gaps that the stride leaves everywhere apart."""
    extent = d * (k - 1) + 1
    windows = (n + before + after - extent) // s + 1
    end = (windows - 1) * s + max(extent, s)  # of the last window and the gap behind it
    return max(0, before + n - end)


def judge(x: Tensor, sizes: tuple[tuple[int, ...], ...], fit: str, *, ceil: bool = False) -> None:
    """CS231n's formula, or what it means for what is lost."""
    for n, k, s, d, before, after in zip(x.shape[2:], *sizes):
        extent = d * (k - 1) + 1
        refuse(n + before + after < extent and not ceil, "the window is larger than the map")
        refuse(fit == "exact" and (n + before + after - extent) % s != 0, "doesn't fit exactly")
        refuse(fit == "cover" and lost(n, k, s, d, before, after) > 0, "doesn't fit")


def pads(a: dict[str, Any], x: Tensor, kernel: str, default: Any) -> tuple[tuple[int, ...], ...]:
    """Kernel, stride, dilation, padding before and after along each axis."""
    rank = _rank(x)
    k = _tuple(a.get(kernel, 3 if kernel == "kernel" else 2), rank)
    s = _tuple(a.get("stride", 1 if kernel == "kernel" else k), rank)
    d = _tuple(a.get("dilation", 1), rank)
    given = a.get("padding", default)
    reach = [dd * (kk - 1) for kk, dd in zip(k, d)]
    if given == "half":
        refuse(any(kk % 2 == 0 for kk in k), "an even kernel")
        pairs = [(r // 2, r // 2) for r in reach]
    elif given == "valid":
        pairs = [(0, 0)] * rank
    elif given == "full":
        pairs = [(r, r) for r in reach]
    elif given == "causal":
        refuse(rank != 1, "causal is for sequences")
        pairs = [(reach[0], 0)]
    elif given == "same":
        total = [max(0, (math.ceil(n / ss) - 1) * ss + r + 1 - n) for n, ss, r in zip(x.shape[2:], s, reach)]
        pairs = [(t // 2, t - t // 2) for t in total]
    else:
        pairs = [(p, p) for p in _tuple(given, rank)]
    return k, s, d, tuple(p for p, _ in pairs), tuple(q for _, q in pairs)


def flat(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    """F.pad's order."""
    return [p for pair in zip(reversed(before), reversed(after)) for p in pair]


def _conv(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "kernel", "half")
    judge(x[0], (k, s, d, before, after), a["fit"])
    mode, even = a.get("padding_mode", "zeros"), before == after
    made: nn.Module = getattr(nn, f"Conv{rank}d")(
        x[0].shape[1], a["filters"], k, s, before if even else 0, d, a.get("groups", 1), a.get("bias") is not False,
        mode if even else "zeros",
    )  # fmt: skip
    if not even:
        pad, how = flat(before, after), "constant" if mode == "zeros" else mode
        made.register_forward_pre_hook(lambda module, args: (F.pad(args[0], pad, mode=how),))
    return made


def _upconv(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = _rank(x[0])
    k, s, d = (_tuple(a.get(n, v), rank) for n, v in (("kernel", 2), ("stride", 2), ("dilation", 1)))
    if a.get("padding") is None:
        extent = [dd * (kk - 1) + 1 for kk, dd in zip(k, d)]
        p = tuple(math.ceil(max(0, e - ss) / 2) for e, ss in zip(extent, s))
        out = tuple(2 * pp - (e - ss) for pp, e, ss in zip(p, extent, s))
        if a.get("output_padding") is not None:
            out = _tuple(a["output_padding"], rank)
    else:
        p, out = _tuple(a["padding"], rank), _tuple(a.get("output_padding", 0), rank)
    made = getattr(nn, f"ConvTranspose{rank}d")
    result: nn.Module = made(
        x[0].shape[1], a["filters"], k, s, p, out, a.get("groups", 1), a.get("bias") is not False, d
    )
    return result


def _pool(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "size", 0)
    ceil = a["fit"] == "ceil"
    judge(x[0], (k, s, d, before, after), a["fit"], ceil=ceil)
    function = getattr(F, f"max_pool{rank}d")
    if not isinstance(a.get("padding", 0), str):
        return lambda x: function(x[0], k, s, before, d, ceil_mode=ceil)
    if ceil:
        ends = []
        for n, kk, ss, dd, p, q in zip(x[0].shape[2:], k, s, d, before, after):
            count = (n + p - 1 + min(0, ss + q - dd * (kk - 1) - 1)) // ss + 1
            ends.append(max(q, (count - 1) * ss + dd * (kk - 1) + 1 - n - p))
        after = tuple(ends)
    return lambda x: function(F.pad(x[0], flat(before, after), value=-math.inf), k, s, 0, d)


def _avgpool(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "size", 0)
    ceil, counted = a["fit"] == "ceil", a.get("count_include_pad", True)
    judge(x[0], (k, s, d, before, after), a["fit"], ceil=ceil)
    function = getattr(F, f"avg_pool{rank}d")
    if before == after:
        return lambda x: function(x[0], k, s, before, ceil, counted)
    pad = flat(before, after)
    if counted:
        return lambda x: function(F.pad(x[0], pad), k, s)
    return lambda x: function(F.pad(x[0], pad), k, s) / function(F.pad(torch.ones_like(x[0]), pad), k, s)


def _lppool(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    k, s, d, before, after = pads(a, x[0], "size", 0)
    ceil = a["fit"] == "ceil"
    judge(x[0], (k, s, d, before, after), a["fit"], ceil=ceil)
    made = getattr(F, f"lp_pool{rank}d")
    return lambda x: made(x[0], float(a.get("p", 2)), k if rank > 1 else k[0], s if rank > 1 else s[0], ceil)


def _adaptive(kind: str) -> Callable[[dict[str, Any], list[Tensor]], Any]:
    def make(a: dict[str, Any], x: list[Tensor]) -> Any:
        rank = _rank(x[0])
        size = _tuple(a["size"], rank)
        return lambda x: getattr(F, f"adaptive_{kind}_pool{rank}d")(x[0], size)

    return make


# ---- the others


def _norm_rank(x: Tensor) -> int:
    refuse(not 2 <= x.dim() <= 5 or not x.is_floating_point(), "neither a map nor a vector")
    return max(1, x.dim() - 2)


def _bn(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    made = getattr(nn, f"BatchNorm{_norm_rank(x[0])}d")
    result: nn.Module = made(
        x[0].shape[1], a.get("eps", 1e-5), a.get("momentum", 0.1), a.get("affine", True), a.get("track", True)
    )
    return result


def _instancenorm(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = _rank(x[0])
    refuse(math.prod(x[0].shape[2:]) == 1, "one position")
    result: nn.Module = getattr(nn, f"InstanceNorm{rank}d")(
        x[0].shape[1], a.get("eps", 1e-5), a.get("momentum", 0.1), a.get("affine", False), a.get("track", False)
    )
    return result


def _ln(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    rank = x[0].dim() - 1
    given = a.get("axis", -1)
    axes = sorted(axis % rank for axis in (given if isinstance(given, tuple) else (given,)))
    last = axes == list(range(rank - len(axes), rank))
    refuse(not last and axes != [0], "not the last axes")
    shape = [x[0].shape[axis + 1] for axis in axes]
    result = nn.LayerNorm(shape, a.get("eps", 1e-5), a.get("affine", True), a.get("bias", True))
    if not last:
        result.register_forward_pre_hook(lambda module, args: (args[0].movedim(1, -1),))
        result.register_forward_hook(lambda module, args, y: y.movedim(-1, 1))
    return result


def _lrn(a: dict[str, Any], x: list[Tensor]) -> Any:
    _rank(x[0])
    made = nn.LocalResponseNorm(a.get("size", 5), a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("k", 1.0))
    return lambda x: made(x[0].contiguous() if x[0].dim() == 5 else x[0])  # torch takes a view there


def _upsample(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    mode = a.get("mode", "nearest")
    size = _tuple(a["size"], rank) if "size" in a else None
    factor = None if size else _tuple(a.get("factor", 2), rank)
    align = a.get("align_corners", False)
    if mode.startswith("nearest"):
        refuse(align, "align_corners is for the others")
        return lambda x: F.interpolate(
            x[0], size=size, scale_factor=None if size else [float(f) for f in factor or ()], mode=mode
        )
    return lambda x: F.interpolate(
        x[0], size=size, scale_factor=None if size else [float(f) for f in factor or ()], mode=mode, align_corners=align
    )


def _shuffle(kind: str) -> Callable[[dict[str, Any], list[Tensor]], Any]:
    def make(a: dict[str, Any], x: list[Tensor]) -> Any:
        refuse(x[0].dim() != 4, "not a map of two axes")
        made = getattr(nn, kind)(a["factor"])
        return lambda x: made(x[0])

    return make


def _pad(a: dict[str, Any], x: list[Tensor]) -> Any:
    rank = _rank(x[0])
    given = a["padding"]
    pairs = given if isinstance(given, tuple) else (given,) * rank
    refuse(len(pairs) != rank, "paddings for another number of axes")
    pairs = [p if isinstance(p, tuple) else (p, p) for p in pairs]
    pad = [p for pair in reversed(pairs) for p in pair]
    mode = a.get("mode", "zeros")
    if mode == "zeros":
        return lambda x: F.pad(x[0], pad, value=a.get("value", 0))
    refuse(a.get("value", 0) != 0, "a value for a mode that fills with others")
    return lambda x: F.pad(x[0], pad, mode=mode)


def _axes(value: Any, x: Tensor) -> list[int]:
    rank = x.dim() - 1
    axes = value if isinstance(value, tuple) else (value,)
    refuse(any(not -rank <= axis < rank for axis in axes), "no such axis")
    found = [axis % rank + 1 for axis in axes]
    refuse(len(set(found)) != len(found), "an axis twice")
    return found


def _roll(a: dict[str, Any], x: list[Tensor]) -> Any:
    axes = _axes(a["axis"], x[0])
    shift = a["shift"] if isinstance(a["shift"], tuple) else (a["shift"],) * len(axes)
    return lambda x: torch.roll(x[0], shift, axes)


def _fc(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    result = nn.Linear(math.prod(x[0].shape[1:]), a.get("width", 128), a.get("bias", True))
    result.register_forward_pre_hook(lambda module, args: (args[0].flatten(1),))
    return result


def _linear(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    refuse(x[0].dim() < 2, "no axis")
    return nn.Linear(x[0].shape[-1], a["width"], a.get("bias", True))


def _flatten(a: dict[str, Any], x: list[Tensor]) -> Any:
    start, end = (_axes(a.get(name, value), x[0])[0] for name, value in (("start", 0), ("end", -1)))
    refuse(start > end, "start behind end")
    return lambda x: x[0].flatten(start, end)


def _reshape(a: dict[str, Any], x: list[Tensor]) -> Any:
    refuse(-1 in a["sizes"] and math.prod(n for n in a["sizes"] if n != -1) == 0, "zero")
    return lambda x: x[0].reshape(x[0].shape[0], *a["sizes"])


def _permute(a: dict[str, Any], x: list[Tensor]) -> Any:
    return lambda x: x[0].permute(0, *_axes(a["axes"], x[0]))


def _select(a: dict[str, Any], x: list[Tensor]) -> Any:
    return lambda x: x[0].select(_axes(a.get("axis", 0), x[0])[0], a["index"])


def _slice(a: dict[str, Any], x: list[Tensor]) -> Any:
    axis = _axes(a.get("axis", 0), x[0])[0]
    n = x[0].shape[axis]
    start, stop = a.get("start", 0), a.get("stop", n)
    refuse(not -n <= start <= n or not -n <= stop <= n, "outside of the axis")
    first, last = start + n * (start < 0), stop + n * (stop < 0)
    refuse(first >= last, "nothing is left")
    return lambda x: x[0].movedim(axis, 0)[first : last : a.get("step", 1)].movedim(0, axis)


def _chunk(a: dict[str, Any], x: list[Tensor]) -> Any:
    axis = _axes(a.get("axis", 0), x[0])[0]
    refuse(x[0].shape[axis] % a["n"] != 0 or a["i"] >= a["n"], "no such part")
    return lambda x: x[0].chunk(a["n"], axis)[a["i"]]


def _rearrange(a: dict[str, Any], x: list[Tensor]) -> Any:
    pattern, g = a["pattern"], a.get("g", 1)
    rank = {"c h w -> (h w) c": 3, "l f -> f l": 2, "(g c) h w -> (c g) h w": 3, "c (l g) -> (g c) l": 2}[pattern]
    refuse(x[0].dim() - 1 != rank, "another number of axes")
    if pattern == "c h w -> (h w) c":
        return lambda x: x[0].flatten(2).transpose(1, 2)
    if pattern == "l f -> f l":
        return lambda x: x[0].transpose(1, 2)
    if pattern == "(g c) h w -> (c g) h w":
        refuse(x[0].shape[1] % g != 0, "no such groups")
        return lambda x: x[0].unflatten(1, (g, -1)).transpose(1, 2).flatten(1, 2)
    refuse(x[0].shape[2] % g != 0, "no such groups")
    return lambda x: x[0].unflatten(2, (-1, g)).permute(0, 3, 1, 2).flatten(1, 2)


def _feature_axis(a: dict[str, Any], x: Tensor) -> int:
    given = a.get("axis")
    return _axes(given, x)[0] if given is not None else 1 if x.dim() >= 4 else x.dim() - 1


def _reduce(function: Callable[..., Tensor]) -> Callable[[dict[str, Any], list[Tensor]], Any]:
    def make(a: dict[str, Any], x: list[Tensor]) -> Any:
        axes = _axes(a["axis"], x[0])
        return lambda x: function(x[0], axes, a.get("keep", False), a.get("p", 2))

    return make


def _normalize(a: dict[str, Any], x: list[Tensor]) -> Any:
    axis = _feature_axis(a, x[0])
    return lambda x: F.normalize(x[0], a.get("p", 2), axis, a.get("eps", 1e-12))


def _recurrent(kind: str) -> Callable[[dict[str, Any], list[Tensor]], nn.Module]:
    def make(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
        refuse(x[0].dim() != 3, "no sequence")
        more = {"nonlinearity": a["activation"]} if "activation" in a else {}
        refuse(bool(a.get("dropout", 0)) and a.get("layers", 1) == 1, "dropout between one layer")
        result: nn.Module = getattr(nn, kind)(
            x[0].shape[-1], a["width"], a.get("layers", 1), bias=a.get("bias", True), batch_first=True,
            dropout=a.get("dropout", 0), bidirectional=a.get("bidirectional", False), **more,
        )  # fmt: skip
        return result

    return make


def _mha(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    refuse(x[0].dim() != 3, "no sequence")
    return nn.MultiheadAttention(
        x[0].shape[-1], a["heads"], a.get("dropout", 0), a.get("bias", True), batch_first=True
    )  # fmt: skip


def _attend(made: nn.Module, a: dict[str, Any], x: list[Tensor]) -> Tensor:
    length = x[0].shape[1]
    mask = torch.ones(length, length, dtype=torch.bool).triu(1) if a.get("causal") else None
    result: Tensor = made(x[0], x[0], x[0], attn_mask=mask, need_weights=False)[0]
    return result


def _embedding(a: dict[str, Any], x: list[Tensor]) -> nn.Module:
    refuse(x[0].is_floating_point(), "floats")
    return nn.Embedding(a["count"], a["width"], a.get("padding"))


Maker = Callable[[dict[str, Any], list[Tensor]], Any]

MAKERS: dict[str, Maker] = {
    "CONV": _conv,
    "UPCONV": _upconv,
    "POOL": _pool,
    "MAXPOOL": _pool,
    "AVGPOOL": _avgpool,
    "LPPOOL": _lppool,
    "GAP": lambda a, x: _adaptive("avg")({"size": 1}, x),
    "ADAPTIVEAVGPOOL": _adaptive("avg"),
    "ADAPTIVEMAXPOOL": _adaptive("max"),
    "BN": _bn,
    "INSTANCENORM": _instancenorm,
    "LN": _ln,
    "GN": lambda a, x: nn.GroupNorm(a.get("groups", 32), x[0].shape[1], a.get("eps", 1e-5), a.get("affine", True)),
    "LRN": _lrn,
    "UPSAMPLE": _upsample,
    "PIXELSHUFFLE": _shuffle("PixelShuffle"),
    "PIXELUNSHUFFLE": _shuffle("PixelUnshuffle"),
    "PAD": _pad,
    "ROLL": _roll,
    "FC": _fc,
    "LINEAR": _linear,
    "FLATTEN": _flatten,
    "RESHAPE": _reshape,
    "PERMUTE": _permute,
    "SELECT": _select,
    "SLICE": _slice,
    "CHUNK": _chunk,
    "REARRANGE": _rearrange,
    "PRELU": lambda a, x: nn.PReLU(a.get("count", 1)),
    "LRELU": lambda a, x: lambda x: F.leaky_relu(x[0], a.get("slope", 0.01)),
    "ELU": lambda a, x: lambda x: F.elu(x[0], a.get("alpha", 1.0)),
    "GELU": lambda a, x: lambda x: F.gelu(x[0], approximate=a.get("approximate", "none")),
    "SOFTPLUS": lambda a, x: lambda x: F.softplus(x[0], a.get("beta", 1.0), a.get("threshold", 20.0)),
    "CLAMP": lambda a, x: lambda x: x[0].clamp(a.get("min"), a.get("max")),
    "SOFTMAX": lambda a, x: lambda x: F.softmax(x[0], _feature_axis(a, x[0])),
    "LOGSOFTMAX": lambda a, x: lambda x: F.log_softmax(x[0], _feature_axis(a, x[0])),
    "DROPOUT": lambda a, x: nn.Dropout(a.get("rate", 0.5)),
    "DROPPATH": lambda a, x: lambda x, training: stochastic_depth(x[0], a["rate"], "row", training),
    "MEAN": _reduce(lambda x, axes, keep, p: x.mean(axes, keep)),
    "SUM": _reduce(lambda x, axes, keep, p: x.sum(axes, keep)),
    "NORM": _reduce(lambda x, axes, keep, p: torch.linalg.vector_norm(x, p, axes, keep)),
    "NORMALIZE": _normalize,
    "RNN": _recurrent("RNN"),
    "LSTM": _recurrent("LSTM"),
    "GRU": _recurrent("GRU"),
    "MHA": _mha,
    "EMBEDDING": _embedding,
}

CALLS: dict[str, Callable[[Any, dict[str, Any], list[Tensor]], Tensor]] = {
    "RNN": lambda made, a, x: made(x[0])[0],
    "LSTM": lambda made, a, x: made(x[0])[0],
    "GRU": lambda made, a, x: made(x[0])[0],
    "MHA": _attend,
}

POOLED = ("POOL", "MAXPOOL", "AVGPOOL", "LPPOOL")

RESIZING = ("ADAPTIVEAVGPOOL", "ADAPTIVEMAXPOOL", "UPSAMPLE", "PIXELUNSHUFFLE")

PLAIN: dict[str, Callable[[Tensor], Tensor]] = {
    "ID": lambda x: x,
    "RELU": F.relu,
    "RELU6": F.relu6,
    "SELU": F.selu,
    "SILU": F.silu,
    "MISH": F.mish,
    "SIGMOID": torch.sigmoid,
    "TANH": torch.tanh,
    "HSWISH": F.hardswish,
    "HSIGMOID": F.hardsigmoid,
    "EXP": torch.exp,
    "LOG": torch.log,
    "SQRT": torch.sqrt,
    "ABS": torch.abs,
    "NEG": torch.neg,
}


# ---- joins


def _elementwise(
    function: Callable[[Tensor, Tensor], Tensor], stretch: bool
) -> Callable[[dict[str, Any], list[Value]], Tensor]:
    def join(a: dict[str, Any], x: list[Value]) -> Tensor:
        rank = max(len(value.shape) for value in x)
        refuse(any(value.batched and len(value.shape) != rank for value in x), "another number of axes")
        for one, other in itertools.combinations(x, 2):
            for m, n in zip(reversed(one.shape), reversed(other.shape)):
                refuse(m != n and not (stretch and 1 in (m, n)), f"{m} and {n}")
        result = x[0].tensor
        for value in x[1:]:
            result = function(result, value.tensor)
        return result

    return join


def _concat(a: dict[str, Any], x: list[Value]) -> Tensor:
    batch = next((value.tensor.shape[0] for value in x if value.batched), 1)
    rank = len(x[0].shape)
    refuse(any(len(value.shape) != rank for value in x), "another number of axes")
    axis = a.get("axis", 0)
    refuse(not -rank <= axis < rank, "no such axis")
    parts = [value.tensor if value.batched else value.tensor.expand(batch, *value.shape) for value in x]
    return torch.cat(parts, axis % rank + 1)


def _matmul(a: dict[str, Any], x: list[Value]) -> Tensor:
    refuse(any(len(value.shape) < 2 for value in x), "no matrix")
    refuse(all(value.batched for value in x) and len(x[0].shape) != len(x[1].shape), "another number of axes")
    for value, other in (x, reversed(x)):
        refuse(not value.batched and len(value.shape) > len(other.shape), "more axes than the other")
    return x[0].tensor @ x[1].tensor


def _attention(a: dict[str, Any], x: list[Value]) -> Tensor:
    heads = a.get("heads", 1)
    q, k, v = (value.tensor for value in x)
    refuse(any(len(value.shape) != 2 for value in x), "no sequence")
    refuse(q.shape[-1] != k.shape[-1] or k.shape[1] != v.shape[1], "lengths or features")
    refuse(q.shape[-1] % heads != 0 or v.shape[-1] % heads != 0, "heads")
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=a.get("causal", False), scale=a.get("scale"))
    return y.transpose(1, 2).flatten(2)


def _gather(a: dict[str, Any], x: list[Value]) -> Tensor:
    refuse(x[1].tensor.is_floating_point(), "floats for an index")
    return F.embedding(x[1].tensor, x[0].tensor)


JOINS: dict[str, Callable[[dict[str, Any], list[Value]], Tensor]] = {
    "ADD": _elementwise(torch.add, False),
    "SUB": _elementwise(torch.sub, False),
    "MUL": _elementwise(torch.mul, True),
    "DIV": _elementwise(torch.div, True),
    "MAX": _elementwise(torch.maximum, True),
    "MIN": _elementwise(torch.minimum, True),
    "CONCAT": _concat,
    "MATMUL": _matmul,
    "ATTENTION": _attention,
    "GATHER": _gather,
}
