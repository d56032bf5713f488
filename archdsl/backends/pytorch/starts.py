"""How weights start where torch would let them start otherwise: a loop over the modules, at the end of `__init__`."""

from __future__ import annotations

from collections import Counter

from archdsl.annotations import Any
from archdsl.backends.pytorch.layout import INDENT, WIDTH, child, text
from archdsl.graph import Apply, Network
from archdsl.naming import leaves
from archdsl.records import NamedTuple

Calls = tuple[Any, ...]  # for one tensor; none of them where it starts as torch has it
_ATTRIBUTES = {"weight": "weight", "bias": "bias", "row": "weight"}


class Layer(NamedTuple):
    """One module: where it stands, whether it has a bias, and the calls for each of its tensors."""

    path: str
    has_bias: bool
    calls: dict[str, Calls]


def starts(network: Network) -> list[str]:
    """The lines of the loop; none where all starts as torch has it."""
    if not any(_given(step) for _, step, _ in leaves(network, unroll=False)):
        return []
    kinds: dict[str, list[Layer]] = {}
    inherits = False  # whether some module of torch holds another of a kind that is gone through here
    known = [leaf for leaf in leaves(network) if isinstance(leaf.step, Apply)]
    around = _around([path for path, step, _ in known if _given(step)])
    for path, step, _ in known:
        if not path.startswith(around) or not isinstance(step, Apply):
            continue
        torch = step.layer.torch(*step.types)
        if torch.kind != "module" or torch.register is None:
            continue
        inherits = inherits or torch.register.name == "nn.MultiheadAttention"
        calls: dict[str, Calls] = {}
        for name, call in torch.starts:
            calls[_ATTRIBUTES[name]] = (*calls.get(_ATTRIBUTES[name], ()), call)
        has_bias = "bias" in step.layer.weights(*step.types)
        kinds.setdefault(str(torch.register.name), []).append(Layer(_place(path), has_bias, calls))
    lines: list[str] = []
    for kind, layers in kinds.items():
        inside = _kind(kind, layers)
        if inside:
            test = f"type(m) is {kind}" if inherits else f"isinstance(m, {kind})"
            lines += [f"{'elif' if lines else 'if'} {test}:", *(INDENT + line for line in inside)]
    root = _place(around[:-1]) if around else "self"
    return [f"{INDENT * 2}for m in {root}.modules():", *(INDENT * 3 + line for line in lines)]


def _around(paths: list[str]) -> str:
    """The path of the innermost module around all of these, with a dot behind it; "" for the network itself."""
    first, last = min(paths).split("."), max(paths).split(".")
    common = 0
    while common < min(len(first), len(last)) - 1 and first[common] == last[common]:
        common += 1
    return "".join(f"{name}." for name in first[:common])


def _place(path: str) -> str:
    """The module as an expression; a type checker knows no attributes of what stands in a Sequential."""
    names = path.split(".")
    if any(name.isdigit() for name in names[:-1]):
        return f"self.get_submodule({text(path)})"
    return child(tuple(names))


def _given(step: Any) -> bool:
    return isinstance(step, Apply) and bool(step.layer.torch(*step.types).starts)


def _kind(kind: str, layers: list[Layer]) -> list[str]:
    """What is done to the modules of one class."""
    weights = [layer.calls.get("weight", ()) for layer in layers]
    biases = [layer.calls.get("bias", ()) for layer in layers]
    # a convolution's bias is Optional to a type checker, a Linear's is not
    if not kind.startswith("nn.Conv") and all(layer.has_bias for layer in layers):
        both = [w + b for w, b in zip(weights, biases)]
        if len(set(both)) <= max(len(set(weights)), len(set(biases))):
            return _tensor(layers, both)
        return _tensor(layers, weights) + _tensor(layers, biases)
    having = [layer for layer in layers if layer.has_bias]
    lines = _tensor(having, [b for layer, b in zip(layers, biases) if layer.has_bias])
    guarded = ["if m.bias is not None:", *(INDENT + line for line in lines)] if lines else []
    return _tensor(layers, weights) + guarded


def _tensor(layers: list[Layer], asked: list[Calls]) -> list[str]:
    """The calls that these modules ask for: what most of them do, and before it the others."""
    counts = Counter(asked)
    if not any(counts):
        return []
    usual = counts.most_common(1)[0][0]
    lines: list[str] = []
    for calls in counts:
        if calls != usual and (calls or len(counts) > 2):
            lines += _branch(lines, f"m {_among(layers, asked, calls)}", calls)
    if lines:
        return lines + (["else:", *(INDENT + text(call) for call in usual)] if usual else [])
    if len(counts) > 1:  # the only others start as torch has it
        test = _among(layers, asked, ())
        test = test.replace("is ", "is not ", 1) if test.startswith("is ") else f"not {test}"
        return _branch([], f"m {test}", usual)
    return [text(call) for call in usual]


def _branch(before: list[str], test: str, calls: Calls) -> list[str]:
    head = _wrapped(f"{'elif' if before else 'if'} {test}:")
    return [*head, *(INDENT + line for line in (map(text, calls) if calls else ("pass",)))]


def _among(layers: list[Layer], asked: list[Calls], calls: Calls) -> str:
    paths = [layer.path for layer, own in zip(layers, asked) if own == calls]
    return f"is {paths[0]}" if len(paths) == 1 else f"in ({', '.join(paths)})"


def _wrapped(line: str) -> list[str]:
    """The line, a tuple in it with an item on each line where it is too long."""
    if len(line) <= WIDTH - 20 or "(" not in line:
        return [line]
    head, _, rest = line.partition("(")
    return [f"{head}(", *(f"{INDENT}{path}," for path in rest.removesuffix("):").split(", ")), "):"]
