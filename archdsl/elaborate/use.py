"""`use`: the blocks and functions of another file, found beside this one and never above the spec's root."""

from __future__ import annotations

import os

from archdsl.elaborate.choices import number_choices
from archdsl.elaborate.place import FileScope, Place
from archdsl.elaborate.suggest import unknown_name
from archdsl.elaborate.values import BlockValue, Fault, Lambda, Names, Poisoned, fault
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.syntax.source import Source

LARGEST = 1 << 20  # bytes of a file
MOST_FILES = 100


def import_names(place: Place, node: tree.Use) -> None:
    """Enter the names into this file's; raises E180 to E183."""
    names = _load(place, node)
    known = {k: v for k, v in names.own.items() if isinstance(v, (BlockValue, Lambda)) and v.names is names}
    for name, span in node.names or tuple((name, node.path_span) for name in known):
        if name not in known:
            raise unknown_name(tree.Name(span, name), known, (), f"{node.path} has no block or function {name}", "E182")
        if name in place.names.own:
            raise fault("E133", f"{name} is defined already", span)
        place.names.own[name] = known[name]


def _load(place: Place, node: tree.Use) -> Names:
    run, here = place.run, node.span.source
    if here.path is None or run.root is None:
        raise fault("E180", "`use` looks beside the spec's file, and this text has none", node.path_span)
    path = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(here.path)), node.path))
    root = os.path.realpath(run.root)
    if os.path.isabs(node.path) or os.path.commonpath([root, path]) != root:
        raise fault("E181", f"{node.path} lies outside of the spec's folder", node.path_span)
    for source, scope in run.scopes.items():
        if source.path is not None and os.path.realpath(source.path) == path:
            if scope.loading or source is run.main:
                raise fault("E183", f"{node.path} leads back to itself by `use`", node.path_span)
            return scope.names
    if len(run.scopes) > MOST_FILES:
        raise fault("E183", f"more than {MOST_FILES} files", node.path_span)
    source = Source(_read(path, node), os.path.join(os.path.dirname(here.name), node.path), path)
    return _elaborate(place, source)


def _read(path: str, node: tree.Use) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise fault("E180", f"{node.path} cannot be read: {(error.strerror or str(error)).lower()}", node.path_span) from None
    if len(data) > LARGEST:
        raise fault("E180", f"{node.path} is larger than {LARGEST >> 20} MiB", node.path_span)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise fault("E180", f"{node.path} is no text in UTF-8 (byte {error.start})", node.path_span) from None


def _elaborate(place: Place, source: Source) -> Names:
    from archdsl.elaborate.file import define_names, state  # a file's statements may be `use` again

    run = place.run
    file = parse(source, run.findings)
    names = Names()
    if file is None:
        return names
    scope = FileScope(names, [], number_choices(file), loading=True)
    run.scopes[source] = scope
    inner = place.inside(names=names)
    define_names(inner, file)
    for statement in file.statements:
        try:
            state(inner, statement)
        except Fault as error:
            run.report(error)
        except Poisoned:
            pass
    scope.loading = False
    return names
