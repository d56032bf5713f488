"""Recurrent layers over sequences, which are length first and features last: RNN, LSTM, GRU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

from archdsl.annotations import Any, ClassVar
from archdsl.layers.arguments import FLAG, RATE, WIDTH, arg, word
from archdsl.layers.arrange import onnx_slice
from archdsl.layers.base import EARLIER, WHOLE, Init, Layer, LayerError, Recorder, Trial, Weight
from archdsl.layers.batch import any_batched, onnx_stretched, torch_stretched
from archdsl.layers.code import Call, Code, Item, Itself, Method, Torch, call
from archdsl.layers.maps import need_float
from archdsl.records import dataclass
from archdsl.tensor import TensorType, show_shape

MOST_LAYERS = 64
"""Each layer of one LSTM has weights of its own; `LSTM(8)*n` has no limit."""


class Recurrent(Layer):
    """What RNN, LSTM and GRU share: stacked layers, one direction or two, and torch's names and order of gates."""

    layout: ClassVar[str] = "sequence"

    positional: ClassVar[tuple[str, ...]] = ("width",)
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    arms: ClassVar[tuple[str, ...]] = ("x", "h0")

    torch_name: ClassVar[str]
    node: ClassVar[str]  # ONNX's operator
    order: ClassVar[tuple[int, ...]]  # torch's gates in ONNX's order
    state_work: ClassVar[int] = 0  # operations for each number of the state, those of the gates apart

    width: Any
    layers: Any
    bidirectional: Any
    dropout: Any
    bias: Any

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def shape(self, *x: TensorType) -> TensorType:
        for t in x:
            need_float(self.spec, t)
        if self.layers > MOST_LAYERS:
            raise LayerError(
                "E210",
                f"{self.layers:_} layers of {self.spec} are past the limit of {MOST_LAYERS}",
                argument="layers",
                trials=[Trial("layers", MOST_LAYERS)],
            )
        if x[0].rank != 2:
            raise LayerError("E206", f"{self.spec} works on a sequence (its length, then features), and {x[0]} arrives")
        state = (self.layers * self._directions, self.width)
        for name, t in zip(self.arms[1:], x[1:]):
            if t.shape != state:
                raise LayerError(
                    "E206",
                    f"{name} of {self.spec} is the state of {state[0]} layers and directions, "
                    f"{show_shape(state)}, and {t} arrives",
                )
        if self.dropout and self.layers == 1:
            raise LayerError(
                "E210",
                f"dropout (={self.dropout}) acts between the layers of {self.spec}, and layers is 1",
                argument="dropout",
                trials=[Trial("layers", 2), Trial("dropout", 0)],
            )
        return TensorType((x[0].shape[0], self.width * self._directions), "float", any_batched(x))

    def _parts(self, x: TensorType) -> Iterator[tuple[int, str, int]]:
        """Layer, the end of its tensors' names, and its input's features, for each layer and direction."""
        for layer in range(self.layers):
            features = self.width * self._directions if layer else x.features
            for suffix in ("", "_reverse")[: self._directions]:
                yield layer, f"l{layer}{suffix}", features

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        bound = 1 / sqrt(self.width)
        init = Init("uniform", -bound, bound)
        rows = len(self.order) * self.width
        result = {}
        for _, end, features in self._parts(x[0]):
            result[f"weight_ih_{end}"] = Weight((rows, features), init)
            result[f"weight_hh_{end}"] = Weight((rows, self.width), init)
            if self.bias:
                result[f"bias_ih_{end}"] = Weight((rows,), init)
                result[f"bias_hh_{end}"] = Weight((rows,), init)
        return result

    def macs(self, *x: TensorType) -> int:
        gates = len(self.order) * self.width
        return sum(int(x[0].shape[0]) * gates * (features + self.width) for _, _, features in self._parts(x[0]))

    def elementwise(self, *x: TensorType) -> int:
        """For each gate the sum of both products and a function of it; the state's own in `state_work`."""
        each = 2 * len(self.order) + self.state_work + (2 * len(self.order) if self.bias else 0)
        return sum(int(x[0].shape[0]) * each * int(self.width) for _ in self._parts(x[0]))

    def window(self, *x: TensorType) -> str:
        return WHOLE if self.bidirectional else EARLIER

    def _keywords(self) -> dict[str, Code]:
        """The arguments of torch's module that differ from its defaults."""
        given: dict[str, tuple[Code, Code]] = {
            "num_layers": (self.layers, 1),
            "bias": (self.bias, True),
            "dropout": (self.dropout, 0),
            "bidirectional": (self.bidirectional, False),
        }
        return {key: value for key, (value, usual) in given.items() if value != usual}

    def torch(self, *x: TensorType) -> Torch:
        values = torch_stretched(x)
        states = [Method(Method(h, "transpose", (0, 1)), "contiguous") for h in values[1:]]
        made = call(self.torch_name, x[0].features, self.width, batch_first=True, **self._keywords())
        return Torch(Item(Call(Itself(), (values[0], *self._states(states))), 0), made, "module")

    def _states(self, states: Sequence[Code]) -> tuple[Code, ...]:
        """The states as torch's module takes them."""
        return tuple(states)

    def _activations(self) -> list[str] | None:
        """ONNX's attribute, for one direction."""
        return None

    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        values = onnx_stretched(r, names, x)
        states = [r.node("Transpose", [h], perm=[1, 0, 2]) for h in values[1:]]
        value = r.node("Transpose", [values[0]], perm=[1, 0, 2])  # length, batch, features: layout=1 runs nowhere
        k = self._directions
        activations = self._activations()
        parts = list(self._parts(x[0]))
        for layer in range(self.layers):
            ends = [end for part, end, _ in parts if part == layer]
            own = [onnx_slice(r, h, layer * k, (layer + 1) * k, 0) if self.layers > 1 else h for h in states]
            y = r.nodes(
                self.node,
                [value, *self._onnx_weights(r, w, ends), "", *own],
                1,
                hidden_size=self.width,
                direction="bidirectional" if k == 2 else "forward",
                activations=activations and activations * k,
                linear_before_reset=1 if self.node == "GRU" else None,
            )[0]  # length, directions, batch, width
            last = layer == self.layers - 1
            value = r.node("Transpose", [y], perm=[2, 0, 1, 3] if last else [0, 2, 1, 3])
            value = r.node("Reshape", [value, r.constant([0, 0, k * self.width], "int")])
        return value

    def _onnx_weights(self, r: Recorder, w: Mapping[str, str], ends: Sequence[str]) -> list[str]:
        """ONNX's W, R and B of one layer: by direction, gates in ONNX's order; onnxruntime computes them once."""
        stacks = [[self._gates(r, w[f"{kind}_{end}"]) for end in ends] for kind in ("weight_ih", "weight_hh")]
        if self.bias:
            pairs = [[self._gates(r, w[f"{kind}_{end}"]) for kind in ("bias_ih", "bias_hh")] for end in ends]
            stacks.append([r.node("Concat", pair, axis=0) for pair in pairs])
        front = r.constant([0], "int")
        rows = [[r.node("Unsqueeze", [value, front]) for value in stack] for stack in stacks]
        joined = [r.node("Concat", row, axis=0) if len(row) > 1 else row[0] for row in rows]
        return joined if self.bias else [*joined, ""]

    def _gates(self, r: Recorder, value: str) -> str:
        if len(self.order) == 1:
            return value
        slices = [onnx_slice(r, value, gate * self.width, (gate + 1) * self.width, 0) for gate in self.order]
        return r.node("Concat", slices, axis=0)


@dataclass(frozen=True, eq=False, repr=False)
class Rnn(Recurrent):
    """Elman's recurrent network over a sequence: `RNN(width)`.

    LxF becomes Lx`width`, twice the width where `bidirectional`. h_t = f(W x_t + b + U h_(t-1) + c), with f
    `tanh` or `relu` by `activation`. `layers` of it are stacked, with `dropout` between them. A second arm
    is the first state h0, of shape (layers times directions)x`width`.
    """

    spec: ClassVar[str] = "RNN"
    torch_name: ClassVar[str] = "nn.RNN"
    node: ClassVar[str] = "RNN"
    order: ClassVar[tuple[int, ...]] = (0,)

    width: Any = arg(WIDTH)
    layers: Any = arg(WIDTH, 1)
    bidirectional: Any = arg(FLAG, False)
    dropout: Any = arg(RATE, 0)
    bias: Any = arg(FLAG, True)
    activation: Any = arg(word("tanh", "relu"), "tanh")

    def _keywords(self) -> dict[str, Code]:
        return super()._keywords() | ({} if self.activation == "tanh" else {"nonlinearity": self.activation})

    def _activations(self) -> list[str] | None:
        return ["Relu" if self.activation == "relu" else "Tanh"]


@dataclass(frozen=True, eq=False, repr=False)
class Lstm(Recurrent):
    """Long short-term memory over a sequence: `LSTM(width)` (Hochreiter and Schmidhuber, 1997).

    LxF becomes Lx`width`, twice the width where `bidirectional`. `layers` of it are stacked, with `dropout`
    between them. A second and a third arm are the first state h0 and cell c0, of shape (layers times
    directions)x`width`; a cell left out is 0. Gates in torch's order: input, forget, cell, output.
    """

    spec: ClassVar[str] = "LSTM"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    arms: ClassVar[tuple[str, ...]] = ("x", "h0", "c0")
    torch_name: ClassVar[str] = "nn.LSTM"
    node: ClassVar[str] = "LSTM"
    order: ClassVar[tuple[int, ...]] = (0, 3, 1, 2)
    state_work: ClassVar[int] = 5  # c = f*c + i*g and h = o*tanh(c)

    width: Any = arg(WIDTH)
    layers: Any = arg(WIDTH, 1)
    bidirectional: Any = arg(FLAG, False)
    dropout: Any = arg(RATE, 0)
    bias: Any = arg(FLAG, True)

    def _states(self, states: Sequence[Code]) -> tuple[Code, ...]:
        if len(states) == 1:
            states = [states[0], call("torch.zeros_like", states[0])]
        return (tuple(states),) if states else ()


@dataclass(frozen=True, eq=False, repr=False)
class Gru(Recurrent):
    """Gated recurrent units over a sequence: `GRU(width)` (Cho et al., 2014).

    LxF becomes Lx`width`, twice the width where `bidirectional`. `layers` of it are stacked, with `dropout`
    between them. A second arm is the first state h0, of shape (layers times directions)x`width`. As in
    torch, the reset gate acts on U h + c. Gates in torch's order: reset, update, new.
    """

    spec: ClassVar[str] = "GRU"
    torch_name: ClassVar[str] = "nn.GRU"
    node: ClassVar[str] = "GRU"
    order: ClassVar[tuple[int, ...]] = (1, 0, 2)
    state_work: ClassVar[int] = 5  # r*h, and h = (1 - z)*n + z*h

    width: Any = arg(WIDTH)
    layers: Any = arg(WIDTH, 1)
    bidirectional: Any = arg(FLAG, False)
    dropout: Any = arg(RATE, 0)
    bias: Any = arg(FLAG, True)
