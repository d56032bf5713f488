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

FRAME = 20_000
"""Words of 8 bytes in the frame that all others are below: of the 256 KiB that it gets 96 are left for them."""


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
        status = _run()
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


def _run() -> int:
    """Run the command line and answer the exit status."""
    from archdsl.cli.plain import plain

    status = plain(sys.argv[1:])
    if status is None:
        from archdsl.cli.commands import run

        status = run()
    return status


# From 3.11 on Python has the frames of its calls in pieces of 16 KiB, and a loop whose calls cross the end of one has
# the next one mapped and unmapped each time: in the middle of numpy's import that was a tenth of a `compile`. A frame
# that fits in no such piece gets a larger one, and the calls below it the rest of that. Of the frame nothing is used.
_run.__code__ = _run.__code__.replace(co_stacksize=FRAME)


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
