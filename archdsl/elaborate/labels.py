"""Labels: what may be one, which tensor `@name` stands for, and what `share name` applies again."""

from __future__ import annotations

import keyword
from typing import NamedTuple, Optional, Union

from archdsl.elaborate.suggest import near
from archdsl.elaborate.values import Fault, fault
from archdsl.graph import Apply, Call, Value
from archdsl.syntax.source import Span

# What nn.Module defines: a child of such a name would hide it, or torch refuses it.
_TAKEN = frozenset(
    "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval "
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia "
    "named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter "
    "register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory "
    "state_dict to to_empty train training type xpu zero_grad".split()
)


class Entry(NamedTuple):
    """What a label stands for: its tensor (None: it could not be made), and the submodule, if it names one."""

    value: Optional[Value]
    step: Optional[Union[Apply, Call]]
    span: Span


class Level:
    """A module while it is elaborated: its labels, and the modules inside.

    A block is closed: what stands in it sees no labels around it.
    """

    def __init__(self, outer: Optional[Level] = None, *, closed: bool = False) -> None:
        self.outer = outer
        self.closed = closed
        self.labels: dict[str, Entry] = {}
        self.inner: list[Level] = []
        self.positional = True
        if outer is not None:
            outer.inner.append(self)

    def define(self, name: str, entry: Entry) -> None:
        """Enter a label; raises E160 where the module has it already."""
        if name in self.labels:
            first = self.labels[name].span
            where = "in another copy or pass of the same text" if first == entry.span else f"at {first.place}"
            raise fault(
                "E160",
                f"two steps of one module are called {name}",
                entry.span,
                notes=(f"the first is {where}",),
                help='put a value into the name (name{i}: …) or give the group around a label of its own',
            )
        self.labels[name] = entry

    def find(self, name: str, span: Span) -> Entry:
        """The nearest module's label, else the only one deeper down; raises E161, E162."""
        level: Optional[Level] = self
        widest = self
        while level is not None:
            if name in level.labels:
                return level.labels[name]
            widest = level
            level = None if level.closed else level.outer
        found = list(widest._deeper(name))
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(dict.fromkeys(entry.span.place for entry in found[:4]))
            raise fault("E162", f"{len(found)} steps deeper down are called {name}", span, notes=(f"they stand at {places}",))
        raise self._unknown(name, span, widest)

    def _deeper(self, name: str) -> list[Entry]:
        result = []
        waiting = list(self.inner)
        while waiting:
            level = waiting.pop(0)
            if name in level.labels:
                result.append(level.labels[name])
            waiting += level.inner
        return result

    def _unknown(self, name: str, span: Span, widest: Level) -> Fault:
        known: set[str] = set()
        waiting = [widest]
        while waiting:
            level = waiting.pop()
            known |= level.labels.keys()
            waiting += level.inner
        meant = near(name, known)
        return fault(
            "E161",
            f"nothing before this is called {name}",
            span,
            help=f"did you mean @{meant}?" if meant else "a label stands before its step: name: CONV",
        )


def check_label(name: str, span: Span) -> None:
    """Raises E163 where the name cannot be a submodule's."""
    why = ""
    if not name:
        why = "a label is not empty"
    elif "." in name:
        why = "a label holds no dot, which separates the levels of a path"
    elif not all(c.isprintable() for c in name) or len(name) > 200 or '"' in name or "\\" in name:
        why = "a label is short and printable, without quotes and backslashes"
    elif name.isdigit():
        why = "a label is no number, which is a position"
    elif name in _TAKEN or (name.startswith("__") and name.endswith("__")):
        why = "nn.Module has something of this name"
    elif keyword.iskeyword(name):
        why = "this is a word of Python, and so no attribute of a module"
    if why:
        raise fault("E163", f"`{name[:60]}` cannot be a label: {why}", span)
