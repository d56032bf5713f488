"""`NamedTuple`: a class of tuples whose items have names."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable

from archdsl.annotations import Any

new = tuple.__new__
"""`new(Pair, (1, 2))` is `Pair(1, 2)` in half the time, for those that are many; nothing is checked."""

MOST = 24
"""The most items of a tuple."""

_NAMES = [f"at_{n}" for n in range(MOST)]
_WIDEST: Any = namedtuple("_WIDEST", _NAMES)  # type: ignore[misc]  # its names do not matter
_ITEMS = [vars(_WIDEST)[name] for name in _NAMES]  # what reads item 0, item 1, … of any tuple


class Items(tuple[Any, ...]):
    """What all named tuples can do."""

    __slots__ = ()
    _fields: tuple[str, ...]

    @classmethod
    def _make(cls, items: Iterable[Any]) -> Any:
        return cls(*items)

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self))

    def _replace(self, /, **changes: Any) -> Any:
        made = tuple.__new__(type(self), map(changes.pop, self._fields, self))
        if changes:
            raise TypeError(f"{type(self).__name__} has no {', '.join(changes)}")
        return made

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={item!r}' for name, item in zip(self._fields, self))})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


def _first(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """The `__new__` of a class that has no instance yet: makes the lasting one, and the instance by that."""
    names = ", ".join(cls._fields)
    new = eval(f"lambda cls, {names}: make(cls, ({names},))" if names else "make", {"make": tuple.__new__})
    if names:
        new.__defaults__ = tuple(cls._field_defaults.values())
    owner = next(base for base in cls.__mro__ if "_fields" in vars(base))  # cls may be a subclass
    owner.__new__ = staticmethod(new)
    return new(cls, *args, **kwargs)


class _Meta(type):
    """Turns a class that says `(NamedTuple)` into a subclass of Items, of no metaclass."""

    def __new__(meta, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> Any:
        names = tuple(space.get("__annotations__", ()))
        if len(names) > MOST:
            raise TypeError(f"{name} has {len(names)} items, and {MOST} is the limit of records/tuples.py")
        space["_field_defaults"] = {name: space[name] for name in names if name in space}
        space |= {"__slots__": (), "_fields": names, "__match_args__": names, "__new__": _first}
        space |= zip(names, _ITEMS)
        return type(name, (Items,), space)


NamedTuple: Any = type.__new__(_Meta, "NamedTuple", (), {})
