"""Names of Python's `typing` for annotations, in modules that every start of `archdsl` loads.

To import `typing` takes a third of the time in which a network is checked, and where annotations are text nothing looks
at its names while the program runs: they are empty then. To a type checker they are Python's own.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import IO as IO
    from typing import Any as Any
    from typing import BinaryIO as BinaryIO
    from typing import ClassVar as ClassVar
    from typing import NoReturn as NoReturn
    from typing import Optional as Optional
    from typing import Protocol as Protocol
    from typing import TextIO as TextIO
    from typing import Union as Union
    from typing import cast as cast
else:

    class Any:
        """Stands for a type; `Any[int, str]` is the same."""

        def __class_getitem__(cls, of):
            return cls

    IO = BinaryIO = ClassVar = NoReturn = Optional = TextIO = Union = Any
    Protocol = object

    def cast(type, value):
        """The value."""
        return value
