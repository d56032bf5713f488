"""`archdsl train`: a spec and data to trained weights, on one device or many, and on again where it was stopped."""

from __future__ import annotations

import os
from contextlib import ExitStack
from importlib.util import find_spec

import click

from archdsl.annotations import TYPE_CHECKING, Any
from archdsl.backends.pytorch import emit
from archdsl.cli import WRONG_CALL, WRONG_SPEC, Failure
from archdsl.cli.checker import read
from archdsl.cli.options import spec_options
from archdsl.cli.output import reason, report, say
from archdsl.cli.settings import Whole, setting_options, words
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.excerpt import visible
from archdsl.records import NamedTuple
from archdsl.training.run import METRICS, Spec, is_run, open_run
from archdsl.training.settings import RULES, read_settings

if TYPE_CHECKING:
    from archdsl.training.reporter import Reporter
    from archdsl.training.train import Job

NEEDED = {"torch": "torch", "PIL": "Pillow", "safetensors": "safetensors", "tomli": "tomli"}
"""What training needs and the rest does not, by the names of the modules."""

OF_THE_CALL = ("E733", "E734", "E735", "E738", "E739", "E741", "E742", "E743", "E744")
"""What is wrong with the call or its files, and not with the spec, the data or the training."""


@click.command("train", cls=Whole)
@click.argument("file", required=False, type=click.Path())
@click.option("--data", help="A folder or file of data, or a scheme such as builtin:digits.")
@click.option("-o", "--output", "folder", default="run", type=click.Path(), help="The run's folder. Default: run.")
@spec_options
@setting_options
@click.option("--resume", is_flag=True, help="Go on with the run in the folder, or begin where there is none.")
@click.option("--force", is_flag=True, help="Replace the run that is in the folder.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard's files into the run's folder, too.")
@click.option("--nproc", type=click.IntRange(min=1), help="Processes on this machine, one for each GPU.")
@click.option("--nnodes", type=click.IntRange(min=1), default=1, help="Machines. Default: 1.")
@click.option("--node-rank", type=click.IntRange(min=0), default=0, help="Which machine this is, from 0.")
@click.option("--rendezvous", metavar="HOST:PORT", help="Where the machine of --node-rank 0 listens.")
def command(
    file: str | None,
    data: str | None,
    folder: str,
    constants: dict[str, str],
    inputs: dict[str, str],
    fit: str | None,
    resume: bool,
    force: bool,
    dry_run: bool,
    tensorboard: bool,
    nproc: int | None,
    nnodes: int,
    node_rank: int,
    rendezvous: str | None,
    **settings: Any,
) -> int:
    """Train a spec on data.

    \b
    archdsl train net.arch --data builtin:digits        run/ has weights, metrics, checkpoints
    archdsl train --resume                              goes on where it was stopped
    archdsl train --resume --epochs 20                  with more epochs
    archdsl train net.arch --data DIR --nproc 4         on four GPUs, or four processes of a CPU

    Settings may stand in train.toml beside the spec: epochs = 20. After SIGTERM or Ctrl-C the step is finished and
    saved. Exit status: 0 trained, 1 the spec, the data or the run is wrong, 2 the call is; 130 and 143 after a signal.
    """
    given = {name: _plain(value) for name, value in settings.items() if value is not None and value != ()}
    for name, value in given.items():
        if wrong := RULES[name].wrong(value):
            raise click.BadParameter(wrong, param_hint=f"--{name.replace('_', '-')}")
    if nnodes > 1 and (nproc is None or rendezvous is None):
        raise click.UsageError("--nnodes needs --nproc and --rendezvous")
    many = nproc is not None and nproc * nnodes > 1
    if file == "-" and many:
        raise click.UsageError("several processes cannot all read the spec from standard input")
    if tensorboard and find_spec("tensorboard") is None:  # before anything is begun
        raise Failure("--tensorboard needs tensorboard: pip install 'archdsl[tensorboard]'")
    call = Call(file, data, folder, constants, inputs, fit, given, resume, dry_run, tensorboard)
    try:
        from archdsl.training.distributed import started_as
        from archdsl.training.launch import inside, launch

        if started_as()[0] == 0:
            may_begin(call, force)
        if nproc is not None and many and not inside():
            return launch(["train", *words()], nproc=nproc, nnodes=nnodes, node_rank=node_rank, rendezvous=rendezvous)
        return carry_out(call)
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        raise Failure(f"training needs {NEEDED[error.name]}: pip install 'archdsl[train]'") from None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class Call(NamedTuple):
    """What was asked for."""

    file: str | None
    data: str | None
    folder: str
    constants: dict[str, str]
    inputs: dict[str, str]
    fit: str | None
    settings: dict[str, Any]
    resume: bool
    dry_run: bool
    tensorboard: bool


def may_begin(call: Call, force: bool) -> None:
    """Raise a ClickException where the call lacks something, or another run would be lost."""
    there = is_run(call.folder)
    if call.resume and force:
        raise click.UsageError("--resume goes on with a run, and --force replaces it: give one of them")
    if call.resume and there:
        if call.file is None and (call.constants or call.inputs or call.fit):
            raise click.UsageError("-D, --input and --fit complete a FILE; without one the run's own spec is taken")
        return
    if call.file is None:
        raise click.UsageError(
            f"there is no run in {call.folder} to go on with; name a spec" if call.resume else "name a spec"
        )
    if call.data is None:
        raise click.UsageError("--data is missing: a folder or file, or builtin:digits")
    if call.dry_run:
        return
    if there and not force:
        raise Failure(f"{call.folder} has a run already; --resume goes on with it, --force replaces it")
    if not there and os.path.lexists(call.folder) and not (os.path.isdir(call.folder) and not os.listdir(call.folder)):
        raise Failure(f"{call.folder} is there already, and no run; name another with -o")


def carry_out(call: Call) -> int:
    """Train, in this process; answers the exit status."""
    from torch.cuda import OutOfMemoryError

    from archdsl.training.distributed import Elsewhere, World, lost_others, started_as
    from archdsl.training.train import prepare, train

    rank, _, local = started_as()

    def warn(text: str) -> None:
        if rank == 0:
            say(visible(text), err=True)

    try:
        job = find_job(call)
    except (ArchError, OSError) as error:
        return _failed(error, told=local == 0)
    try:
        with World(job.settings.device) as world, ExitStack() as files:
            prepared = prepare(job, world)
            if world.first:
                report(prepared.warnings)
                show(prepared.plan, err=not call.dry_run)
            if call.dry_run:
                return 0
            number = train(prepared, world, lambda folder: reporter(folder, call.tensorboard, files), warn)
            return 128 + number if number else 0
    except Elsewhere:
        return WRONG_SPEC
    except OutOfMemoryError as error:
        message = f"the GPU's memory is full: {str(error).partition('. ')[0]}"
        help = ("--accumulate 2, or a smaller --batch", "--amp bf16")
        return _failed(ArchError([Diagnostic("E743", message, help=help)]))
    except (ArchError, OSError) as error:
        return _failed(error)
    except RuntimeError as error:
        if not lost_others(error):
            raise
        say(f"process {rank} ends, since another one has ended", err=True)
        return WRONG_SPEC


def find_job(call: Call) -> Job:
    """What is to be trained: as the call says, over what the run in the folder has; raises ArchError and OSError."""
    from archdsl.training.train import Job

    earlier = open_run(call.folder) if call.resume and is_run(call.folder) else None
    spec = Spec(read(call.file), call.constants, call.inputs, call.fit) if call.file is not None else None
    if earlier is not None:
        if spec is not None and emit(spec.build()[0]) == emit(earlier.network):
            spec = earlier.spec  # comments and ways of writing are no difference
        settings = earlier.settings.changed(call.settings)
        return Job(spec or earlier.spec, call.data or earlier.data["source"], settings, call.folder, earlier)
    if spec is None or call.data is None:
        raise ArchError([Diagnostic("E733", "there is no run in this folder to go on with", file=call.folder)])
    return Job(spec, call.data, read_settings(spec.source.path, call.settings), call.folder)


def reporter(folder: str, tensorboard: bool, files: ExitStack) -> Reporter:
    """Who is told of a run: the person before it, and the files; raises ArchError E761, and OSError."""
    from archdsl.training.metrics import Metrics
    from archdsl.training.progress import progress
    from archdsl.training.reporter import Several

    lines = files.enter_context(open(os.path.join(folder, METRICS), "a", encoding="utf-8", buffering=1))
    told = [progress(), Metrics(lines)]
    if tensorboard:
        from archdsl.training.tensorboard import TensorBoard

        told.append(TensorBoard(os.path.join(folder, "tensorboard")))
    return Several(told)


def show(plan: dict[str, object], *, err: bool) -> None:
    """Print a plan, a line for each thing."""
    wide = max(map(len, plan))
    for name, value in plan.items():
        say(f"{name:<{wide}}  {visible(f'{value:,}' if isinstance(value, int) else str(value))}", err=err)


def _failed(error: ArchError | OSError, told: bool = True) -> int:
    """Tell what went wrong; the exit status."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        raise Failure(f"{where}{reason(error)}") from None
    if told:
        report(error.diagnostics)
    return WRONG_CALL if any(d.code in OF_THE_CALL for d in error.diagnostics) else WRONG_SPEC
