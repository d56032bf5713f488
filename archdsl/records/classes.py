"""`dataclass`: a class whose annotations are its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from archdsl.annotations import Any


class _Missing:
    """No value is given."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
_bare, _put = object.__new__, object.__setattr__


class Field:
    """A field: its name, its default value or what makes it, and what its class knows of it."""

    __slots__ = ("default", "default_factory", "init", "metadata", "name")

    def __init__(self, default: Any, default_factory: Any, init: bool, metadata: Mapping[str, Any]) -> None:
        self.name = ""
        self.default, self.default_factory = default, default_factory
        self.init = init  # whether a value can be given when an instance is made
        self.metadata = metadata


def field(
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    init: bool = True,
    metadata: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """What stands for a field's default in the class."""
    return Field(default, default_factory, init, metadata)


def fields(of: Any) -> tuple[Field, ...]:
    """The fields of a dataclass or of an instance, those of its bases first."""
    return tuple(of.__record_fields__.values())


def replace(instance: Any, **changes: Any) -> Any:
    """An instance of the same class with other values in these fields."""
    cls = type(instance)
    known = cls.__record_fields__
    if cls.__record_plain__ and changes.keys() <= known.keys():
        own = {name: value for name, value in vars(instance).items() if name in known}  # and nothing that was cached
        return make(cls, own | changes)
    given = {f.name: getattr(instance, f.name) for f in fields(instance) if f.init}
    return cls(**given | changes)


def make(cls: Any, values: Mapping[str, Any]) -> Any:
    """What `cls(**values)` gives, in less time the fewer there are; no required one may lack."""
    if not cls.__record_plain__:
        return cls(**values)
    made = _bare(cls)
    for name in values:
        _put(made, name, values[name])
    return made


def dataclass(cls: Any = None, *, frozen: bool = False, eq: bool = True, repr: bool = True) -> Any:
    """Give a class what its fields ask for: `__init__`, and what is not turned off or written in the class."""
    if cls is None:
        return lambda cls: dataclass(cls, frozen=frozen, eq=eq, repr=repr)
    cls.__record_fields__ = known = _fields(cls)
    # Whether an instance is its fields and nothing else, those that it lacks being found in the class.
    plain = not hasattr(cls, "__post_init__") and "__init__" not in vars(cls)
    cls.__record_plain__ = plain and all(one.init and one.default_factory is MISSING for one in known.values())

    def first(self: Any, *args: Any, **kwargs: Any) -> None:
        cls.__init__ = _init(known, frozen, hasattr(cls, "__post_init__"))
        cls.__init__(self, *args, **kwargs)

    given = tuple(name for name, one in known.items() if one.init)
    methods: dict[str, Any] = {"__init__": first, "__match_args__": given, "__dataclass_fields__": _AsPython()}
    if repr:
        methods["__repr__"] = _repr
    if eq:
        methods |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
    for name, method in methods.items():
        if name not in vars(cls):
            setattr(cls, name, method)
    return cls


class _AsPython:
    """The fields as Python's own `dataclasses` has them, for those who ask it: `fields`, `asdict`, `replace`."""

    def __get__(self, instance: object, owner: Any) -> Any:
        import dataclasses  # only now, since it is slow to import

        def python(one: Field) -> Any:
            given = {"default": one.default, "default_factory": one.default_factory}
            kept = {key: value for key, value in given.items() if value is not MISSING}
            return dataclasses.field(init=one.init, metadata=one.metadata, **kept)

        made = [(name, object, python(one)) for name, one in owner.__record_fields__.items()]
        shown: Any = dataclasses.make_dataclass(owner.__name__, made, kw_only=True)
        return shown.__dataclass_fields__


def _fields(cls: type) -> dict[str, Field]:
    """The fields by their names; what stands in the class for a field becomes its default alone."""
    known: dict[str, Field] = {}
    for base in cls.__mro__[:0:-1]:
        known |= vars(base).get("__record_fields__", {})
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if annotation.startswith("ClassVar"):
            continue
        given = vars(cls).get(name, MISSING)
        known[name] = one = given if isinstance(given, Field) else Field(given, MISSING, True, {})
        one.name = name
        if one.default is not MISSING:
            setattr(cls, name, one.default)
        elif given is one:
            delattr(cls, name)
    return known


def _init(known: Mapping[str, Field], frozen: bool, after: bool) -> Callable[..., None]:
    """The lasting `__init__` of a class with these fields; `after`: it has a `__post_init__`."""
    lines = []
    for name, one in known.items():
        value = name
        if one.default_factory is not MISSING:
            made = f"fields[{name!r}].default_factory()"
            value = f"{made} if {name} is MISSING else {name}" if one.init else made
        elif not one.init:
            continue  # the class has its default, or __post_init__ sets it
        lines.append(f"put(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    lines += ["self.__post_init__()"] if after else []
    names = [name for name, one in known.items() if one.init]
    space: dict[str, Any] = {"fields": known, "MISSING": MISSING, "put": _put}
    exec(f"def __init__({', '.join(['self', *names])}):\n " + "\n ".join(lines or ["pass"]), space)
    init: Callable[..., None] = space["__init__"]
    given = [known[name] for name in names]
    init.__defaults__ = tuple(f.default for f in given if f.default is not MISSING or f.default_factory is not MISSING)
    return init


def _values(instance: Any) -> tuple[Any, ...]:
    return tuple(getattr(instance, name) for name in instance.__record_fields__)


def _repr(self: Any) -> str:
    values = (f"{name}={getattr(self, name)!r}" for name in self.__record_fields__)
    return f"{type(self).__qualname__}({', '.join(values)})"


def _eq(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be changed")
