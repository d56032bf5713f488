"""The command line. `main` is the process: it turns what may befall one into a message and an exit status.

Exit status: 0 fine, 1 a spec is wrong, 2 the call is wrong or a file cannot be read or written; 130, 141 and
143, as shells have them, after Ctrl-C, when the reader of the output has gone, and when told to end.
"""

from __future__ import annotations

import gc
import os
import sys

from archdsl.annotations import NoReturn

WRONG_SPEC = 1
WRONG_CALL = 2
GARBAGE = 300_000
"""Objects between two looks for garbage: little is made, and a look amid the import of numpy is a tenth of its time."""


class Failure(Exception):
    """A call that cannot be carried out: one line on standard error, exit status 2."""


def main() -> NoReturn:
    """Run the command line of this process and leave it."""
    try:
        import signal

        signal.signal(signal.SIGTERM, _terminate)
        gc.set_threshold(GARBAGE)
        if sys.argv[1:2] == ["compile"]:
            # Of numpy `compile` needs no algebra, and the threads for it would spin for a while when they are started.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from archdsl.cli.plain import plain

        status = plain(sys.argv[1:])
        if status is None:
            from archdsl.cli.commands import run

            status = run()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except KeyboardInterrupt:
        status = _last_word("interrupted", 130)
    except BrokenPipeError:
        status = 141
    except OSError as error:  # everything else that can fail was named where it failed
        status = _last_word(f"cannot write to standard output: {error.strerror}", WRONG_CALL)
    except MemoryError:
        status = _last_word("out of memory", WRONG_CALL)
    # Everything is flushed: to take numpy and all else down in order would be a tenth of the time of a `compile`. And
    # what is still buffered for a stream that fails would make Python complain once more when it ends.
    os._exit(status)


def tolerate() -> None:
    """Let what a terminal has no character for be written as an escape: it is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _terminate(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)


def _last_word(message: str, status: int) -> int:
    try:
        if sys.stderr is not None:
            print(f"archdsl: {message}", file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody is left to tell
    return status
