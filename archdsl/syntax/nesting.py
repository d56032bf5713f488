"""Steps within steps: the way down through chains, groups, arms and copies, past values, in which no step stands."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.annotations import Any
from archdsl.syntax import tree


def within(node: Any) -> Sequence[Any]:
    """What stands directly in a block, chain, body or step: steps, and the bodies and lines that hold them."""
    if isinstance(node, tree.Chain):
        return node.steps
    if isinstance(node, tree.Body):
        return node.lines
    if isinstance(node, (tree.Labelled, tree.Repeated, tree.Optional_)):
        return (node.step,)
    if isinstance(node, tree.Join):
        return node.arms
    if isinstance(node, (tree.Block, tree.Group, tree.Loop)):
        return (node.body,)
    if isinstance(node, tree.Condition):
        return [branch.body for branch in node.branches]
    return ()
