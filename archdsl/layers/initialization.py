"""How weights start: what `init` may say, the numbers that it comes to, and torch's functions for it."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from archdsl.annotations import Any
from archdsl.layers.arguments import Kind, Mismatch, real
from archdsl.layers.base import ONES, ZEROS, Init, LayerError, Trial
from archdsl.layers.code import Call, Code, Name, Starts, call
from archdsl.records import NamedTuple
from archdsl.tensor import Shape, product

FANS = ("fan_in", "fan_out")
STD, BOUND = 0.02, 0.1  # of `normal`, `trunc_normal` and `uniform` where no number is given
CUT = 2.0  # trunc_normal draws again what lies further from 0, as torch's does unless told otherwise


class Start(NamedTuple):
    """How a tensor starts: torch's name for it, its number, and the fan that it goes by."""

    name: str
    number: float = 0.0
    fan: str = ""

    def __str__(self) -> str:
        if self.name == "constant":
            return f"{self.number:g}"
        numbers = [f"{self.number:g}"] if self.number else []
        return f"{self.name}({', '.join([self.fan] * bool(self.fan) + numbers)})"


def normal(std: float = STD) -> Start:
    """Normal, with mean 0."""
    return Start("normal", _above_zero(std))


def trunc_normal(std: float = STD) -> Start:
    """Normal, with mean 0 and nothing beyond +-2."""
    return Start("trunc_normal", _above_zero(std))


def uniform(bound: float = BOUND) -> Start:
    """Uniform within +-bound."""
    return Start("uniform", _above_zero(bound))


def kaiming_normal(fan: str = "fan_in", a: float = 0.0) -> Start:
    """Normal, the variance 2/(1 + a^2)/fan (He et al., 2015)."""
    return Start("kaiming_normal", _number(a), _fan(fan))


def kaiming_uniform(fan: str = "fan_in", a: float = 0.0) -> Start:
    """Uniform, of the same variance."""
    return Start("kaiming_uniform", _number(a), _fan(fan))


def xavier_normal() -> Start:
    """Normal, the variance 2/(fan_in + fan_out) (Glorot and Bengio, 2010)."""
    return Start("xavier_normal")


def xavier_uniform() -> Start:
    """Uniform, of the same variance."""
    return Start("xavier_uniform")


MAKERS: dict[str, Callable[..., Start]] = {
    "normal": normal, "trunc_normal": trunc_normal, "uniform": uniform,
    "kaiming_normal": kaiming_normal, "kaiming_uniform": kaiming_uniform,
    "xavier_normal": xavier_normal, "xavier_uniform": xavier_uniform,
}  # fmt: skip
CONSTANTS = {"zeros": Start("constant", 0.0), "ones": Start("constant", 1.0)}
BY_SHAPE = frozenset(name for name in MAKERS if name.startswith(("kaiming", "xavier")))


def _number(value: Any) -> float:
    try:
        found = real(value)
    except Mismatch as error:
        raise ValueError(str(error)) from None
    if found is None:
        raise ValueError("a number is expected")
    return float(found)


def _above_zero(value: Any) -> float:
    if _number(value) < 0:
        raise ValueError(f"a deviation or a bound is not below 0, as {value} is")
    return float(value)


def _fan(value: Any) -> str:
    if value not in FANS:
        raise ValueError(f"one of {', '.join(FANS)} is expected")
    return str(value)


def _start(value: Any) -> Any:
    """The Start of a value of the language: a Start, a number, or a function of this file without its arguments."""
    if isinstance(value, Start):
        return value
    number = real(value)
    return None if number is None else Start("constant", float(number))


class _StartKind(Kind):
    """A kind whose bare words stand for what they are without arguments."""

    def convert(self, value: Any) -> Any:
        """The Start; raises Mismatch."""
        found = super().convert(value)
        if isinstance(found, str):
            return CONSTANTS[found] if found in CONSTANTS else MAKERS[found]()
        return found


def _kind(expects: str, *words: str) -> Kind:
    return _StartKind(expects, _start, words)


INIT = _kind("a number or one of zeros, ones, " + ", ".join(MAKERS), *CONSTANTS, *MAKERS)
PLAIN = _kind("a number or one of zeros, ones, normal, trunc_normal, uniform", *CONSTANTS, *list(MAKERS)[:3])


def begin(start: Start | None, shape: Shape, default: Init) -> Init:
    """The initialisation of a tensor of this shape; raises E210 where it has no fans, being no matrix."""
    if start is None:
        return default
    if start.name == "constant":
        return Init("constant", start.number) if start.number not in (0, 1) else (ZEROS, ONES)[int(start.number)]
    if start.name in ("normal", "trunc_normal"):
        return default._replace(kind=start.name, a=0.0, b=start.number)
    bound = start.number
    if start.name in BY_SHAPE:
        if len(shape) < 2:
            message = f"{start.name} counts what a weight joins, and a tensor of {len(shape)} axes joins nothing"
            raise LayerError("E210", message, argument="init", trials=[Trial("init", trunc_normal())])
        fan_in, fan_out = product(shape[1:]), shape[0] * product(shape[2:])
        if start.name.startswith("kaiming"):
            std = sqrt(2 / (1 + start.number**2)) / sqrt(max(1, fan_in if start.fan == "fan_in" else fan_out))
        else:
            std = sqrt(2 / max(1, fan_in + fan_out))
        if start.name.endswith("normal"):
            return default._replace(kind="normal", a=0.0, b=std)
        bound = sqrt(3) * std
    return default._replace(kind="uniform", a=-bound, b=bound)


def torch_start(start: Start, tensor: Code) -> Call:
    """torch's call that lets a tensor start so."""
    name, number = f"nn.init.{start.name}_", start.number
    if start.name == "constant":
        if number in (0, 1):
            return call(f"nn.init.{('zeros', 'ones')[int(number)]}_", tensor)
        return call(name, tensor, number)
    if start.name in ("normal", "trunc_normal"):
        return call(name, tensor, std=number)
    if start.name == "uniform":
        return call(name, tensor, -number, number)
    keywords: dict[str, Code] = {"a": number} if number else {}
    return call(name, tensor, **keywords, **({"mode": "fan_out"} if start.fan == "fan_out" else {}))


WEIGHT, BIAS = Name("m.weight"), Name("m.bias")  # of the module m, whose start is told


def torch_starts(init: Start | None, bias_init: Start | None = None, *, bias: bool = False) -> Starts:
    """The calls for a module's weight and, where it has one, its bias; none for what starts as torch has it."""
    weight = (("weight", torch_start(init, WEIGHT)),) if init is not None else ()
    return (*weight, ("bias", torch_start(bias_init, BIAS))) if bias and bias_init is not None else weight
