"""Labels: what may be one, which tensor `@name` stands for, and what `share name` applies again."""

from __future__ import annotations

import keyword
from collections.abc import Collection

from archdsl.diagnostics import Related
from archdsl.elaborate.memory import Memory
from archdsl.elaborate.suggest import near, rename
from archdsl.elaborate.values import Fault, fault
from archdsl.graph import Apply, Call, Value
from archdsl.records import NamedTuple
from archdsl.syntax.source import Span

# What nn.Module defines: a child of such a name would hide it, or torch refuses it.
TAKEN = frozenset(
    "T_destination _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl "
    "_forward_hooks _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks "
    "_forward_pre_hooks_with_kwargs _get_backward_hooks _get_backward_pre_hooks _get_item_by_idx "
    "_get_name _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks "
    "_load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members "
    "_non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook _register_state_dict_hook "
    "_replicate_for_data_parallel _save_to_state_dict _slow_forward _state_dict_hooks "
    "_state_dict_pre_hooks _version _wrapped_call_impl add_module apply bfloat16 buffers call_super_init "
    "children compile cpu cuda double dump_patches eval extra_repr float forward get_buffer "
    "get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers "
    "named_children named_modules named_parameters parameters register_backward_hook register_buffer "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook "
    "register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook "
    "register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook "
    "requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train training type "
    "xpu zero_grad "
    "append extend insert pop".split()  # the last four are nn.Sequential's
)


class Entry(NamedTuple):
    """What a label stands for: its tensor (None: it could not be made), and the submodule, if it names one.

    `left_out`: its step is not there, by a count of 0, a choice or a condition. `memory` is what was remembered
    behind it.
    """

    value: Value | None
    step: Apply | Call | None
    span: Span
    left_out: bool = False
    memory: Memory = Memory()


class Level:
    """A module while it is elaborated: its labels, and the modules inside.

    A block is closed: what stands in it sees no labels around it.
    """

    def __init__(self, outer: Level | None = None, *, closed: bool = False) -> None:
        self.outer = outer
        self.closed = closed
        self.labels: dict[str, Entry] = {}
        self.inside: dict[str, list[Entry]] = {}  # these and those of the modules inside, each as they came
        self.positional = True
        self.numbers = 0  # labels that are numbers, which count the submodules from 0

    def define(self, name: str, entry: Entry) -> None:
        """Enter a label; raises E160 where the module has it already."""
        if name in self.labels:
            first = self.labels[name].span
            if first == entry.span:
                raise fault(
                    "E160",
                    f"the label {name} is in a repetition or a loop, so that two steps of one module are called {name}",
                    entry.span,
                    help="in a loop put a value into the name (name{i}: …), or make a block of what is repeated",
                )
            raise fault(
                "E160",
                f"two steps of one module are called {name}",
                entry.span,
                related=(Related(first, "the first"),),
                help="another name, or a group with a label of its own around one of them",
            )
        if name.isdigit() and not entry.left_out:
            if name != str(self.numbers):
                why = f"numbers count a level's submodules, and {self.numbers} is next"
                raise fault("E163", f"`{name}` cannot be a label here: {why}", entry.span)
            self.numbers += 1
        self.enter(name, entry)

    def enter(self, name: str, entry: Entry) -> None:
        """Let the label stand for this, whether the module has it already or not."""
        self.labels[name] = entry
        self.enter_inside(name, entry)

    def enter_inside(self, name: str, entry: Entry) -> None:
        """Let the label be found inside of this module and of those around it."""
        level: Level | None = self
        while level is not None:
            level.inside.setdefault(name, []).append(entry)
            level = level.outer

    def find(
        self, name: str, span: Span, written: str = "@", others: Collection[str] = (), *, told: bool = False
    ) -> Entry:
        """The nearest module's label, else the only one deeper down; raises E161, E162.

        `written` stands before the name in the text; `others` are names that could have been meant as well. Where
        the fault was told already, what was meant is not looked for again.
        """
        level: Level | None = self
        widest = self
        while level is not None:
            if name in level.labels:
                return level.labels[name]
            widest = level
            level = None if level.closed else level.outer
        found = widest.inside.get(name, [])  # none of its own
        if len(found) == 1:
            return found[0]
        if found:
            places = tuple(Related(at, "one of them") for at in dict.fromkeys(entry.span for entry in found[:4]))
            raise fault("E162", f"several steps deeper down are called {name}", span, related=places)
        if told:
            raise fault("E161", f"nothing before this is called {name}", span)
        raise self._unknown(name, span, widest, written, others)

    def _unknown(self, name: str, span: Span, widest: Level, written: str, others: Collection[str]) -> Fault:
        known = {*widest.inside, *(others if written == "@" else ())}
        meant = near(name, known)
        if not meant and name == "input" and len(others) == 1 and written == "@":
            (meant,) = others
        if not meant:
            help = "a label stands before its step: name: CONV"
            if name in others:
                help = f"{name} is an input, and this takes a step; {help}"
            return fault("E161", f"nothing before this is called {name}", span, help=help)
        text = meant if meant.isidentifier() else f'"{meant}"'
        shown = span.source.text[span.start : span.end]
        plain = "{" not in shown  # a value in the name would be lost
        return fault(
            "E161",
            f"nothing before this is called {name}",
            span,
            help=f"did you mean {written}{meant}?",
            fixes=rename(span, written + text, safe=shown.startswith((written, '"'))) if plain else (),
        )


def check_label(name: str, span: Span) -> None:
    """Raises E163 where the name cannot be a submodule's."""
    why = ""
    if not name:
        why = "a label is not empty"
    elif "." in name:
        why = "a label holds no dot, which separates the levels of a path"
    elif len(name) > 200 or not name.isprintable() or '"' in name or "\\" in name:
        why = "a label is short and printable, without quotes and backslashes"
    elif name.isdigit() and not (name.isascii() and name == str(int(name))):
        why = "a number is written in plain digits, without zeros before it"
    elif name in TAKEN or (name.startswith("__") and name.endswith("__")):
        why = "nn.Module or nn.Sequential has something of this name"
    elif keyword.iskeyword(name):
        why = "this is a word of Python, and so no attribute of a module"
    if why:
        raise fault("E163", f"`{name[:60]}` cannot be a label: {why}", span)
