"""What onnxruntime gets wrong in files that are right, and how they are written so that it does not."""

from __future__ import annotations

from archdsl.backends.onnx.recorder import GraphRecorder, Node

POOLS = ("MaxPool", "AveragePool", "LpPool")


def guard(recorder: GraphRecorder, nodes: list[Node]) -> None:
    """Put a Max of one input, which changes nothing, between each Pad and the pooling that reads it.

    onnxruntime (1.31, and older) merges the two: zeros then count as the -inf of MaxPool's own padding, so that
    negative maps come out wrong, and padding as wide as the window is refused.
    """
    pads = {name for node in nodes if node.operator == "Pad" for name in node.outputs}
    if not pads:
        return
    guarded: list[Node] = []
    for node in nodes:
        if node.operator in POOLS and node.inputs[0] in pads:
            name = recorder.reserve(f"{node.scope}/Max" if node.scope else "Max")
            guarded.append(Node("Max", name, [node.inputs[0]], [name], {}, node.scope))
            node.inputs = [name, *node.inputs[1:]]
        guarded.append(node)
    nodes[:] = guarded
