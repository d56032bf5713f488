"""What every layer is: a frozen dataclass whose fields are its signature, with all its rules beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

from archdsl.annotations import TYPE_CHECKING, Any, ClassVar, Protocol, Union
from archdsl.layers.code import Torch
from archdsl.records import NamedTuple, dataclass
from archdsl.tensor import Shape, TensorType

if TYPE_CHECKING:
    from fractions import Fraction


class LayerError(Exception):
    """What a layer cannot take: the bare facts, to which the caller that knows it adds the place.

    `argument` names the argument at fault, `notes` give the arithmetic, `trials` are changes of
    arguments that might mend it: only those that do are shown. `trials` and `help` are worked out when they are
    asked for: where sizes are open, layers refuse thousands of them.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        argument: str = "",
        label: str = "",
        notes: Sequence[str] = (),
        trials: Iterable[Trial] = (),
        help: str | Callable[[], str] = "",
        output: TensorType | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.argument = argument
        self.label = label  # stands beside the caret
        self.notes = tuple(notes)
        self._trials = trials
        self._help = help
        self.output = output  # what checking goes on with, where the fault leaves no doubt about it

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The changes to try."""
        self._trials = tuple(self._trials)
        return self._trials

    @property
    def help(self) -> str:
        """What else may mend it, as a sentence."""
        return self._help if isinstance(self._help, str) else self._help()


class Trial(NamedTuple):
    """A change of one argument that may mend an error, and what it would give: `text` goes behind "fits"."""

    argument: str
    value: object
    text: str = ""


class Init(NamedTuple):
    """How a tensor is initialised: "uniform" in (a, b), "normal" (mean a, deviation b), "constant" a, "values".

    "trunc_normal" is "normal" with what lies further than 2 from 0 drawn again.
    """

    kind: str
    a: float = 0.0
    b: float = 0.0
    values: Any = None
    zero: int | None = None  # the row that is 0 all the same


ZEROS = Init("constant", 0.0)
ONES = Init("constant", 1.0)


class Weight(NamedTuple):
    """A tensor that a layer holds; its key in the layer ("" where the layer is the tensor) is the mapping's."""

    shape: Shape
    init: Init
    dtype: str = "float"
    persistent: bool = True  # whether the state_dict holds it


class Window(NamedTuple):
    """What a layer with windows does to the receptive field: by axis of the map, the extent and the stride.

    `extent` is dilation*(kernel - 1) + 1. Upsampling has a stride below 1. `before` is how many of the extent's
    positions lie before the one that the first output stands at, the padding as a rule; without it, half of them.
    """

    extent: tuple[int, ...]
    stride: tuple[Fraction | int, ...]
    before: tuple[Fraction | int, ...] = ()


EVERYTHING = "everything"  # the window of a layer each of whose outputs sees the whole input, and has no place in it
WHOLE = "whole"  # that of a layer whose outputs stand at positions, and see all positions
EARLIER = "earlier"  # likewise, and see those up to their own


class Recorder(Protocol):
    """What a layer calls to be written as ONNX: each call adds nodes and answers tensors' names."""

    opset: int

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output. An empty name is an input left out. Attributes that are None are left out."""

    def nodes(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs."""

    def constant(self, values: Any, dtype: str = "float") -> str:
        """A constant tensor from a number or nested lists; `dtype` is "float" (float32), "int" (int64) or "bool".

        A list of int may hold sizes that a run alone knows (`Late`): then the tensor is computed there.
        """


@dataclass(frozen=True, eq=False, repr=False)
class Layer(ABC):
    """A layer; its docstring is the page that users read.

    Shapes have no batch. Rules get the types of all inputs, in the order of the arms; a layer with
    one input declares `arity = (1, 1)`, the default.
    """

    spec: ClassVar[str]  # its name in specs
    positional: ClassVar[tuple[str, ...]] = ()  # the arguments that may be given without a name
    variadic: ClassVar[str] = (
        ""  # the field that takes all arguments without a name as a tuple; a lone shape or list is the whole
    )
    free: ClassVar[str] = ""  # the field that takes the named arguments that no field has, as a dict
    arity: ClassVar[tuple[int, int | None]] = (1, 1)  # least and greatest number of inputs, None: no limit
    arms: ClassVar[tuple[str, ...]] = ("x",)  # the inputs' names, for error messages
    tensors: ClassVar[tuple[str, ...]] = ()  # the keyword arguments that are tensors: further inputs, in this order
    inplace: ClassVar[bool] = False  # whether the torch module takes inplace=True
    layout: ClassVar[str] = ""  # what it takes its input for, where it minds: see `taken`

    def taken(self) -> str:
        """ "map" (channels first), "sequence" (features last), "" for either, "any" where it arranges anew."""
        return self.layout

    def told(self) -> dict[str, object]:
        """The arguments that decide the shape, and what they come to: users are told those that the text leaves out."""
        return {}

    @abstractmethod
    def shape(self, *x: TensorType) -> TensorType:
        """The output's type; raises LayerError with the numbers where the layer cannot take `x`."""

    def divisor(self, *x: TensorType) -> int:
        """A number that the layer divides sizes by, beside its window's strides: 1 for none. Open sizes go by it."""
        return 1

    @abstractmethod
    def weights(self, *x: TensorType) -> dict[str, Weight]:
        """The learned tensors by their names in the layer."""

    def buffers(self, *x: TensorType) -> dict[str, Weight]:
        """The tensors that are held and not learned."""
        return {}

    @abstractmethod
    def macs(self, *x: TensorType) -> int:
        """Multiply-accumulates for one item of the batch, of convolutions and matrix products alone; half its FLOPs."""

    def elementwise(self, *x: TensorType) -> int:
        """Operations beside the multiply-accumulates, for one item of the batch, at inference: see docs/analyses.md."""
        return 0

    @abstractmethod
    def window(self, *x: TensorType) -> Union[Window, str, None]:
        """The effect on the receptive field; None where each output sees just the input at its own place."""

    @abstractmethod
    def torch(self, *x: TensorType) -> Torch:
        """How PyTorch says it."""

    @abstractmethod
    def onnx(self, r: Recorder, names: Sequence[str], w: Mapping[str, str], *x: TensorType) -> str:
        """Record it: `names` are the inputs' tensors, `w` those of its weights and buffers; answers the output's.

        A size that stays open is a Late: what asks for its number raises SizeNeeded.
        """


class Pointwise(Layer):
    """A layer with one input that changes no shape and holds no weights."""

    def shape(self, *x: TensorType) -> TensorType:
        return x[0]

    def weights(self, *x: TensorType) -> dict[str, Weight]:
        return {}

    def macs(self, *x: TensorType) -> int:
        return 0

    def window(self, *x: TensorType) -> Union[Window, str, None]:
        return None
