"""When Python looks for garbage."""

from __future__ import annotations

import gc


class Uncollected:
    """Puts the search for garbage off, in a `with`, while much is made that stays: each search goes through all of it.

    What nothing refers to is freed at once all the same. Of several threads the first that ends lets the search go on.
    """

    def __enter__(self) -> None:
        self._searches = gc.isenabled()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self._searches:
            gc.enable()
