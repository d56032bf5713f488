"""What was meant by a name that is not known: names that are near, and those of Keras and PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from archdsl.diagnostics import Diagnostic, Edit, Fix
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.values import Fault
from archdsl.layers.registry import LAYERS
from archdsl.syntax import tree
from archdsl.syntax.source import Span

_FOREIGN = {
    "CONV": "conv conv1d conv2d conv3d convolution convolution2d separableconv2d depthwiseconv2d",
    "UPCONV": "convtranspose convtranspose1d convtranspose2d convtranspose3d conv2dtranspose deconv deconvolution",
    "POOL": "maxpool1d maxpool2d maxpool3d maxpooling2d maxpooling max_pool2d pooling",
    "AVGPOOL": "avgpool1d avgpool2d avgpool3d averagepooling2d averagepool",
    "GAP": "globalaveragepooling2d globalavgpool globalaveragepool adaptiveavgpool2d adaptiveavgpool1d",
    "FC": "dense fullyconnected fully_connected affine innerproduct",
    "LINEAR": "linear timedistributed",
    "BN": "batchnorm batchnorm1d batchnorm2d batchnorm3d batchnormalization batch_norm",
    "LN": "layernorm layernormalization layer_norm",
    "GN": "groupnorm groupnormalization",
    "INSTANCENORM": "instancenorm1d instancenorm2d instancenorm3d",
    "LRN": "localresponsenorm",
    "RELU": "rectifier",
    "LRELU": "leakyrelu leaky_relu",
    "SILU": "swish",
    "HSWISH": "hardswish",
    "HSIGMOID": "hardsigmoid",
    "DROPOUT": "dropout1d dropout2d spatialdropout2d",
    "DROPPATH": "stochasticdepth",
    "FLATTEN": "flat",
    "ID": "identity",
    "ADD": "sum_ residual skip shortcut plus",
    "SUB": "subtract minus",
    "MUL": "multiply times",
    "DIV": "divide",
    "MAX": "maximum",
    "MIN": "minimum",
    "CONCAT": "concatenate cat",
    "MHA": "multiheadattention",
    "EMBEDDING": "embed",
    "PARAM": "parameter",
    "CONST": "constant buffer register_buffer",
    "UPSAMPLE": "upsampling2d interpolate resize",
    "PERMUTE": "transpose",
    "REARRANGE": "einops",
    "PAD": "zeropad2d zeropadding2d",
    "LSTM": "bilstm",
    "CHOOSE": "either switch",
}
_MEANT = {foreign: name for name, words in _FOREIGN.items() for foreign in words.split()}
MOST_NAMES = 500  # names that one is compared with
_SPECIAL = ("INPUT", "CHOOSE")


def near(name: str, known: Iterable[str]) -> str:
    """The one known name that is near, "" where there is none or more than one are as near."""
    return _near(name, frozenset(known)) if len(name) <= 60 else ""


@lru_cache(maxsize=64)  # a fault in a loop asks again and again
def _near(name: str, known: frozenset[str]) -> str:
    from difflib import SequenceMatcher, get_close_matches

    names = sorted(known)
    folded: dict[str, str] = {}
    for candidate in names:
        folded.setdefault(candidate.lower(), candidate)
    if name.lower() in folded:
        return folded[name.lower()]
    if len(folded) > MOST_NAMES:
        return ""
    found = get_close_matches(name.lower(), list(folded), n=2, cutoff=0.75)
    nearness = [SequenceMatcher(None, candidate, name.lower()).ratio() for candidate in found]
    if found and nearness[0] > (nearness[1:] or [0.0])[0]:
        return folded[found[0]]
    slips = [candidate for candidate in folded if is_slip(name.lower(), candidate)] if len(name) > 1 else []
    return folded[slips[0]] if len(slips) == 1 else ""


def is_slip(a: str, b: str) -> bool:
    """Whether one letter more, less, exchanged or two the other way round make the one of the other."""
    if len(a) == len(b):
        differ = [i for i in range(len(a)) if a[i] != b[i]]
        turned = len(differ) == 2 and differ[1] == differ[0] + 1 and sorted(a) == sorted(b)
        return len(differ) == 1 or turned
    short, long = sorted((a, b), key=len)
    return len(long) - len(short) == 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def unknown_name(
    node: tree.Name, known: Iterable[str], words: Sequence[str] | None = None, hint: str = "", *, step: bool = False
) -> Fault:
    """The Fault for a name that nothing defines, with what was probably meant, else the hint about `{0}`.

    `words` are those that an argument of a layer takes, all of which are told; such an argument is no layer. A `step`
    is no function.
    """
    from difflib import get_close_matches  # a right spec does without it

    foreign = _MEANT.get(node.id.lower(), "") if words is None else ""
    language = [*LAYERS, *(() if step else FUNCTIONS), *_SPECIAL] if words is None else words
    meant = foreign or near(node.id, [*known, *language])
    near_by = bool(meant)
    if words:
        alike = [word for word in words if word[0] == node.id[0].lower()]  # few words: what is meant may be far off
        meant = meant or next(iter(get_close_matches(node.id.lower(), alike, n=1, cutoff=0.5)), "")
        hint = f"the words for it are {', '.join(words)}"
    if not meant:
        return not_defined(node, *filter(None, [hint.format(node.id)]))
    called = node.span.source.text[node.span.end : node.span.end + 1] == "("
    fixes = rename(node.span, meant, safe=near_by and not (foreign and called))  # its arguments may mean other things
    helps = (f"did you mean {meant}?", *([hint] if words else []))
    return not_defined(node, *helps, fixes=fixes)


def not_defined(node: tree.Name, *help: str, fixes: tuple[Fix, ...] = ()) -> Fault:
    """The Fault for a name that nothing defines."""
    return Fault(Diagnostic("E130", f"{node.id} is not defined", node.span, help=help, fixes=fixes))


def unknown(code: str, message: str, name: str, span: Span, known: Iterable[str]) -> Fault:
    """The Fault for a name that is none of a few, with the one that is near."""
    meant = near(name, known) or (_MEANT.get(name.lower(), "") if known is LAYERS else "")
    if not meant:
        return Fault(Diagnostic(code, message, span))
    return Fault(
        Diagnostic(code, message, span, help=(f"did you mean {meant}?",), fixes=rename(span, meant, safe=True))
    )


def rename(span: Span, meant: str, *, safe: bool) -> tuple[Fix, ...]:
    """The fix that writes another name."""
    return (Fix(f"write {meant}", (Edit(span, meant),), safe),)
