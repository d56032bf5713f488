"""Emitted source as a live module: executed, visible to tracebacks, and picklable."""

from __future__ import annotations

import copyreg
import linecache
import sys
from types import ModuleType

from archdsl.annotations import Any

_SOURCES: dict[str, str] = {}
"""The text of each live module by its name."""


def instance(source: str, name: str) -> Any:
    """An instance of the class `name` that the source of a module defines."""
    return getattr(module_of(source), name)()


def module_of(source: str) -> ModuleType:
    """The source as a module of its own, made once for each text."""
    from hashlib import sha256

    name = f"archdsl_live_{sha256(source.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    file = f"<{name}>"
    module = ModuleType(name)
    module.__file__ = file
    code = compile(source, file, "exec")
    # No time of change: linecache keeps what has none, though there is no such file on disk.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    _SOURCES[name] = source
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == name:
            copyreg.pickle(value, _reduce_tuple if issubclass(value, tuple) else _reduce)
    return module


def _reduce(value: Any) -> tuple[Any, ...]:
    """Pickle by source, so that another process, which has no such module, makes it anew."""
    kind = type(value)
    return _empty, (_SOURCES[kind.__module__], kind.__qualname__), value.__dict__


def _reduce_tuple(value: Any) -> tuple[Any, ...]:
    """The same for what a module gives."""
    kind = type(value)
    return _tuple, (_SOURCES[kind.__module__], kind.__qualname__, *value)


def _tuple(source: str, name: str, *values: Any) -> Any:
    return getattr(module_of(source), name)(*values)


def _empty(source: str, name: str) -> Any:
    kind = getattr(module_of(source), name)
    return kind.__new__(kind)
