"""Where the tensors of a network go: who reads each, what a module takes from around it, what it gives besides."""

from __future__ import annotations

from collections import Counter

from archdsl.annotations import Any, Union
from archdsl.graph import Apply, Call, Module, Network, Region, Repeat, Share, Step, Value, step_input
from archdsl.layers.base import Layer
from archdsl.naming import children


class Flow:
    """The reads of a network's values, and each module's captures and exports.

    `captures`: values made outside that steps inside read, other than what arrives. `exports`: values made inside
    that are read outside, other than the result. `borrowed`: submodules that stand outside and are shared inside.
    """

    def __init__(self, network: Network) -> None:
        self.reads: Counter[Value] = Counter(output.value for output in network.outputs)
        self.captures: dict[Module, list[Value]] = {}
        self.exports: dict[Module, list[Value]] = {}
        self.borrowed: dict[Module, list[Union[Apply, Call]]] = {}
        self._shared: set[Union[Apply, Call, Module]] = set()  # what is applied again, and the modules around it
        self._home: dict[Value, tuple[Module, ...]] = {}
        self._chain: dict[Union[Apply, Call], tuple[Module, ...]] = {}
        self._root = network.module
        for given in network.inputs:
            self._home[given.value] = (network.module,)
        self._define(network.module, ())
        self._use(network.module, (network.module,))
        for output in network.outputs:
            self._reach(output.value, (network.module,))

    def path(self, step: Union[Apply, Call]) -> tuple[Module, ...]:
        """The modules around a step, the outermost first."""
        return self._chain[step]

    def is_shared(self, step: Union[Apply, Call]) -> bool:
        """Whether the step, or one inside, is applied again elsewhere."""
        return step in self._shared or (isinstance(step, Call) and step.module in self._shared)

    def _define(self, module: Module, around: tuple[Module, ...]) -> None:
        here = (*around, module)
        self.captures[module], self.exports[module], self.borrowed[module] = [], [], []
        self._define_region(module.region, here)

    def _define_region(self, region: Region, here: tuple[Module, ...]) -> None:
        self._home.setdefault(region.param, here)
        for step in region.steps:
            self._home[step.output] = here
            if isinstance(step, Repeat):
                for run in step.runs:
                    self._define_region(run.region, here)
                continue
            inner = step.again if isinstance(step, Share) else step
            self._chain[inner] = here
            if isinstance(inner, Call) and not isinstance(step, Share):
                self._define(inner.module, here)

    def _use(self, module: Module, here: tuple[Module, ...]) -> None:
        self._use_region(module.region, here)

    def _use_region(self, region: Region, here: tuple[Module, ...]) -> None:
        self._reach(region.result, here)
        self.reads[region.result] += 1
        for step in region.steps:
            self._use_step(step, here)

    def _use_step(self, step: Step, here: tuple[Module, ...]) -> None:
        for value in step_input(step):
            self.reads[value] += 1
            self._reach(value, here)
        if isinstance(step, Repeat):
            for run in step.runs:
                self._use_region(run.region, here)
        elif isinstance(step, Share):
            self._borrow(step, here)
        elif isinstance(step, Call):
            self._use(step.module, (*here, step.module))

    def _reach(self, value: Value, here: tuple[Module, ...]) -> None:
        """Note that a value is read in `here`: the modules it must leave, and those it must enter."""
        home = self._home.get(value, (self._root,))
        common = sum(1 for a, b in zip(home, here) if a is b)
        for module in home[common:]:
            if value not in self.exports[module]:
                self.exports[module].append(value)
        for module in here[common:]:
            if value is not module.region.param and value not in self.captures[module]:
                self.captures[module].append(value)

    def _borrow(self, step: Share, here: tuple[Module, ...]) -> None:
        home = self._chain[step.target]
        self._shared.update((step.target, *home))
        common = sum(1 for a, b in zip(home, here) if a is b)
        for module in here[common:] if holds(step.target) else ():
            if step.target not in self.borrowed[module]:
                self.borrowed[module].append(step.target)
        if isinstance(step.target, Call):
            for value in self.captures[step.target.module]:
                self._reach(value, here)
            for target in self.borrowed[step.target.module]:
                for module in here[sum(1 for a, b in zip(self._chain[target], here) if a is b) :]:
                    if target not in self.borrowed[module]:
                        self.borrowed[module].append(target)


def holds(step: Union[Apply, Call]) -> bool:
    """Whether the step registers a submodule, or a tensor."""
    if isinstance(step, Call):
        return registers(step.module)
    return step.layer.torch(*step.types).register is not None and scalar(step.layer) is None


def registers(module: Module) -> bool:
    """Whether the module, or one inside, registers anything."""

    def region(inner: Region) -> bool:
        return any(one(step) for step in inner.steps)

    def one(step: Step) -> bool:
        if isinstance(step, (Apply, Call)):
            return holds(step)
        return isinstance(step, Repeat) and any(region(run.region) for run in step.runs)

    return region(module.region)


def tensors_by_number(module: Module) -> bool:
    """Whether the module registers a tensor by number: an nn.Sequential or nn.ModuleList holds modules alone."""
    return any(
        name.isdigit() and isinstance(step, Apply) and holds(step) and step.layer.torch(*step.types).kind != "module"
        for name, step, _ in children(module, unroll=False)
    )


def scalar(layer: Layer) -> Any:
    """The number that a CONST without axes is, None for anything else."""
    values = getattr(layer, "values", None)
    plain = layer.spec == "CONST" and isinstance(values, (int, float)) and not isinstance(values, bool)
    return values if plain else None
