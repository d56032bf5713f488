"""The source of a network as a Python module that needs torch alone."""

from __future__ import annotations

from archdsl.annotations import Any, Union
from archdsl.backends.limits import check_size
from archdsl.backends.pytorch.body import Body, Child, Line
from archdsl.backends.pytorch.builder import Builder
from archdsl.backends.pytorch.classes import Class, Classes
from archdsl.backends.pytorch.code import Absent, Chain, Val
from archdsl.backends.pytorch.flow import Flow
from archdsl.backends.pytorch.forward import reads, write
from archdsl.backends.pytorch.layout import INDENT, block, items, text
from archdsl.backends.pytorch.parameters import Parameter, identifier
from archdsl.backends.pytorch.results import training_output
from archdsl.backends.pytorch.starts import starts
from archdsl.backends.pytorch.tables import table
from archdsl.backends.pytorch.trim import called
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.graph import Network
from archdsl.layers.code import Name
from archdsl.symbolic.solve import at, witnesses
from archdsl.tensor import show_shape


def emit(network: Network, source_name: str = "") -> str:
    """The source of a network; `source_name` is the spec's, for the first line.

    The class is called as the network and is constructed without arguments. Raises ArchError E604 where the
    network has too many layers to write out, E607 where sizes are open and the code hangs on them.
    """
    check_size(network)
    source = _emit(network, source_name)
    if network.open is not None:
        _check_open(network, source, source_name)
    return source


def _check_open(network: Network, source: str, source_name: str) -> None:
    """Raise ArchError E607 where the code would be another one for other sizes of the inputs."""
    for point in witnesses(network):
        with at(network, point):
            other = _emit(network, source_name)
        ours, theirs = (_statements(text) for text in (source, other))
        hanging = [line for line in ours if line not in theirs] or [line for line in theirs if line not in ours]
        if ours != theirs:
            which = f"{' and '.join(point)}, which {'stays' if len(point) == 1 else 'stay'} open"
            message = f"the code hangs on {which}: {(hanging or ['their order'])[0]}"
            raise ArchError([Diagnostic("E607", message, help=(f"give a value: -D {next(iter(point))}=224",))])


def _statements(source: str) -> list[str]:
    """The lines of code without their comments and docstrings, which tell shapes."""
    lines = (line.partition("  # ")[0].strip() for line in source.splitlines())
    return [line for line in lines if line and '"""' not in line and not line.startswith("import ")]


def _emit(network: Network, source_name: str) -> str:
    flow = Flow(network)
    builder = Builder(flow)
    builder.allow_overwriting(network.module.region)
    classes = Classes(network, builder)
    root = _root(network, builder, classes)
    used = called(root)
    shown: list[str] = []
    for made in reversed(classes.made):  # those inside come before those around
        if made.name in used:
            used |= called(made)
            shown.insert(0, _class(made._replace(code=classes.trimmed(made.code))))
    named, tuple_source = training_output(network, {made.name for made in classes.made} | used)
    shown += [tuple_source] if named else []
    shown.append(_network(network, classes.trimmed(root), named))
    helpers = [builder.helpers[name].strip("\n") for name in sorted(used & builder.helpers.keys())]
    body = "\n\n\n".join([*helpers, *shown])
    return _head(network, source_name, body) + body + "\n"


def _head(network: Network, source_name: str, body: str) -> str:
    from archdsl import __version__

    name = "".join(c if c.isprintable() else "?" for c in source_name.replace("\\", "/").rsplit("/", 1)[-1])
    lines = [f"# Made by archdsl {__version__} from {name or 'a spec'}: change the spec and compile it again."]
    lines.append("")
    standard = [
        *(["from collections import OrderedDict"] if "OrderedDict(" in body else []),
        *(["from typing import NamedTuple"] if "(NamedTuple)" in body else []),
    ]
    lines += [*standard, ""] if standard else []
    if "torch." in body.replace("torch.nn", ""):
        lines.append("import torch")
    if "F." in body and any(f"{before}F." in body for before in " (,=[-"):
        lines.append("import torch.nn.functional as F")
    lines.append("from torch import Tensor, nn")
    return "\n".join(lines) + "\n\n\n"


# ---- classes


def _class(made: Class) -> str:
    """A class of a block or a group."""
    code = made.code
    base = "nn.Sequential" if isinstance(code, Chain) else _base(code)
    lines = [f"class {made.name}({base}):", *_annotations(code)]
    given = ["self", *map(_parameter, made.parameters)]
    signature = ", ".join(given)
    lines.append(f"{INDENT}def __init__({signature}) -> None:")
    if len(lines[-1]) > 100:
        inside = [f"{INDENT * 2}{signature}"] if len(signature) <= 92 else [f"{INDENT * 2}{p}," for p in given]
        lines[-1:] = [f"{INDENT}def __init__(", *inside, f"{INDENT}) -> None:"]
    if isinstance(code, Chain):
        return "\n".join([*lines, *_super(code)])
    lines += _children(code, dict(made.switched), made.stored)
    names = _inputs(code, made)
    outer = _apart(made.forward, names)
    taken = ", ".join(["self", *(f"{name}: Tensor" for name in names), *(f"{name}: nn.Module" for name in outer)])
    gives = "Tensor" if len(code.gives) == 1 else f"tuple[{', '.join(['Tensor'] * len(code.gives))}]"
    lines += ["", f"{INDENT}def forward({taken}) -> {gives}:"]
    lines += write(code, list(code.lines), code.gives, names, outer)
    return "\n".join(lines)


def _annotations(code: Union[Chain, Body]) -> list[str]:
    """The types of the buffers, which a type checker cannot find where they are registered."""
    children = () if isinstance(code, Chain) else code.children
    names = [child.name for child in children if child.kind in ("buffer", "saved") and child.name.isidentifier()]
    return [*(f"{INDENT}{name}: Tensor" for name in names), ""] if names else []


def _apart(wanted: tuple[str, ...], taken: list[str]) -> tuple[str, ...]:
    """The names, changed where another argument has one of them: a label names a tensor and a submodule."""
    names: list[str] = []
    for name in wanted:
        while name in taken or name in names:
            name += "_"
        names.append(name)
    return tuple(names)


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.default == Absent() else f" = {text(parameter.default)}"
    return f"{parameter.name}: {parameter.annotation}{default}"


def _inputs(body: Body, made: Class) -> list[str]:
    hints = dict(body.hints)
    names: list[str] = []
    for position, number in enumerate(body.takes):
        hint = hints.get(number, "")
        name = identifier(hint) if hint and not hint.isdigit() else f"x{position or ''}"
        while name in names:
            name += "_"
        names.append(name)
    return names


def _sequential(body: Body) -> bool:
    """Whether the children can be those of a Sequential."""
    return body.positional and all(c.kind == "module" for c in body.children) and bool(body.children)


def _base(body: Body) -> str:
    """The class that it derives from; a ModuleList reaches children by number whatever others it has,
    but it counts modules alone."""
    if _sequential(body):
        return "nn.Sequential" if len(body.takes) + body.outer == 1 else "nn.ModuleList"
    numbered = [child.kind for child in body.children if child.name.isdigit()]
    return "nn.ModuleList" if numbered and set(numbered) == {"module"} else "nn.Module"


def _super(chain: Chain, base: str = "nn.Sequential") -> list[str]:
    if chain.named:
        return [
            f"{INDENT * 2}super().__init__()",
            *(f"{INDENT * 2}self.{i.name} = {text(i.code)}" for i in chain.items),
        ]
    left, right = ("[", "]") if base == "nn.ModuleList" else ("", "")
    return [f"{INDENT * 2}super().__init__({left}", *items(chain, 3), f"{INDENT * 2}{right})"]


def _children(body: Body, switched: dict[str, Any], stored: tuple[tuple[str, str], ...] = ()) -> list[str]:
    if _sequential(body):
        from archdsl.backends.pytorch.code import Item

        return [
            *_super(Chain(tuple(Item(c.name, c.code, c.comment) for c in body.children), False), _base(body)),
            *(f"{INDENT * 2}self.{a} = {p}" for a, p in stored),
        ]
    lines = [f"{INDENT * 2}super().__init__()", *(f"{INDENT * 2}self.{a} = {p}" for a, p in stored)]
    for c in body.children:
        lines += _child(c, switched.get(c.name))
    return lines


def _child(c: Child, switch: Any) -> list[str]:
    plain = c.name.isidentifier()
    if c.kind in ("buffer", "saved"):
        tail = ", persistent=False)" if c.kind == "buffer" else ")"
        values = table(c.code.args[0])
        code = c.code if values is None else c.code._replace(args=(Name(values), *c.code.args[1:]))
        return block(f"self.register_buffer({c.name!r}, ".replace("'", '"'), code, tail, 2, c.comment)
    register = "register_parameter" if c.kind == "parameter" else "add_module"
    head, tail = (f"self.{c.name} = ", "") if plain else (f"self.{register}({c.name!r}, ".replace("'", '"'), ")")
    if switch is None:
        return block(head, c.code, tail, 2, c.comment)
    annotated = f"self.{c.name}: nn.Module = nn.Identity()" if plain else f"{head}nn.Identity(){tail}"
    return [f"{INDENT * 2}{annotated}", f"{INDENT * 2}if {text(switch)}:", *block(head, c.code, tail, 3, c.comment)]


# ---- the network itself


def _root(network: Network, builder: Builder, classes: Classes) -> Body:
    inputs = tuple(given.value for given in network.inputs)
    plain = tuple(o.value for o in network.outputs if not o.training)
    training = tuple(o.value for o in network.outputs if o.training)
    body = builder.body(network.module, inputs, plain + training, set())
    body = _resolved(classes, body)
    return body._replace(lines=_guard(body, len(plain)))


def _resolved(classes: Classes, body: Body) -> Body:
    resolved: Body = classes.resolve(body)
    return resolved


def _guard(body: Body, plain: int) -> tuple[Line, ...]:
    """The lines, marked where only outputs in training need them."""
    needed = set(body.gives[:plain])
    kept = []
    for line in reversed(body.lines):
        own = bool(needed & set(line.makes))
        needed.update(reads(line.code) if own else ())
        kept.append(line._replace(training=not own))
    return tuple(reversed(kept))


def _network(network: Network, body: Body, named: str) -> str:
    plain = [o for o in network.outputs if not o.training]
    inputs = "; ".join(f"{i.name} {show_shape(i.value.type.shape)}" for i in network.inputs)
    outputs = "; ".join(
        f"{o.name} {show_shape(o.value.type.shape)}{' in training' if o.training else ''}" for o in network.outputs
    )
    base = _base(body)
    names = ["x"] if len(network.inputs) == 1 else [identifier(i.name) for i in network.inputs]
    lines = [
        f"class {network.name}({base}):",
        f'{INDENT}"""{inputs} -> {outputs}; {_parameters(network):,} parameters."""'.replace("\\", "/"),
        "",
        *_annotations(body),
        f"{INDENT}def __init__(self) -> None:",
        *_children(body, {}),
        *starts(network),
        "",
    ]
    taken = ", ".join(["self", *(f"{name}: Tensor" for name in names)])
    gives, training = body.gives[: len(plain)], body.gives[len(plain) :]
    result = "Tensor" if len(plain) == 1 else "tuple[Tensor, ...]"
    result += f" | {named}" if named else ""
    if network.scores is not None and body.lines and body.lines[-1].makes == gives and not training:
        final = body.lines[-1]
        scores = tuple(dict.fromkeys(reads(final.code)))
        call = _final(final.code, f"self.logits({', '.join(names)})")
        lines += [
            f"{INDENT}def logits({taken}) -> Tensor:",
            f'{INDENT * 2}"""The scores before the softmax: what nn.CrossEntropyLoss takes."""',
            *write(body, list(body.lines[:-1]), scores, names, ()),
            "",
            f"{INDENT}def forward({taken}) -> Tensor:",
            f"{INDENT * 2}return {call}",
        ]
    else:
        lines += [
            f"{INDENT}def forward({taken}) -> {result}:",
            *write(body, list(body.lines), gives, names, (), training, named=named),
        ]
    return "\n".join(lines)


def _final(code: Any, scores: str) -> str:
    from archdsl.backends.pytorch.code import change

    return text(change(code, lambda c: Name(scores) if isinstance(c, Val) else c))


def _parameters(network: Network) -> int:
    from archdsl.analyses.parameters import parameters

    return parameters(network)
