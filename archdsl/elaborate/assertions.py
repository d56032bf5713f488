"""`assert`: measures of the whole network, by name, beside the file's own names."""

from __future__ import annotations

from archdsl.analyses.macs import flops, macs
from archdsl.analyses.parameters import parameters
from archdsl.annotations import Any
from archdsl.diagnostics import Diagnostic
from archdsl.elaborate.evaluate import Evaluator
from archdsl.elaborate.operations import plain, truth
from archdsl.elaborate.place import Claim, Place
from archdsl.elaborate.values import Fault, Tensor, Wrong, describe
from archdsl.graph import Network
from archdsl.records import NamedTuple
from archdsl.syntax import tree

MEASURES = frozenset(("params", "parameters", "macs", "flops", "depth", "memory", "receptive_field", "output"))


def hold(claim: Claim, network: Network) -> None:
    """Hold one assertion against the network; raises E301 with both sides' values where it fails."""
    asked = evaluator(claim.place, network)
    if truth(plain_truth(asked.value(claim.node.value)), claim.node.value.span):
        return
    sides = _sides(asked, claim.node.value, claim.place.run.failed)
    raise Fault(
        Diagnostic("E301", f"the assertion fails: {sides}" if sides else "the assertion fails", claim.node.value.span)
    )


def evaluator(place: Place, network: Network) -> Evaluator:
    """What evaluates an assertion where it stands; sizes that it reads may stay open."""
    return Evaluator(place.names, _Measured(place, network), place.run.work, MEASURES)


class _Measured(NamedTuple):
    """What lies around an assertion: the file's labels, and the network's measures by name."""

    place: Place
    network: Network

    @property
    def arriving(self) -> None:
        """No tensor."""

    def lookup(self, node: tree.Reference) -> Tensor:
        """The tensor of a label."""
        return self.place.lookup(node)

    def missing(self, name: str) -> Any:
        """An open size at the point that is tried, a name from outside, or a measure; raises KeyError."""
        run = self.place.run
        if name in run.symbols:
            return run.symbols[name]
        try:
            return run.missing(name)
        except KeyError:
            return measure(self.network, name)


def plain_truth(value: Any) -> Any:
    """The value itself; a constant at fault has been told already and counts as held."""
    return True if isinstance(value, Wrong) else value


def _sides(evaluator: Evaluator, node: tree.Value, failed: list[tuple[Any, Any]]) -> str:
    """The values on both sides of what fails, as "params is 12, not < 10"; they are added to `failed` as well."""
    if isinstance(node, tree.Binary) and node.operator in ("and", "or"):
        parts = [p for p in (node.left, node.right) if not evaluator.value(p)]
        return " and ".join(filter(None, (_sides(evaluator, part, failed) for part in parts)))
    if not isinstance(node, tree.Comparison):
        return ""
    told = []
    for operator, left, right in zip(node.operators, node.operands, node.operands[1:]):
        part = tree.Comparison(node.span, (left, right), (operator,))
        if not evaluator.value(part):
            found, wanted = evaluator.value(left), evaluator.value(right)
            failed.append((plain(found), plain(wanted)))
            relation = "not" if operator == "==" else f"not {operator}"
            told.append(f"{left.span.text} is {describe(found)}, {relation} {describe(wanted)}")
    return "; ".join(told)


def measure(network: Network, name: str) -> Any:
    """A measure of the network by name; raises KeyError."""
    if name in ("params", "parameters"):
        return parameters(network)
    if name == "macs":
        return macs(network)
    if name == "flops":
        return flops(network)
    if name == "output":
        return Tensor(network.outputs[0].value)
    from archdsl.analyses import all as analyses  # most specs assert none of these

    if name == "depth":
        return analyses.depth(network)
    if name == "memory":
        return analyses.memory(network).peak
    if name == "receptive_field":
        field = analyses.receptive_field(network)
        sizes = field.size if field is not None else ()
        return sizes[0] if len(set(sizes)) == 1 else sizes
    raise KeyError(name)
