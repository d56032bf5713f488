"""The table of layers: a new layer is one class, and one line here.

The modules are imported when a layer of theirs is first used, so that a start costs what a spec needs.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from archdsl.layers.base import Layer

LAYERS: dict[str, tuple[str, str]] = {
    "CONV": ("convolution", "Conv"),
    "UPCONV": ("convolution", "UpConv"),
    "POOL": ("pooling", "Pool"),
    "MAXPOOL": ("pooling", "Pool"),
    "AVGPOOL": ("pooling", "AvgPool"),
    "LPPOOL": ("pooling", "LPPool"),
    "GAP": ("adaptive", "Gap"),
    "ADAPTIVEAVGPOOL": ("adaptive", "AdaptiveAvgPool"),
    "ADAPTIVEMAXPOOL": ("adaptive", "AdaptiveMaxPool"),
    "BN": ("normalization", "BatchNorm"),
    "LN": ("layernorm", "LayerNorm"),
    "GN": ("layernorm", "GroupNorm"),
    "INSTANCENORM": ("normalization", "InstanceNorm"),
    "LRN": ("layernorm", "LRN"),
    "UPSAMPLE": ("resampling", "Upsample"),
    "PIXELSHUFFLE": ("resampling", "PixelShuffle"),
    "PIXELUNSHUFFLE": ("resampling", "PixelUnshuffle"),
    "PAD": ("shifting", "Pad"),
    "ROLL": ("shifting", "Roll"),
    "FC": ("dense", "FullyConnected"),
    "LINEAR": ("dense", "Linear"),
    "FLATTEN": ("dense", "Flatten"),
    "RESHAPE": ("arrange", "Reshape"),
    "PERMUTE": ("arrange", "Permute"),
    "SELECT": ("arrange", "Select"),
    "SLICE": ("arrange", "Slice"),
    "CHUNK": ("arrange", "Chunk"),
    "ID": ("arrange", "Identity"),
    "REARRANGE": ("rearrange", "Rearrange"),
    "RELU": ("activation", "Relu"),
    "RELU6": ("activation", "Relu6"),
    "LRELU": ("activation", "LeakyRelu"),
    "PRELU": ("activation", "ParametricRelu"),
    "ELU": ("activation", "Elu"),
    "SELU": ("activation", "Selu"),
    "GELU": ("activation", "Gelu"),
    "SILU": ("activation", "Silu"),
    "MISH": ("activation", "Mish"),
    "SIGMOID": ("activation", "Sigmoid"),
    "TANH": ("activation", "Tanh"),
    "HSWISH": ("activation", "HardSwish"),
    "HSIGMOID": ("activation", "HardSigmoid"),
    "SOFTPLUS": ("activation", "Softplus"),
    "SOFTMAX": ("softmax", "Softmax"),
    "LOGSOFTMAX": ("softmax", "LogSoftmax"),
    "DROPOUT": ("dropout", "Dropout"),
    "DROPPATH": ("dropout", "DropPath"),
    "ADD": ("join", "Add"),
    "SUB": ("join", "Sub"),
    "MUL": ("join", "Mul"),
    "DIV": ("join", "Div"),
    "MAX": ("join", "Max"),
    "MIN": ("join", "Min"),
    "CONCAT": ("concat", "Concat"),
    "MATMUL": ("product", "MatMul"),
    "GATHER": ("product", "Gather"),
    "EXP": ("elementwise", "Exp"),
    "LOG": ("elementwise", "Log"),
    "SQRT": ("elementwise", "Sqrt"),
    "ABS": ("elementwise", "Abs"),
    "NEG": ("elementwise", "Neg"),
    "CLAMP": ("elementwise", "Clamp"),
    "MEAN": ("reduce", "Mean"),
    "SUM": ("reduce", "Sum"),
    "NORM": ("reduce", "Norm"),
    "NORMALIZE": ("reduce", "Normalize"),
    "PARAM": ("learned", "Param"),
    "CONST": ("learned", "Const"),
    "EMBEDDING": ("embedding", "Embedding"),
    "RNN": ("recurrent", "Rnn"),
    "LSTM": ("recurrent", "Lstm"),
    "GRU": ("recurrent", "Gru"),
    "MHA": ("attention", "MultiHeadAttention"),
    "ATTENTION": ("attention", "Attention"),
}
"""The name in specs, the module in `archdsl.layers`, the class."""


@cache
def layer_class(name: str) -> type[Layer]:
    """The class of the layer that specs call `name`, a key of LAYERS."""
    module, cls = LAYERS[name]
    found: type[Layer] = getattr(import_module(f"archdsl.layers.{module}"), cls)
    return found
