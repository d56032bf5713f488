"""Layers at random: what a generator of specs proposes for a shape that arrives, most of it valid."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

from tests.support.structure import Binary, In, Layer, Number, Spec, Variable, Word

Shape = tuple[int, ...]


@dataclass
class Scope:
    """What may be named where a step stands."""

    env: dict[str, Any]
    labels: dict[str, Shape] = field(default_factory=dict)  # those that `@` may name
    targets: dict[str, Shape] = field(default_factory=dict)  # those that `share` may name, with what arrived there
    may_label: bool = True
    in_block: bool = False
    depth: int = 0


class Proposals:
    """Proposes layers, and arguments that fit, most of the time."""

    rng: random.Random
    made: Spec
    pads = False  # what a PAD put there may be lost, which the reference does not follow: no fit but floor then

    def chance(self, probability: float) -> bool:
        """Yes with this probability."""
        return self.rng.random() < probability

    # ---- numbers

    def number(self, value: int, scope: Scope, shape: Shape) -> Any:
        """The number, or an expression that has this value here."""
        if (not scope.env and not self.chance(0.1)) or self.chance(0.4):
            return Number(value)
        ways: list[Any] = [Variable(n) for n, v in scope.env.items() if v == value and type(v) is int]
        ways += [
            Binary("*", Number(value // v), Variable(n))
            for n, v in scope.env.items()
            if type(v) is int and v > 0 and value % v == 0
        ]
        ways += [
            Binary("+", Variable(n), Number(value - v))
            for n, v in scope.env.items()
            if type(v) is int and 0 < v < value
        ]
        if shape and shape[0] == value:
            ways += [In("channels")] * 2
        elif shape and shape[0] * 2 == value:
            ways.append(Binary("*", Number(2), In("channels")))
        elif shape and value and shape[0] // 2 == value:
            ways.append(Binary("//", In("channels"), Number(2)))
        return self.rng.choice(ways) if ways else Number(value)

    def width(self, scope: Scope, shape: Shape) -> Any:
        likely = [v for v in scope.env.values() if type(v) is int and 0 < v < 20]
        value = self.rng.choice((1, 2, 3, 4, 6, 8, 12, 16, *(likely * 2), shape[0] if shape and shape[0] < 20 else 4))
        return self.number(value, scope, shape)

    def sizes(self, values: tuple[int, ...], rank: int) -> Any:
        """One number for all axes, or one for each."""
        if self.chance(0.7):
            return self.rng.choice(values)
        return tuple(self.rng.choice(values) for _ in range(rank if self.chance(0.97) else rank + 1))

    def some(self, **arguments: Any) -> dict[str, Any]:
        """Each of the arguments, or not."""
        return {k: v for k, v in arguments.items() if self.chance(0.35)}

    def fit(self, *words: str) -> dict[str, Any]:
        words = tuple(word for word in words if word in ("floor", "ceil") or not self.pads)
        return {"fit": Word(self.rng.choice(words))} if self.chance(0.4) else {}

    def param(self, shape: Shape) -> Layer:
        arguments: dict[str, Any] = {"sizes": shape}
        if self.chance(0.3):
            starts = ("ones", "uniform", "uniform(0.05)", "normal", "normal(0.05)")
            arguments["init"] = self.rng.choice((*map(Word, starts), 0.5))
        return Layer("PARAM", {**arguments, **self.some(batch=self.rng.choice((True, False)))})

    # ---- layers

    def layers(self, shape: Shape, scope: Scope) -> list[Any]:
        """What may be proposed for what arrives: makers of a layer or of a few."""
        rank = len(shape) - 1
        found: list[Any] = [lambda: self.activation(shape)] * 4 + [lambda: self.norm(shape)] * 2
        found.append(lambda: self.moved(shape))
        found.append(lambda: self.reduced(shape))
        found.append(lambda: Layer("DROPOUT", self.some(rate=self.rng.choice((0.0, 0.2, 1)))))
        found.append(lambda: Layer("DROPPATH", {"rate": self.rng.choice((0.0, 0.3))}))
        if rank == 0 or self.chance(0.15):
            found += [lambda: [Layer("FC", {"width": self.width(scope, shape), **self.some(bias=False)})]] * 3
        if self.chance(0.05):
            found.append(lambda: [Layer("FC"), Layer("RELU")])
        if shape and (rank <= 1 or self.chance(0.2)):
            found.append(lambda: Layer("LINEAR", {"width": self.width(scope, shape), **self.some(bias=False)}))
        if rank == 1 or self.chance(0.03):
            found += [lambda: self.sequential(shape)] * 2
        if 1 <= rank <= 3 or self.chance(0.05):
            rank = min(3, max(1, rank))
            found += [lambda: self.conv(shape, rank, scope)] * 7
            found += [lambda: self.pool(shape, rank)] * 4
            found += [lambda: self.resampled(shape, rank, scope)] * 2
        return found

    def conv(self, shape: Shape, rank: int, scope: Scope) -> Any:
        rng = self.rng
        arguments: dict[str, Any] = {}
        if self.chance(0.9):
            arguments["filters"] = self.width(scope, shape)
        if self.chance(0.6):
            arguments["kernel"] = self.sizes((1, 1, 2, 3, 3, 3, 4, 5), rank)
        if self.chance(0.3):
            arguments["stride"] = self.sizes((1, 2, 2, 3), rank)
        if self.chance(0.5):
            words = ["half", "valid", "full", "same", "same"] + ["causal"] * (2 if rank == 1 else self.chance(0.05))
            arguments["padding"] = Word(rng.choice(words)) if self.chance(0.6) else self.sizes((0, 1, 1, 2, 3), rank)
        if self.chance(0.2):
            arguments["dilation"] = self.sizes((1, 2, 3), rank)
        if self.chance(0.25):
            arguments["groups"] = self.number(rng.choice((1, 2, 2, 3, 4, shape[0])), scope, shape)
        if self.chance(0.2):
            arguments["bias"] = rng.choice((True, False))
        if self.chance(0.15):
            arguments["padding_mode"] = Word(rng.choice(("zeros", "reflect", "replicate", "circular")))
        arguments.update(self.fit("floor", "cover", "exact"))
        conv = Layer("CONV", arguments)
        if self.chance(0.3):
            return [conv, Layer("BN"), *([Layer("RELU")] if self.chance(0.6) else [])]
        return conv

    def pool(self, shape: Shape, rank: int) -> Any:
        rng = self.rng
        kind = rng.choice(
            ("POOL", "POOL", "MAXPOOL", "AVGPOOL", "AVGPOOL", "LPPOOL", "GAP", "ADAPTIVEAVGPOOL", "ADAPTIVEMAXPOOL")
        )
        if kind == "GAP":
            return Layer("GAP")
        if kind.startswith("ADAPTIVE"):
            return Layer(kind, {"size": self.sizes((1, 2, 3, 4), rank)})
        arguments: dict[str, Any] = {}
        if self.chance(0.6):
            arguments["size"] = self.sizes((1, 2, 2, 3, 3, 4), rank)
        if self.chance(0.5):
            arguments["stride"] = self.sizes((1, 2, 2, 3), rank)
        fit = self.fit("floor", "cover", "exact", "ceil", "ceil")
        if kind != "LPPOOL" and self.chance(0.4):
            word = rng.choice(("half", "valid", "same", "same"))
            ceil = (
                "ceil"
                in (
                    w.word
                    for w in (*fit.values(), self.made.defaults.get(kind.removeprefix("MAX"), {}).get("fit", Word("")))
                )
                and kind == "AVGPOOL"
            )
            arguments["padding"] = Word(word) if self.chance(0.5) and not ceil else self.sizes((0, 1, 1, 2), rank)
        if kind in ("POOL", "MAXPOOL") and self.chance(0.15):
            arguments["dilation"] = self.sizes((1, 2, 3), rank)
        if kind == "AVGPOOL":
            arguments.update(self.some(count_include_pad=rng.choice((True, False))))
        if kind == "LPPOOL":
            arguments.update(self.some(p=rng.choice((1, 2, 2.0))))
        pool = Layer(kind, {**arguments, **fit})
        return [Layer("RELU"), pool] if kind == "LPPOOL" else pool

    def resampled(self, shape: Shape, rank: int, scope: Scope) -> Any:
        rng = self.rng
        kind = rng.choice(("UPCONV", "UPCONV", "UPSAMPLE", "PIXELSHUFFLE", "PIXELUNSHUFFLE", "PAD", "PAD"))
        if kind == "UPCONV":
            arguments: dict[str, Any] = {"filters": self.width(scope, shape)}
            if self.chance(0.6):
                arguments["kernel"] = self.sizes((1, 2, 3, 4), rank)
            if self.chance(0.6):
                arguments["stride"] = self.sizes((1, 2, 3), rank)
            if self.chance(0.3):
                arguments["padding"] = self.sizes((0, 1, 2), rank)
            if self.chance(0.2):
                arguments["output_padding"] = self.sizes((0, 1), rank)
            if self.chance(0.2):
                arguments["dilation"] = self.sizes((1, 2), rank)
            if self.chance(0.2):
                arguments["groups"] = self.number(rng.choice((1, 2, shape[0])), scope, shape)
            up = Layer("UPCONV", {**arguments, **self.some(bias=rng.choice((True, False)))})
            return [up, Layer("BN")] if self.chance(0.3) else up
        if kind == "UPSAMPLE":
            arguments = (
                {"size": self.sizes((2, 3, 5, 8), rank)}
                if self.chance(0.4)
                else self.some(factor=self.sizes((1, 2, 3), rank))
            )
            if self.chance(0.6):
                smooth = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}[rank]
                mode = rng.choice(
                    ("nearest", "nearest-exact", *smooth, *smooth, *(("bilinear",) if self.chance(0.1) else ()))
                )
                arguments["mode"] = mode if "-" in mode else Word(mode)
                if not mode.startswith("nearest"):
                    arguments.update(self.some(align_corners=rng.choice((True, False))))
            return Layer("UPSAMPLE", arguments)
        if kind == "PAD":
            pairs = tuple((rng.randint(0, 2), rng.randint(0, 2)) for _ in range(rank))
            arguments = {"padding": rng.choice((1, 2, self.sizes((0, 1, 2), rank), pairs))}
            if self.chance(0.5):
                arguments["mode"] = Word(rng.choice(("zeros", "reflect", "replicate", "circular")))
            elif self.chance(0.3):
                arguments["value"] = rng.choice((1, 0.5))
            if not self.pads:
                return Layer("RELU")
            if self.chance(0.2):  # of axes that are named, in this order
                named = rng.sample(range(rank + 1), rng.randint(1, rank))
                ends = tuple((rng.randint(0, 2), rng.randint(0, 2)) for _ in named)
                return Layer("PAD", {"padding": ends, "axis": tuple(a - rng.choice((0, rank + 1)) for a in named)})
            return Layer("PAD", arguments)
        return Layer(kind, {"factor": 2 if self.chance(0.8) else 3})

    def activation(self, shape: Shape) -> Any:
        rng = self.rng
        kind = rng.choice(
            (
                "RELU", "RELU", "RELU", "RELU6", "LRELU", "PRELU", "ELU", "SELU", "GELU", "SILU", "MISH", "SIGMOID",
                "TANH", "HSWISH", "HSIGMOID", "SOFTPLUS", "SOFTMAX", "LOGSOFTMAX", "EXP", "LOG", "SQRT", "ABS", "NEG",
                "CLAMP", "ID", "INPUT",
            )
        )  # fmt: skip
        if kind == "LRELU":
            return Layer(kind, self.some(slope=rng.choice((0.1, 0.2))))
        if kind == "PRELU":
            return Layer(kind, self.some(count=In("channels")))
        if kind == "ELU":
            return Layer(kind, self.some(alpha=0.5))
        if kind == "GELU":
            return Layer(kind, self.some(approximate=Word("tanh")))
        if kind == "SOFTPLUS":
            return Layer(kind, self.some(beta=2, threshold=1))
        if kind == "CLAMP":
            return Layer(kind, {"min": -0.5, **self.some(max=0.75)} if self.chance(0.7) else {"max": 0.25})
        if kind in ("SOFTMAX", "LOGSOFTMAX"):
            return Layer(kind, self.some(axis=rng.randint(-1, len(shape) - 1)))
        if kind == "EXP":
            return [Layer("TANH"), Layer(kind)]
        if kind in ("LOG", "SQRT"):
            return [Layer("SIGMOID"), Layer("CLAMP", {"min": 0.01}), Layer(kind)]  # onnxruntime's small values differ
        return Layer(kind)

    def norm(self, shape: Shape) -> Any:
        rng = self.rng
        kind = rng.choice(("BN", "BN", "LN", "GN", "INSTANCENORM", "LRN", "NORMALIZE"))
        if kind == "BN":
            return Layer(kind, self.some(eps=0.001, affine=False, momentum=0.3, track=rng.choice((True, False))))
        if kind == "LN":
            some = self.some(eps=1e-6, bias=False) if self.chance(0.5) else self.some(affine=False)
            axes = rng.choice((0, -1, tuple(range(len(shape))), (len(shape) - 1,)))
            return Layer(kind, {**({"axis": axes} if self.chance(0.6) else {}), **some})
        if kind == "GN":
            return Layer(kind, {"groups": rng.choice((1, 2, 3, 4)), **self.some(affine=False, eps=1e-3)})
        if kind == "INSTANCENORM":
            return Layer(kind, self.some(affine=True, track=True, eps=1e-3, momentum=0.2))
        if kind == "LRN":
            return Layer(kind, self.some(size=rng.choice((2, 3, 5)), k=2.0, alpha=0.1, beta=0.5))
        return Layer(kind, self.some(p=rng.choice((1, 2)), axis=rng.randint(-1, len(shape) - 1), eps=1e-6))

    def moved(self, shape: Shape) -> Any:
        rng = self.rng
        rank = len(shape)
        axis = rng.randint(-rank, rank - 1) if self.chance(0.95) else rank
        n = shape[axis % rank]
        kind = rng.choice(("FLATTEN", "RESHAPE", "PERMUTE", "SELECT", "SLICE", "CHUNK", "ROLL", "REARRANGE"))
        if kind == "FLATTEN":
            return Layer(kind, self.some(start=rng.randint(0, rank - 1), end=rng.randint(-rank, rank - 1)))
        if kind == "RESHAPE":
            count = math.prod(shape)
            a = rng.choice([d for d in range(1, count + 1) if count % d == 0])
            b = rng.choice([d for d in range(1, count // a + 1) if (count // a) % d == 0])
            sizes = [a, b, count // a // b][: rng.randint(1, 3)]
            if self.chance(0.6) or math.prod(sizes) != count:
                sizes[rng.randrange(len(sizes))] = -1
            return Layer(kind, {"sizes": tuple(sizes)})
        if kind == "PERMUTE":
            axes = list(range(rank)) if self.chance(0.97) else list(range(rank + 1))
            rng.shuffle(axes)
            return Layer(kind, {"axes": tuple(axes)})
        if kind == "SELECT":
            return Layer(
                kind,
                {
                    "index": rng.randint(-n, n - 1 + self.chance(0.1)),
                    **({"axis": axis} if self.chance(0.7) or axis else {}),
                },
            )
        if kind == "SLICE":
            start = rng.randint(0, n - 1)
            arguments: dict[str, Any] = {"start": start}
            if self.chance(0.7):
                arguments["stop"] = rng.randint(start, n) - (n if self.chance(0.2) else 0)
            return Layer(kind, {**arguments, **self.some(step=rng.choice((1, 2, 3))), "axis": axis})
        if kind == "CHUNK":
            parts = rng.choice((1, 2, 3, n))
            return Layer(kind, {"i": rng.randrange(parts), "n": parts, "axis": axis})
        if kind == "ROLL":
            if self.chance(0.3) and rank > 1:
                return Layer(kind, {"shift": (1, -2), "axis": (0, rank - 1)})
            return Layer(kind, {"shift": rng.randint(-3, 3), "axis": axis})
        pattern = rng.choice(("c h w -> (h w) c", "l f -> f l", "(g c) h w -> (c g) h w", "c (l g) -> (g c) l"))
        return Layer(kind, {"pattern": pattern, **({"g": rng.choice((1, 2, 3))} if "g" in pattern else {})})

    def reduced(self, shape: Shape) -> Any:
        rng = self.rng
        rank = len(shape)
        axes = tuple(rng.sample(range(rank), rng.randint(1, rank)))
        if len(axes) == rank and not self.chance(0.05):
            axes = axes[:-1]
        if not axes:
            return Layer("NEG")
        kind = rng.choice(("MEAN", "SUM", "NORM"))
        some = self.some(keep=True)
        if kind == "NORM":
            some.update(self.some(p=rng.choice((1, 2, 3))))
        return Layer(kind, {"axis": axes, **some})

    def sequential(self, shape: Shape) -> Any:
        rng = self.rng
        kind = rng.choice(("RNN", "LSTM", "GRU", "MHA", "MHA"))
        if kind == "MHA":
            heads = rng.choice([h for h in (1, 2, 3, 4) if shape[-1] % h == 0 or self.chance(0.05)] or [1])
            return Layer(kind, {"heads": heads, **self.some(causal=True, bias=False, dropout=0.0)})
        some = self.some(bidirectional=True, bias=False, layers=2)
        if "layers" in some or self.chance(0.03):
            some.update(self.some(dropout=0.1))
        if kind == "RNN":
            some.update(self.some(activation=Word("relu")))
        return Layer(kind, {"width": rng.randint(1, 6), **some})
