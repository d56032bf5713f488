"""The processes of `--nproc`: torchrun's own agent, started here, with this command line for each of them."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Sequence


def inside() -> bool:
    """Whether this is one of several processes already, started by torchrun or by `launch`."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def launch(arguments: Sequence[str], *, nproc: int, nnodes: int, node_rank: int, rendezvous: str | None) -> int:
    """Run `archdsl` with these arguments in `nproc` processes here, of `nnodes` machines; answers the exit status.

    `rendezvous` is HOST:PORT of the machine of node_rank 0; it can be left out where there is one machine. Raises
    SystemExit after a signal, when all processes have saved and ended.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # What fails says so itself; the agent would add a page about it.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // nproc)))
    config = LaunchConfig(
        min_nodes=nnodes,
        max_nodes=nnodes,
        nproc_per_node=nproc,
        run_id="archdsl",
        rdzv_backend="static",
        rdzv_endpoint=rendezvous or f"127.0.0.1:{free_port()}",
        rdzv_configs={"rank": node_rank, "timeout": 900},
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "archdsl", *arguments)
    except ChildFailedError as error:
        codes = [failure.exitcode for _, failure in sorted(error.failures.items())]
        return next((code if code > 0 else 128 - code for code in codes if code), 1)
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number
