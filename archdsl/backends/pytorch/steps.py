"""The steps of a module, one after the other: the children that they register and the lines of its forward."""

from __future__ import annotations

from archdsl.annotations import TYPE_CHECKING, Any, Union
from archdsl.backends.pytorch.body import Body, Child, Line, counted
from archdsl.backends.pytorch.code import Attribute, Kid, Outer, Val, change
from archdsl.backends.pytorch.flatten import PLAIN, flattens, lead
from archdsl.backends.pytorch.flow import holds, registers, scalar, tensors_by_number
from archdsl.backends.pytorch.simplify import simpler
from archdsl.backends.pytorch.trim import trim
from archdsl.graph import Apply, Call, Module, Region, Repeat, Share, Step, Value
from archdsl.layers import code as layers_code
from archdsl.naming import Numbering, children
from archdsl.tensor import show_shape

if TYPE_CHECKING:  # the builder makes these
    from archdsl.backends.pytorch.builder import Builder


class Steps:
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
        self.holders: dict[str, Union[Apply, Call]] = {}  # whose child is whose
        self.indexed = not tensors_by_number(module)  # whether a child's number is its index
        self.positional = module.positional and self.indexed
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
        positional = self.indexed and (self.positional or counted([child.name for child in self.children]))
        body = Body(positional, tuple(self.children), tuple(self.lines), takes, len(outer), gives, hints)
        return trim(body, self.holders, self.flow, self.indexed)

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
        if step.layer.spec == "ID" and not step.label and not self.positional:
            self._alias(step.output, step.inputs[0])
            return
        self.builder.help(torch)
        self.kids[step] = path
        if torch.register is not None:
            kind = torch.kind
            if kind == "buffer" and any(w.persistent for w in step.layer.buffers(*step.types).values()):
                kind = "saved"
            comment = show_shape(step.output.type.shape) if self.positional else ""
            self.children.append(Child(path[-1], kind, self.builder.module_code(step, torch), comment))
            self.holders[path[-1]] = step
        elif self.positional and not self.inlined:  # a place in the Sequential: those behind keep theirs
            self.children.append(Child(path[-1], "module", layers_code.call("nn.Identity")))
        self._emit(step, torch.forward, Kid(self._reached(path)))

    def _emit(self, step: Apply, forward: Any, child: Any) -> None:
        inputs = [self.read(value) for value in step.inputs]

        def rule(code: Any) -> Any:
            if isinstance(code, layers_code.X):
                return inputs[code.index]
            return child if isinstance(code, layers_code.Itself) else code

        if self.positional and len(inputs) == 1 and flattens(forward):  # a line of its own between the layers
            self._line(
                (self.define(step.output),),
                layers_code.call("torch.flatten", inputs[0], 1),
                step.inputs[0],
                str(step.types[0].size),
            )
            inputs, forward = [Val(self.numbers[step.output])], PLAIN
        code = simpler(change(forward, rule))
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
            if self.positional and not self.inlined:
                self.children.append(Child(path[-1], "module", layers_code.call("nn.Identity")))
            return
        self.kids[step] = path
        self.children.append(Child(path[-1], "module", self.builder.constructor(step)))
        self.holders[path[-1]] = step
        self._invoke(step, Kid(self._reached(path)), step.module, flow.exports[step.module])

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
        if lead(step) is not None and self.builder.chain(made) is not None:
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
            return self._reached(self.kids[target])
        inside = list(self.flow.path(target))
        below = inside[inside.index(self.module) + 1 :]
        path: tuple[str, ...] = ()
        for module in (self.module, *below):
            after = below[len(path)] if len(path) < len(below) else None
            path = (*path, _name_in(module, target if after is None else after))
        return path

    def _reached(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path of a child as forward reaches it."""
        return path if self.indexed else (Attribute(path[0]), *path[1:])

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


def _name_in(module: Module, wanted: Union[Apply, Call, Module]) -> str:
    for name, step, _ in children(module):
        if step is wanted or (isinstance(step, Call) and step.module is wanted):
            return Attribute(name) if tensors_by_number(module) else name
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
