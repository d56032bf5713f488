"""All analyses under one roof, for those who show them all: `from archdsl.analyses import all as analyses`."""

from archdsl.analyses.alignment import Misaligned, misaligned
from archdsl.analyses.blocks import by_block
from archdsl.analyses.depth import depth
from archdsl.analyses.macs import elementwise, flops, macs
from archdsl.analyses.memory import Memory, memory
from archdsl.analyses.parameters import Entry, Totals, parameters, state_shapes, totals
from archdsl.analyses.receptive_field import Field, fields, receptive_field, receptive_fields
from archdsl.analyses.traffic import intensity, traffic

__all__ = [
    "Entry",
    "Field",
    "Memory",
    "Misaligned",
    "Totals",
    "by_block",
    "depth",
    "elementwise",
    "fields",
    "flops",
    "intensity",
    "macs",
    "memory",
    "misaligned",
    "parameters",
    "receptive_field",
    "receptive_fields",
    "state_shapes",
    "totals",
    "traffic",
]
