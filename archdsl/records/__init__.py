"""`NamedTuple` and `dataclass` as Python's own are, for modules that every start of `archdsl` loads.

Python's compile several methods for each class as it is defined, and `typing` each annotation besides: for a hundred
classes that takes as long as to check a network. Here all classes share their methods, and what makes an instance is
compiled for the first one, if there is one. Left out is what nothing uses: `slots`, `order`, `kw_only`, `InitVar`.

To a type checker they are Python's own. They work where annotations are text, as `from __future__ import annotations`
has it. `make` and `new` are ours alone. Modules that import torch use Python's own, whose time does not show there.
"""

from __future__ import annotations

from archdsl.annotations import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import MISSING as MISSING
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import fields as fields
    from dataclasses import replace as replace
    from typing import NamedTuple as NamedTuple

    from archdsl.records.classes import make as make
    from archdsl.records.tuples import new as new
else:
    from archdsl.records.classes import MISSING, dataclass, field, fields, make, replace
    from archdsl.records.tuples import NamedTuple, new

__all__ = ["MISSING", "NamedTuple", "dataclass", "field", "fields", "make", "new", "replace"]
