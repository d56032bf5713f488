"""Our NamedTuple and dataclass do what Python's do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import typing
from typing import Any, ClassVar

import pytest

from archdsl import records
from archdsl.layers.convolution import Conv
from archdsl.tensor import TensorType


def named(home: Any) -> Any:
    """The same class by ours and by Python's NamedTuple."""

    class Pair(home.NamedTuple):  # type: ignore[misc]
        """Two items, the second with a default."""

        first: int
        second: tuple[str, ...] = ()

        @property
        def both(self) -> tuple[Any, ...]:
            return (self.first, *self.second)

    return Pair


def classes(home: Any) -> tuple[Any, Any, Any]:
    """The same classes by ours and by Python's dataclass: with a factory, frozen, and frozen below that."""

    @home.dataclass
    class Open:
        known: ClassVar[int] = 1
        name: str
        items: list[int] = home.field(default_factory=list)
        made: str = home.field(init=False)

        def __post_init__(self) -> None:
            self.made = self.name * 2

    @home.dataclass(frozen=True)
    class Base:
        a: int
        b: int = home.field(default=2, metadata={"kind": "b"})

    @home.dataclass(frozen=True, repr=False)
    class Derived(Base):
        c: int = 3

        def __repr__(self) -> str:
            return f"<{self.a}>"

    return Open, Base, Derived


def outcome(function: Any) -> Any:
    """What a call gives, or the type of error."""
    try:
        return function()
    except Exception as error:
        return AttributeError if isinstance(error, AttributeError) else type(error)


@pytest.mark.parametrize(
    "use",
    [
        lambda c: repr(c(1)), lambda c: repr(c(1, ("a",))), lambda c: c(1).second, lambda c: c(1, second=("b",)).both,
        lambda c: c(), lambda c: c(1, (), 2), lambda c: c(1, third=2), lambda c: c(1, first=2),
        lambda c: c(1) == (1, ()), lambda c: hash(c(1)) == hash((1, ())),
        lambda c: repr(c(1)._replace(first=4)),
        lambda c: c(1)._asdict(), lambda c: repr(c._make([1, 2])), lambda c: c._make([1, 2, 3]), lambda c: c._fields,
        lambda c: c._field_defaults, lambda c: c.__match_args__, lambda c: setattr(c(1), "first", 2),
        lambda c: setattr(c(1), "other", 2), lambda c: repr(copy.deepcopy(c(1, ("a",)))), lambda c: c.__doc__,
        lambda c: c(1).__getnewargs__(), lambda c: isinstance(c(1), tuple), lambda c: c.__mro__[-2:], lambda c: type(c),
    ],
)  # fmt: skip
def test_named_tuples(use: Any) -> None:
    """Each use gives the same, or an error of the same type."""
    assert outcome(lambda: use(named(records))) == outcome(lambda: use(named(typing)))


def test_replacing_an_item_that_is_none() -> None:
    """The type of error is that of Python from 3.13 on."""
    with pytest.raises(TypeError):
        named(records)(1)._replace(x=4)


def test_a_subclass_keeps_its_own_making() -> None:
    """Also where it has the first instance."""
    for home in (records, typing):

        class Sorted(named(home)):  # type: ignore[misc]
            def __new__(cls, first: int) -> Any:
                return super().__new__(cls, first, tuple("a" * first))

        assert [Sorted(n).both for n in (2, 3)] == [(2, "a", "a"), (3, "a", "a", "a")]


@pytest.mark.parametrize(
    "use",
    [
        lambda o, b, d: o("a"), lambda o, b, d: o("a", [1]).items, lambda o, b, d: o("a").made, lambda o, b, d: o(),
        lambda o, b, d: o("a").items is o("a").items, lambda o, b, d: o("a") == o("a"), lambda o, b, d: hash(o("a")),
        lambda o, b, d: o("a", [], "made"), lambda o, b, d: b(1), lambda o, b, d: b(1, b=3), lambda o, b, d: b(1, x=3),
        lambda o, b, d: setattr(b(1), "a", 2), lambda o, b, d: delattr(b(1), "a"), lambda o, b, d: d(1, 2, 3) == d(1),
        lambda o, b, d: b(1) == d(1), lambda o, b, d: hash(b(1)) == hash(b(1, 2)), lambda o, b, d: d(1),
        lambda o, b, d: b.b, lambda o, b, d: b.a, lambda o, b, d: o.__match_args__, lambda o, b, d: d.__match_args__,
        lambda o, b, d: d(5, c=1).c, lambda o, b, d: setattr(d(1), "c", 2), lambda o, b, d: copy.copy(b(7)),
    ],
)  # fmt: skip
def test_dataclasses(use: Any) -> None:
    """Each use gives the same, or an error of the same type."""
    ours, pythons = (outcome(lambda home=home: use(*classes(home))) for home in (records, dataclasses))
    assert repr(ours).replace("records", "") == repr(pythons).replace("records", "")


def test_fields_and_replace() -> None:
    """The fields of a class and of an instance, its bases' first; and an instance that differs in some."""
    for home in (records, dataclasses):
        base, derived = classes(home)[1:]
        assert [(f.name, f.default, dict(f.metadata)) for f in home.fields(derived(1))] == [
            ("a", home.MISSING, {}),
            ("b", 2, {"kind": "b"}),
            ("c", 3, {}),
        ]
        assert home.fields(base) == home.fields(derived)[:2]
        changed = home.replace(derived(1, 5), c=4)
        assert (changed.a, changed.b, changed.c, type(changed)) == (1, 5, 4, derived)
        with pytest.raises(TypeError):
            home.replace(derived(1), d=4)


def test_ours_can_be_pickled() -> None:
    """A named tuple and a dataclass of the core."""
    for value in (TensorType((3, 4)), Conv(8, 3)):
        again = pickle.loads(pickle.dumps(value))
        assert type(again) is type(value)
        assert again == value or vars(again) == vars(value)


def test_pythons_own_functions_take_ours() -> None:
    """Whoever has one of ours can ask Python's `dataclasses` of it."""
    open_, _, derived = classes(records)
    ours, theirs = derived(1, 5), classes(dataclasses)[2](1, 5)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs) == {"a": 1, "b": 5, "c": 3}
    assert dataclasses.replace(ours, c=4).c == 4 and dataclasses.is_dataclass(derived)
    assert dataclasses.replace(open_("a", [1]), name="b").made == "bb"
    assert [f.name for f in dataclasses.fields(open_)] == ["name", "items", "made"]


def test_make_is_the_class_called_by_name() -> None:
    """Whether the fields lie in the class, or its own `__post_init__` sets some."""
    open_, base, derived = classes(records)
    assert records.make(base, {"a": 1}) == base(1) and records.make(derived, {"a": 1, "c": 5}) == derived(1, c=5)
    assert records.make(open_, {"name": "a"}).made == "aa"
    assert records.new(TensorType, ((3, 4), "int", True, ())) == TensorType((3, 4), "int")


def test_what_an_instance_has_cached_is_not_passed_on() -> None:
    """`replace` makes an instance of the fields alone."""
    first = Conv(8, 3)
    object.__setattr__(first, "cached", 1)
    second = records.replace(first, stride=2)
    assert (second.filters, second.stride, hasattr(second, "cached")) == (8, 2, False)
