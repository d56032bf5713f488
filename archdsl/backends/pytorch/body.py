"""A module of the graph as the body of a class: what it constructs, and what its forward does, tensors by number.

Names of classes and of variables come later: bodies of one block are held against each other first.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Union

from archdsl.backends.pytorch.code import Chain, Item, Kid, Outer, Star, Val, change
from archdsl.backends.pytorch.flow import Flow, holds, registers, scalar
from archdsl.graph import Apply, Call, Module, Region, Repeat, Share, Step, Value
from archdsl.layers import code as layers_code
from archdsl.naming import Numbering, children
from archdsl.tensor import show_shape

# Layers whose gradient does not read their own output, so that an activation behind may overwrite it.
_OVERWRITABLE = frozenset("CONV UPCONV BN GN LN FC LINEAR ADD SUB".split())


class Child(NamedTuple):
    """What a module registers: `kind` is "module", "parameter", "buffer" or "saved" (a buffer in the state_dict)."""

    name: str
    kind: str
    code: Any
    comment: str = ""


class Line(NamedTuple):
    """One step of forward: the tensors that it makes, the expression, the place in the spec where it stands."""

    makes: tuple[int, ...]
    code: Any
    place: tuple[int, int]  # line and column in the spec
    comment: str = ""
    training: bool = False


class Body(NamedTuple):
    """A class: its children, its forward, the tensors that it gives and those for training alone.

    `positional`: the children are named by position, and the class is a Sequential.
    `takes` are the tensors that forward is given, `outer` how many submodules from around.
    """

    positional: bool
    children: tuple[Child, ...]
    lines: tuple[Line, ...]
    takes: tuple[int, ...]
    outer: int
    gives: tuple[int, ...]
    hints: tuple[tuple[int, str], ...]


class Reference(NamedTuple):
    """An instance of the class of a module that is none of torch's: which class it is, is settled later."""

    module: Module


class Builder:
    """Builds the body of each module of a network; `helpers` collects the sources of classes that torch lacks."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.helpers: dict[str, str] = {}
        self._safe: set[Value] = set()
        self._shared: set[Union[Apply, Call]] = set()  # what runs over a second tensor too, which others may read

    # ---- modules as expressions

    def constructor(self, call: Call) -> Any:
        """What constructs a module inside: a Sequential where a chain says all, else an instance of its class."""
        module = call.module
        if not module.title:
            chain = self.chain(module)
            if chain is not None:
                return chain
        return Reference(module)

    def simple(self, module: Module) -> bool:
        """Whether the module is a chain over what arrives that gives its result alone."""
        flow = self.flow
        return not (flow.captures[module] or flow.exports[module] or flow.borrowed[module])

    def chain(self, module: Module) -> Chain | None:
        """The module as a Sequential; None where more than a chain is needed."""
        if not self.simple(module):
            return None
        items = self._items(module.region, Numbering(module), not module.positional, first=True)
        if items is None or module.positional:
            return None if items is None else Chain(tuple(items), False)
        names = [item.name for item in items]
        mixed = not counted(names) and any(name.isdigit() for name in names)
        return None if mixed else Chain(tuple(items), not counted(names))

    def _items(self, region: Region, numbering: Numbering, named: bool, first: bool = False) -> list[Any] | None:
        items: list[Any] = []
        current = region.param
        for step in region.steps:
            if isinstance(step, Share) or self._entry(step) is not current or self.flow.reads[current] > 1:
                return None
            if isinstance(step, Repeat):
                for run in step.runs:
                    mark = numbering.mark()
                    inner = self._items(run.region, numbering, named, first)
                    if inner is None:
                        return None
                    first = first and not run.region.steps
                    if named:  # each copy's have names of their own
                        items += inner
                        for _ in range(run.count - 1):
                            items += self._items(run.region, numbering, named, first) or ()
                        continue
                    numbering.skip(mark, run.count - 1)
                    if run.count == 1:
                        items += inner
                    elif inner:
                        items.append(Star(run.count, tuple(inner), len(inner)))
            else:
                name = numbering.name(step)
                made = self._item(step, first)
                if made is None:
                    return None
                first = first and commutes(step)
                items.append(Item(name, made, show_shape(step.output.type.shape)))
            current = step.output
        return items if region.result is current else None

    @staticmethod
    def _entry(step: Step) -> Value | None:
        if isinstance(step, Apply):
            return step.inputs[0] if len(step.inputs) == 1 else None
        return step.again.output if isinstance(step, Share) else step.input

    def _item(self, step: Union[Apply, Call], first: bool) -> Any:
        """A module that does what the step does, alone; the flattening before a first FC is left to the caller."""
        if isinstance(step, Call):
            region = step.module.region
            if not registers(step.module):  # no class is made of it
                return layers_code.call("nn.Identity") if not region.steps and region.result is region.param else None
            simple = self.simple(step.module)
            return self.constructor(step) if simple and _lead(step) is None else None
        torch = step.layer.torch(*step.types)
        if torch.kind == "module" and torch.register is not None:
            if torch.forward == _PLAIN or (first and flattens(torch.forward)):
                self._help(torch)
                return self.module_code(step, torch)
        return None

    def module_code(self, step: Apply, torch: layers_code.Torch) -> Any:
        """What constructs the layer's module; activations overwrite their input where nothing else reads it."""
        made = torch.register
        if made is not None and step.layer.inplace and self._overwrites(step):
            made = made._replace(kwargs=(*made.kwargs, ("inplace", True)))
        return made

    def _overwrites(self, step: Apply) -> bool:
        return step.inputs[0] in self._safe and self.flow.reads[step.inputs[0]] == 1 and step not in self._shared

    def allow_overwriting(self, region: Region) -> None:
        """Note the values of a region, and of those inside, that an activation behind may overwrite."""
        for step in region.steps:
            if isinstance(step, Apply) and step.layer.spec in _OVERWRITABLE:
                self._safe.add(step.output)
            if isinstance(step, Share):
                self._shared.add(step.target)
            for inner in _inner(step):
                self.allow_overwriting(inner)

    def _help(self, torch: layers_code.Torch) -> None:
        if torch.helper and torch.register is not None and isinstance(torch.register.name, str):
            self.helpers[torch.register.name] = torch.helper

    # ---- modules as classes

    def body(self, module: Module, inputs: tuple[Value, ...], results: tuple[Value, ...], training: set[Value]) -> Body:
        """The class of a module; `inputs` are what forward is given, `results` what it gives."""
        return _Forward(self, module, training).build(inputs, results)


def counted(names: list[str]) -> bool:
    """Whether the names are those of a Sequential's items."""
    return bool(names) and names == [str(i) for i in range(len(names))]


def _inner(step: Step) -> list[Region]:
    if isinstance(step, Call):
        return [step.module.region]
    return [run.region for run in step.runs] if isinstance(step, Repeat) else []


# Layers on each number by itself: to flatten before one or behind it is the same.
_COMMUTING = frozenset(
    "DROPOUT RELU RELU6 LRELU ELU SELU GELU SILU MISH SIGMOID TANH HSWISH HSIGMOID SOFTPLUS ID".split()
)


def commutes(step: Step) -> bool:
    """Whether a flattening behind the step may stand before it."""
    return isinstance(step, Apply) and step.layer.spec in _COMMUTING


_PLAIN = layers_code.Call(layers_code.Itself(), (layers_code.X(),))
_FLATTENED = layers_code.Call(layers_code.Itself(), (layers_code.call("torch.flatten", layers_code.X(), 1),))


def flattens(forward: Any) -> bool:
    """Whether all that a layer does beyond its module is to flatten what arrives first."""
    return bool(forward == _FLATTENED)


def _lead(call: Call) -> Apply | None:
    """The FC that flattens first in a Sequential, if one does: whoever calls the Sequential has to flatten."""
    region = call.module.region
    steps, current = list(region.steps), region.param
    while steps:
        step = steps.pop(0)
        if isinstance(step, Apply):
            if step.inputs != (current,):
                return None
            torch = step.layer.torch(*step.types)
            if torch.kind == "module" and flattens(torch.forward):
                return step
            if not commutes(step):
                return None
        elif isinstance(step, Call) and not step.module.title:
            steps[:0], current = step.module.region.steps, step.module.region.param
            continue
        elif isinstance(step, Repeat):
            steps[:0], current = step.runs[0].region.steps, step.runs[0].region.param
            continue
        else:
            return None
        current = step.output
    return None


class _Forward:
    """Builds one class's body."""

    def __init__(self, builder: Builder, module: Module, training: set[Value]) -> None:
        self.builder = builder
        self.flow = builder.flow
        self.module = module
        self.training = training
        self.numbers: dict[Value, int] = {}
        self.hints: dict[int, str] = {}
        self.children: list[Child] = []
        self.lines: list[Line] = []
        self.literal: dict[Value, Any] = {}  # values that are written where they are read
        self.kids: dict[Union[Apply, Call], tuple[str, ...]] = {}
        self.inlined = 0  # modules around that register nothing, so that their steps stand in this forward
        self.count = 0

    def build(self, inputs: tuple[Value, ...], results: tuple[Value, ...]) -> Body:
        for value in inputs:
            self.define(value)
        outer = self.flow.borrowed[self.module]
        self._region(self.module.region, Numbering(self.module), ())
        gives = tuple(self._given(value) for value in results)
        takes = tuple(self.numbers[value] for value in inputs)
        hints = tuple(sorted(self.hints.items()))
        positional = self.module.positional or counted([child.name for child in self.children])
        return Body(positional, tuple(self.children), tuple(self.lines), takes, len(outer), gives, hints)

    def _given(self, value: Value) -> int:
        if value in self.literal:  # a constant as a result has to be made
            code = self.literal[value]
            self._line((self.define(value),), code, value)
        return self.numbers[value]

    def define(self, value: Value) -> int:
        """A new number for a value; in a repetition each copy's is another."""
        self.literal.pop(value, None)
        self.numbers[value] = self.count
        if value.hint:
            self.hints[self.count] = value.hint
        self.count += 1
        return self.numbers[value]

    def read(self, value: Value) -> Any:
        """The code that stands for a value."""
        return self.literal[value] if value in self.literal else Val(self.numbers[value])

    def _line(self, makes: tuple[int, ...], code: Any, value: Value, comment: str = "") -> None:
        place = value.span.source.position(value.span.start) if value.span else (0, 0)
        comment = comment or show_shape(value.type.shape)
        self.lines.append(Line(makes, code, place, comment, value in self.training))

    def _region(self, region: Region, numbering: Numbering, path: tuple[str, ...]) -> None:
        for step in region.steps:
            if isinstance(step, Repeat):
                current = step.input
                for run in step.runs:
                    for _ in range(run.count):
                        self._alias(run.region.param, current)
                        self._region(run.region, numbering, path)
                        current = run.region.result
                self._alias(step.output, current)
                continue
            name = numbering.name(step)
            inner_step = step.again if isinstance(step, Share) else step
            if isinstance(step, Share):
                self._share(step)
            elif isinstance(inner_step, Apply):
                self._apply(inner_step, (*path, name))
            else:
                self._call(inner_step, (*path, name))

    def _alias(self, value: Value, current: Value) -> None:
        if current in self.literal:
            self.literal[value] = self.literal[current]
        else:
            self.literal.pop(value, None)
            self.numbers[value] = self.numbers[current]
            if value.hint:
                self.hints.setdefault(self.numbers[value], value.hint)

    # ---- layers

    def _apply(self, step: Apply, path: tuple[str, ...]) -> None:
        torch = step.layer.torch(*step.types)
        number = scalar(step.layer)
        if number is not None:
            self.literal[step.output] = number
            return
        if step.layer.spec == "ID" and not step.label and not self.module.positional:
            self._alias(step.output, step.inputs[0])
            return
        self.builder._help(torch)
        self.kids[step] = path
        if torch.register is not None:
            kind = torch.kind
            if kind == "buffer" and any(w.persistent for w in step.layer.buffers(*step.types).values()):
                kind = "saved"
            comment = show_shape(step.output.type.shape) if self.module.positional else ""
            self.children.append(Child(path[-1], kind, self.builder.module_code(step, torch), comment))
        elif self.module.positional and not self.inlined:  # a place in the Sequential: those behind keep theirs
            self.children.append(Child(path[-1], "module", layers_code.call("nn.Identity")))
        self._emit(step, torch.forward, Kid(path))

    def _emit(self, step: Apply, forward: Any, child: Any) -> None:
        inputs = [self.read(value) for value in step.inputs]

        def rule(code: Any) -> Any:
            if isinstance(code, layers_code.X):
                return inputs[code.index]
            return child if isinstance(code, layers_code.Itself) else code

        if self.module.positional and len(inputs) == 1 and flattens(forward):  # a line of its own between the layers
            self._line(
                (self.define(step.output),),
                layers_code.call("torch.flatten", inputs[0], 1),
                step.inputs[0],
                str(step.types[0].size),
            )
            inputs, forward = [Val(self.numbers[step.output])], _PLAIN
        code = _simpler(change(forward, rule))
        if isinstance(code, Val):  # the step gives what arrived
            self._alias(step.output, step.inputs[0])
            return
        if step.layer.arity == (0, 0) and self.flow.reads[step.output] == 1:
            self.literal[step.output] = code
            return
        self._line((self.define(step.output),), code, step.output)

    # ---- modules and shared steps

    def _call(self, step: Call, path: tuple[str, ...]) -> None:
        flow = self.flow
        if not registers(step.module):
            self.kids[step] = path
            self._inline(step, path)
            if self.module.positional and not self.inlined:
                self.children.append(Child(path[-1], "module", layers_code.call("nn.Identity")))
            return
        self.kids[step] = path
        self.children.append(Child(path[-1], "module", self.builder.constructor(step)))
        self._invoke(step, Kid(path), step.module, flow.exports[step.module])

    def _inline(self, step: Call, path: tuple[str, ...]) -> None:
        """A module with nothing to register: its steps stand in this forward."""
        self._alias(step.module.region.param, step.input)
        self.inlined += 1
        self._region(step.module.region, Numbering(step.module), path)
        self.inlined -= 1
        self._alias(step.output, step.module.region.result)

    def _invoke(self, step: Call, child: Any, made: Module, exports: list[Value]) -> None:
        """Call `child` as the step; `made` is its module, which is not the step's own where that is shared."""
        arriving: Any = self.read(step.input)
        if _lead(step) is not None and self.builder.chain(made) is not None:
            arriving = layers_code.call("torch.flatten", arriving, 1)
        args = [arriving] if takes_arriving(step.module) else []
        args += [self.read(value) for value in self.flow.captures[made]]
        args += [self._target(target) for target in self.flow.borrowed[made]]
        others = exports or [Value(value.type) for value in self.flow.exports[made]]  # what is given and nothing reads
        makes = (self.define(step.output), *map(self.define, others))
        self._line(makes, layers_code.Call(child, tuple(args)), step.output)

    def _target(self, target: Union[Apply, Call]) -> Any:
        """The code of a submodule that stands in this module, deeper down, or outside."""
        if target in self.flow.borrowed[self.module]:
            return Outer(self.flow.borrowed[self.module].index(target))
        return Kid(self.path_of(target))

    def path_of(self, target: Union[Apply, Call]) -> tuple[str, ...]:
        """The path of a submodule below this module."""
        if target in self.kids:
            return self.kids[target]
        inside = list(self.flow.path(target))
        below = inside[inside.index(self.module) + 1 :]
        path: tuple[str, ...] = ()
        for module in (self.module, *below):
            after = below[len(path)] if len(path) < len(below) else None
            path = (*path, _name_in(module, target if after is None else after))
        return path

    def _share(self, step: Share) -> None:
        again = step.again
        if isinstance(again, Call) and not registers(again.module):
            self._inline(again, ())
            return
        target = self._target(step.target) if holds(step.target) else None
        if isinstance(again, Apply):
            torch = again.layer.torch(*again.types)
            self._emit(again, torch.forward, target)
            return
        assert isinstance(step.target, Call)
        module = step.target.module
        self._invoke(again, target, module, [])


_LIMITS = {"torch.maximum": "min", "torch.minimum": "max"}


def _simpler(code: Any) -> Any:
    """The code as a person would write it: a limit that is a number, no axis that comes and goes at once."""

    def rule(part: Any) -> Any:
        inner: Any = part.value if isinstance(part, layers_code.Item) else None
        if inner is not None and part.index == 0 and _stands_alone(inner):
            return _simpler(inner.value)
        if isinstance(part, layers_code.Batch) and _stands_alone(part.value):
            return 1
        if isinstance(part, layers_code.Call) and part.name in _LIMITS:
            numbers = [arg for arg in part.args if isinstance(arg, (int, float))]
            others = [_simpler(arg) for arg in part.args if not isinstance(arg, (int, float))]
            if len(numbers) == 1:  # torch's two are of tensors alone
                return layers_code.call("torch.clamp", *others, **{_LIMITS[str(part.name)]: numbers[0]})
        return part

    return change(code, rule)


def _stands_alone(code: Any) -> bool:
    """Whether it is a tensor that got the axis of a batch, of size 1, just here."""
    return isinstance(code, layers_code.Method) and code.name == "unsqueeze" and code.args == (0,)


def _name_in(module: Module, wanted: Union[Apply, Call, Module]) -> str:
    for name, step, _ in children(module):
        if step is wanted or (isinstance(step, Call) and step.module is wanted):
            return name
    raise KeyError(module.title)


def takes_arriving(module: Module) -> bool:
    """Whether anything in the module reads what arrives at it."""
    param = module.region.param

    def region(inner: Region) -> bool:
        return inner.result is param or any(one(step) for step in inner.steps)

    def one(step: Step) -> bool:
        if isinstance(step, Share):
            return one(step.again)
        if isinstance(step, Apply):
            return param in step.inputs
        return step.input is param or (isinstance(step, Repeat) and any(region(run.region) for run in step.runs))

    return region(module.region)


_ENDS = {"torch.maximum": "min", "torch.minimum": "max"}
