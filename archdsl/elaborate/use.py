"""`use`: the blocks and functions of another file, found beside this one and never above the spec's root."""

from __future__ import annotations

import os

from archdsl.elaborate.choices import number_choices
from archdsl.elaborate.mentions import words
from archdsl.elaborate.place import FileScope, Place
from archdsl.elaborate.suggest import unknown
from archdsl.elaborate.values import BlockValue, Fault, Lambda, Limit, Names, Poisoned, Wrong, fault
from archdsl.syntax import tree
from archdsl.syntax.parser import parse
from archdsl.syntax.source import Source

LARGEST = 1 << 20  # bytes of a file
LONGEST_PATH = 1000
MOST_TEXT = 1 << 19  # characters of all files
MOST_FILES = 100
WORK = 200  # values that take as long to work out as to find a file


def import_names(place: Place, node: tree.Use) -> None:
    """Enter the names into this file's; raises E180 to E183. Names that cannot be had are no further faults."""
    for name, _ in node.names:
        place.names.own.setdefault(name, Wrong())
    try:
        scope = _load(place, node)
    except Fault:
        place.run.unread = place.run.unread or not node.names
        raise
    names = scope.names
    known = {k: v for k, v in names.own.items() if isinstance(v, (BlockValue, Lambda)) and v.names is names}
    for name, span in node.names or tuple((name, node.path_span) for name in known):
        if name not in known:
            if scope.file is not None and scope.file.broken:  # what does not parse may have defined it
                raise Poisoned
            raise unknown("E182", f"{node.path} has no block or function {name}", name, span, known)
        if not isinstance(place.names.own.get(name, Wrong()), Wrong):
            raise fault("E133", f"{name} is defined already", span)
        place.names.own[name] = known[name]


def _load(place: Place, node: tree.Use) -> FileScope:
    run, here = place.run, node.span.source
    run.work.count(node.path_span, WORK)
    if here.path is None or run.root is None:
        raise fault("E180", "`use` looks beside the spec's file, and this text has none", node.path_span)
    if not node.path or not node.path.isprintable() or len(node.path) > LONGEST_PATH:
        raise fault("E180", "this is no path of a file", node.path_span)
    path = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(here.path)), node.path))
    root = os.path.realpath(run.root)
    if os.path.isabs(node.path) or os.path.commonpath([root, path]) != root:
        raise fault("E181", f"{node.path} lies outside of the spec's folder", node.path_span)
    run.findings.read.add(path)
    for source, scope in run.scopes.items():
        if source.path is not None and os.path.realpath(source.path) == path:
            if scope.loading or source is run.main:
                raise fault("E183", f"{node.path} leads back to itself by `use`", node.path_span)
            return scope
    if len(run.scopes) > MOST_FILES:
        raise fault("E183", f"more than {MOST_FILES} files", node.path_span)
    file = run.parsed.get(path)
    if file is not None:
        return _elaborate(place, file.span.source, node, file)
    source = Source(_read(path, node), os.path.join(os.path.dirname(here.name), node.path), path)
    return _elaborate(place, source, node, None)


def _read(path: str, node: tree.Use) -> str:
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe is waited for without end
        raise fault("E180", f"{node.path} is no ordinary file", node.path_span)
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        message = f"{node.path} cannot be read: {(error.strerror or str(error)).lower()}"
        help = "a file is looked for from where this one is" if isinstance(error, FileNotFoundError) else ""
        raise fault("E180", message, node.path_span, help=help) from None
    if len(data) > LARGEST:
        raise fault("E180", f"{node.path} is larger than {LARGEST >> 20} MiB", node.path_span)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise fault("E180", f"{node.path} is no text in UTF-8 (byte {error.start})", node.path_span) from None


def _elaborate(place: Place, source: Source, node: tree.Use, file: tree.File | None) -> FileScope:
    from archdsl.elaborate.statements import define_names, state  # a file's statements may be `use` again

    run = place.run
    if len(source.text) + sum(len(other.text) for other in run.scopes) > MOST_TEXT:
        raise fault("E183", f"more than {MOST_TEXT:_} characters in all files", node.path_span)
    file = parse(source, run.findings) if file is None else file
    names = Names()
    if file is None:
        run.unread = True
        return FileScope(names)
    scope = FileScope(names, {}, number_choices(file), loading=True, file=file)
    run.scopes[source] = scope
    run.broken.update(word for part in file.broken for word in words(part.text))
    inner = place.inside(names=names)
    define_names(inner, file)
    for statement in file.statements:
        try:
            state(inner, statement)
        except Limit:
            raise
        except Fault as error:
            run.report(error)
        except Poisoned:
            pass
    scope.loading = False
    return scope
