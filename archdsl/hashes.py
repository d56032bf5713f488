"""Hash functions from Python's own modules: `hashlib` loads OpenSSL, which takes as long as ten million random numbers.

They are private, and Python's `random` takes them from there too; where one is missing `hashlib` has the same.
"""

from archdsl.annotations import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import blake2b as blake2b
    from hashlib import sha256 as sha256
else:
    try:
        from _blake2 import blake2b as blake2b
    except ImportError:
        from hashlib import blake2b as blake2b
    try:
        from _sha2 import sha256 as sha256  # from Python 3.12 on
    except ImportError:
        try:
            from _sha256 import sha256 as sha256
        except ImportError:
            from hashlib import sha256 as sha256
