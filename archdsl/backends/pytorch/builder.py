"""What constructs each module: a Sequential where a chain says all, else an instance of a class."""

from __future__ import annotations

from archdsl.annotations import Any, Union
from archdsl.backends.pytorch.body import Body, Reference, counted
from archdsl.backends.pytorch.code import Chain, Item, Star
from archdsl.backends.pytorch.flatten import PLAIN, commutes, flattens, lead
from archdsl.backends.pytorch.flow import Flow, registers
from archdsl.backends.pytorch.steps import Steps
from archdsl.graph import Apply, Call, Module, Region, Repeat, Share, Step, Value
from archdsl.layers import code as layers_code
from archdsl.naming import Numbering
from archdsl.tensor import show_shape

# Layers whose gradient does not read their own output, so that an activation behind may overwrite it.
_OVERWRITABLE = frozenset("CONV UPCONV BN GN LN FC LINEAR ADD SUB".split())


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
            return self.constructor(step) if simple and lead(step) is None else None
        torch = step.layer.torch(*step.types)
        if torch.kind == "module" and torch.register is not None:
            if torch.forward == PLAIN or (first and flattens(torch.forward)):
                self.help(torch)
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

    def help(self, torch: layers_code.Torch) -> None:
        if torch.helper and torch.register is not None and isinstance(torch.register.name, str):
            self.helpers[torch.register.name] = torch.helper

    # ---- modules as classes

    def body(self, module: Module, inputs: tuple[Value, ...], results: tuple[Value, ...], training: set[Value]) -> Body:
        """The class of a module; `inputs` are what forward is given, `results` what it gives."""
        return Steps(self, module, training).build(inputs, results)


def _inner(step: Step) -> list[Region]:
    if isinstance(step, Call):
        return [step.module.region]
    return [run.region for run in step.runs] if isinstance(step, Repeat) else []
