"""From the arguments of a layer in a spec to the layer: kinds, defaults, and what PyTorch users write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.elaborate.edits import without_first
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.parameters import key_span
from archdsl.elaborate.suggest import near, rename
from archdsl.elaborate.values import Fault, Tensor, describe, fault, same
from archdsl.graph import Value
from archdsl.layers.arguments import Kind, Mismatch, brief
from archdsl.layers.base import Layer
from archdsl.layers.registry import layer_class
from archdsl.records import MISSING, NamedTuple, fields, make, new
from archdsl.syntax import tree
from archdsl.syntax.source import Span
from archdsl.tensor import TensorType

_TORCH_NAMES = {
    "kernel_size": "kernel",
    "out_channels": "filters",
    "out_features": "width",
    "num_heads": "heads",
    "p": "rate",
    "ceil_mode": "fit",
    "negative_slope": "slope",
    "num_groups": "groups",
    "scale_factor": "factor",
    "num_layers": "layers",
    "hidden_size": "width",
    "dim": "axis",
    "inplace": "",
    "strides": "stride",
    "pool_size": "size",
    "units": "width",
    "use_bias": "bias",
}
_SAME = frozenset(
    "kernel_size out_channels out_features num_heads negative_slope num_groups scale_factor num_layers strides "
    "pool_size units use_bias".split()
)
"""Those whose values mean the same in the language."""
_TORCH_ORDER = {"CONV": ("padding", "dilation", "groups"), "POOL": ("padding", "dilation"), "AVGPOOL": ("padding",)}
"""The arguments that in torch's signatures follow those without a name here."""
_INFERRED = (
    "in_channels",
    "in_features",
    "num_features",
    "input_size",
    "embed_dim",
    "normalized_shape",
    "num_channels",
)

Given = Sequence[tuple[str, Any, Span]]


class Applied(NamedTuple):
    """What a layer has given somewhere, with nothing to be told of it, and so gives wherever the like arrives."""

    layer: Layer  # with the arguments that were implied
    type: TensorType
    layout: str
    memory: Memory
    implied: tuple[tuple[str, object], ...]


class Form(NamedTuple):
    """How a layer takes arguments of these names, where "" is one without a name."""

    name: str  # the layer's, as a spec calls it
    layer: type[Layer]
    names: tuple[str, ...]
    fields: tuple[str, ...]  # those that the arguments go to, "" for none
    converts: tuple[Callable[[Any], Any], ...] | None  # by their kinds; None where an argument is no field of its own
    missing: tuple[str, ...]  # the fields without a default that none of them goes to
    single: bool  # whether the layer reads what arrives, and nothing else


class Made(NamedTuple):
    """A layer as it was made from some arguments and the defaults of the file."""

    layer: Layer
    tensors: tuple[Tensor, ...]
    form: Form
    values: tuple[Any, ...]  # those of the arguments, kept, and so what `same` says of them
    defaults: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The arguments as a spec would write them."""
        return ", ".join(_shown(self.form.layer, key, value) for key, value in zip(self.form.names, self.values))

    def gives(self, name: str) -> bool:
        """Whether the argument is given where the layer stands, or in a default of the file."""
        return name in self.form.fields or name in self.defaults

    def spans(self, given: Given) -> dict[str, Span]:
        """Where each argument stands, these being the same ones, at their own places."""
        spans: dict[str, Span] = {}
        for field, (_, _, place) in zip(self.form.fields, given):
            if field:  # several values may be one argument: PERMUTE(1, 0)
                spans[field] = place._replace(start=spans[field].start) if field in spans else place
        return spans


class Arguments(NamedTuple):
    """The arguments of a layer as they were given, by name and converted."""

    values: dict[str, Any]
    tensors: dict[str, Tensor]
    spans: dict[str, Span]


@cache
def kinds(cls: type[Layer]) -> dict[str, Kind]:
    """The arguments of a layer by name."""
    return {f.name: f.metadata["kind"] for f in fields(cls) if "kind" in f.metadata}


@cache
def layer_words(layer: str, argument: str) -> tuple[str, ...]:
    """The bare words that an argument takes; for one without a name, those of all positional arguments."""
    cls = layer_class(layer)
    known = kinds(cls)
    if argument:
        return known[argument].words if argument in known else ()
    return tuple(word for name in cls.positional for word in known[name].words)


def bind_layer(
    name: str,
    given: Given,
    defaults: Mapping[str, Any],
    span: Span,
    arriving: Value | None,
    made: dict[object, Made],
) -> tuple[Made, bool]:
    """The layer `name` with these arguments over its defaults, and whether it is there for the first time.

    `arriving` is what arrives, if it is known, for what is told to those who write PyTorch's signature.
    A layer of the same arguments and defaults is the one in `made`. Raises a Fault for the first that does not fit.
    """
    names, values, _ = zip(*given) if given else ((), (), ())
    key = name, id(defaults), names, *[value if type(value) is int else same(value) for value in values]
    one = made.get(key)
    if one is not None:
        return one, False
    form = _form(name, names)
    tensors: tuple[Tensor, ...] = ()
    held = _converted(form, values)
    if held is None:
        held, found, _ = bind_arguments(name, given, width_of(arriving))
        tensors = tuple(found[key] for key in form.layer.tensors if key in found)
    if defaults or form.missing:
        held = _completed(form, held, defaults, span)
    one = made[key] = new(Made, (make(form.layer, held), tensors, form, values, defaults))
    return one, True


def width_of(value: Value | None) -> int | None:
    """The width that arrives, where it is known."""
    return value.type.channels if value is not None and value.type.rank else None


def _completed(form: Form, held: dict[str, Any], defaults: Mapping[str, Any], span: Span) -> dict[str, Any]:
    """The fields over the defaults that the layer has; raises E123 where one is missing."""
    cls, name = form.layer, form.name
    known = kinds(cls)
    held = {k: v for k, v in defaults.items() if k in known} | held
    for key in form.missing:
        if key not in held:
            hint = f"{name}({', '.join([*cls.positional, *([key + '=…'] if key not in cls.positional else [])])})"
            raise fault("E123", f"{name} needs {_article(key)} `{key}`", span, help=f"write {hint}")
    return held


def _converted(form: Form, values: tuple[Any, ...]) -> dict[str, Any] | None:
    """The fields that the arguments go to; None where one is no field of its own, or not of its kind."""
    if form.converts is None:
        return None
    try:
        return {key: convert(value) for key, convert, value in zip(form.fields, form.converts, values)}
    except Mismatch:
        return None


@lru_cache(maxsize=1000)
def _form(name: str, names: tuple[str, ...]) -> Form:
    """How the layer takes arguments of these names."""
    cls = layer_class(name)
    known = kinds(cls)
    loose = [cls.variadic] * len(names) if cls.variadic else [*cls.positional, *[""] * len(names)]
    own = known.keys() - {*cls.tensors, cls.free}
    found = tuple([(key if key in own else "") if key else loose[place] for place, key in enumerate(names)])
    plain = "" not in found and cls.variadic not in found and len(set(found)) == len(found)
    required = [f.name for f in fields(cls) if f.name in known and f.default is MISSING]
    missing = tuple(key for key in required if key not in found)
    single = cls.arity == (1, 1) and not any(key in cls.tensors for key in names)
    return Form(name, cls, names, found, tuple(known[key].convert for key in found) if plain else None, missing, single)


def bind_arguments(name: str, given: Given, arriving: int | None = None) -> Arguments:
    """The arguments of the layer `name`, each of its kind; raises a Fault for the first that does not fit."""
    cls = layer_class(name)
    known = kinds(cls)
    values: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    tensors: dict[str, Tensor] = {}
    free: dict[str, Any] = {}
    loose = [(value, place) for key, value, place in given if not key]
    if cls.variadic and loose:
        first = loose[0][0]
        over = loose[0][1]._replace(end=loose[-1][1].end)
        whole = isinstance(first, (tuple, list)) and not hasattr(first, "_fields") and len(loose) == 1
        value = first if whole else tuple(value for value, _ in loose)
        values[cls.variadic] = _convert(cls, known[cls.variadic], cls.variadic, value, over)
        spans[cls.variadic] = over
    elif len(loose) > len(cls.positional):
        raise _too_many(cls, name, loose, arriving)
    else:
        for key, (value, place) in zip(cls.positional, loose):
            values[key] = _convert(cls, known[key], key, value, place)
            spans[key] = place
    for key, value, place in given:
        if not key:
            continue
        if key in spans or key in tensors or key in free:
            raise fault("E121", f"{name} is given `{key}` twice", key_span(key, place))
        if key in cls.tensors:
            if not isinstance(value, Tensor):
                raise fault("E122", f"{key} of {name} expects a tensor (@name), not {describe(value)}", place)
            tensors[key] = value
            continue
        if key not in known or key == cls.free:
            if cls.free:
                free[key] = value
                continue
            raise unknown_argument(cls, name, key, place)
        values[key] = _convert(cls, known[key], key, value, place)
        spans[key] = place
    if free:
        values[cls.free] = _convert(cls, known[cls.free], cls.free, free, given[0][2])
    return Arguments(values, tensors, spans)


def check_names(layer: str, arguments: Sequence[tree.Argument]) -> None:
    """Raise the Fault for a name that the layer has no argument of, whose value need mean nothing."""
    for argument in arguments:
        if argument.name:
            cls = layer_class(layer)
            if argument.name not in kinds(cls) and argument.name not in cls.tensors and not cls.free:
                raise unknown_argument(cls, layer, argument.name, argument.value.span)


def _article(name: str) -> str:
    return "an" if name[0] in "aeiou" else "a"


def _shown(cls: type[Layer], key: str, value: Any) -> str:
    word = getattr(value, "word", value)
    kind = kinds(cls).get(key)
    bare = isinstance(word, str) and (kind is None or bool(kind.words)) and word.isidentifier()
    text = word if bare else describe(value) if isinstance(value, Tensor) else brief(value, 200)
    return f"{key}={text}" if key else str(text)


def _convert(cls: type[Layer], kind: Kind, key: str, value: Any, place: Span) -> Any:
    try:
        return kind.convert(value)
    except Mismatch as error:
        raise fault("E122", f"{key} of {cls.spec} {error}", place) from None


def _too_many(cls: type[Layer], name: str, loose: Sequence[tuple[Any, Span]], arriving: int | None) -> Fault:
    takes = ", ".join(cls.positional)
    first, place = loose[0]
    help = ""
    edits: tuple[Edit, ...] = ()
    less: Edit | None = None
    more = loose[len(cls.positional) :]
    name_end = place.source.text.rfind("(", 0, place.start)
    others = [key for key in kinds(cls) if key not in (*cls.positional, cls.free)]
    if isinstance(first, int) and name in ("GN", "LRN"):
        help = f"write {name}({others[0]}={first})"
        edits = (Edit(Span(place.source, place.start, place.start), f"{others[0]}="),)
    elif isinstance(first, int) and name in ("BN", "LN", "INSTANCENORM", "PRELU"):
        help = f"the width that arrives is inferred: write {name}"
        less = without_first(name_end, loose) if len(loose) == 1 else None
    elif isinstance(first, int) and (first == arriving or name in ("LINEAR", "FC")):
        help = f"the width that arrives is inferred: write {name}({', '.join(describe(v) for v, _ in loose[1:])})"
        less = without_first(name_end, loose)
    elif len(more) <= len(_TORCH_ORDER.get(name, ())):
        named = list(zip(_TORCH_ORDER[name], more))
        help = f"the others go by name: write {', '.join(f'{key}={place.text}' for key, (_, place) in named)}"
        edits = tuple(Edit(place._replace(end=place.start), f"{key}=") for key, (_, place) in named)
    elif others:
        help = f"the others go by name: {', '.join(others)}"
    message = f"{name} takes {'no arguments' if not takes else takes} without a name, not {len(loose)} of them"
    span = Span(place.source, place.start, loose[-1][1].end)
    if less is not None:
        edits = (less,)
    fixes = (Fix(help, edits),) if edits else ()
    return Fault(Diagnostic("E120", message, span, help=(help,) if help else (), fixes=fixes))


def unknown_argument(cls: type[Layer], name: str, key: str, place: Span) -> Fault:
    """The Fault for an argument that the layer does not have; `place` is its value's."""
    span, known = key_span(key, place), kinds(cls)
    if key in _INFERRED:
        return fault(
            "E124", f"{name} has no argument `{key}`", span, help="the width that arrives is inferred: leave it out"
        )
    foreign = _TORCH_NAMES.get(key, "")
    meant = foreign if foreign in known else near(key, known)
    if not meant:
        return fault("E124", f"{name} has no argument `{key}`", span, help=f"{name} takes {', '.join(known) or 'none'}")
    fixes = rename(span, meant, safe=meant != foreign or key in _SAME)
    return fault("E124", f"{name} has no argument `{key}`", span, help=f"did you mean {meant}?", fixes=fixes)
