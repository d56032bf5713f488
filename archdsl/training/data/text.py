"""Text for a network that is to say the next character: windows of it, and the characters as ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from archdsl.graph import Network
from archdsl.tensor import show_shape
from archdsl.training.data.dataset import Batch, Data, DataOptions
from archdsl.training.data.faults import counted, fault, some
from archdsl.training.data.hashing import mix, uniform
from archdsl.training.data.limits import opened
from archdsl.training.data.remade import help_for_classes
from archdsl.training.data.wanted import Wanted, wanted

SHIFT = "shift"
"""The one augmentation of text: each epoch's windows start somewhere else."""


def open_texts(where: str, files: Mapping[str, str], network: Network, options: DataOptions) -> Data:
    """Text files by part, held against the network; raises ArchError (E708, E712, E714, E716, E718)."""
    want = wanted(network)
    length, whole = _window(want)
    for name in options.augment:
        if name != SHIFT:
            raise fault("E714", f"{name} does not apply to text", help=(f"{SHIFT} does",))
    texts = {part: read_text(path) for part, path in files.items()}
    names = dict(files)
    notes = []
    characters = options.classes or tuple(sorted(set().union(*texts.values())))
    _check_vocabulary(texts, files, characters, want, network)
    digest = sha256()
    for part, text in sorted(texts.items()):
        digest.update(f"{part}\0{text}\0".encode())
    if "train" not in texts:
        if not options.classes:
            raise fault("E716", f"there is no text to train on, only {some(list(texts))}", file=where)
        texts["train"], names["train"] = "", where
    if "valid" not in texts:
        kept = len(texts["train"]) - round(options.valid_part * len(texts["train"]))
        texts["valid"], names["valid"] = texts["train"][kept:], f"{names['train']}, from character {kept:,} on"
        texts["train"] = texts["train"][:kept]
        notes.append(f"the last {len(texts['valid']):,} characters are held back: {kept:,} to train on")
    table = {character: number for number, character in enumerate(characters)}
    splits = {
        part: Windows(_ids(text, table), length, whole, names[part], options.seed, SHIFT in options.augment)
        for part, text in texts.items()
    }
    if not len(splits["train"]) and not options.classes:
        message = (
            f"the text has {counted(len(texts['train']), 'character')} to train on, and a window takes {length + 1}"
        )
        raise fault("E716", message, file=names["train"])
    windows = ", ".join(f"{len(split):,} {part}" for part, split in splits.items())
    notes.append(f"windows of {counted(length, 'character')}: {windows}")
    notes.append(f"{counted(len(characters), 'different character')} of the network's {want.scores}")
    return Data(
        where, "text", splits["train"], splits["valid"], splits.get("test"), characters, None, digest.hexdigest(),
        tuple(notes),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Windows:
    """A Split of text: window i is the characters from i*length on, and its target the next of each, or of the last.

    `shift` moves all windows of an epoch by one number that hangs on (seed, epoch).
    """

    ids: Tensor
    length: int
    whole: bool
    label: str
    seed: int
    shift: bool
    in_memory = True

    def __len__(self) -> int:
        return max(0, (len(self.ids) - 1) // self.length)

    def batch(self, indices: Sequence[int] | Tensor, epoch: int | None) -> Batch:
        starts = torch.as_tensor(indices, dtype=torch.int64) * self.length
        if epoch is not None and self.shift:
            move = int(uniform(mix(self.seed, 4, epoch), torch.zeros(1, dtype=torch.int64)) * self.length)
            starts = (starts + move).clamp(max=len(self.ids) - self.length - 1)
        found = self.ids[starts[:, None] + torch.arange(self.length + 1)]
        return Batch((found[:, :-1],), found[:, 1:] if self.whole else found[:, -1])

    def name(self, index: int) -> str:
        return f"{self.label}: characters {index * self.length:,} to {(index + 1) * self.length:,}"


def prepare_text(paths: Sequence[str], network: Network, characters: Sequence[str]) -> tuple[Tensor, ...]:
    """The ends of these text files, as many characters as the network takes, as ids [N, characters].

    `characters` are those that the run stored. Raises ArchError (E708, E712, E716, E718), OSError.
    """
    want = wanted(network)
    length, _ = _window(want)
    table = {character: number for number, character in enumerate(characters)}
    rows = []
    for path in paths:
        text = read_text(path)
        if len(text) < length:
            message = f"the text has {counted(len(text), 'character')}, and the network takes {length}"
            raise fault("E716", message, file=path)
        _check_vocabulary({"": text}, {"": path}, characters, want, network)
        rows.append(_ids(text[-length:], table))
    return (torch.stack(rows),)


def read_text(path: str) -> str:
    """The text in a file; raises ArchError (E712) where it is not UTF-8."""
    with opened(path) as stream:
        data = stream.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the file is no UTF-8 text: byte 0x{data[error.start]:02x} has no meaning there"
        raise fault("E712", message, file=f"{path}:{data.count(bytes([10]), 0, error.start) + 1}") from None


def _window(want: Wanted) -> tuple[int, bool]:
    """How many characters the network takes, and whether it says the next of each; raises ArchError (E708)."""
    if len(want.inputs) == 1 and want.inputs[0].ids and len(want.inputs[0].shape) == 1:
        [length] = want.inputs[0].shape
        if want.positions in ((), (length,)):
            return length, bool(want.positions)
    shapes = ", ".join(show_shape(i.shape) for i in want.inputs)
    message = f"text needs an input such as `128 of int`, and scores for each character: this takes {shapes}"
    raise fault("E708", f"{message} and gives {show_shape(want.output)}", span=want.inputs[0].span)


def _check_vocabulary(
    texts: Mapping[str, str], files: Mapping[str, str], characters: Sequence[str], want: Wanted, network: Network
) -> None:
    """Raises ArchError (E718) where the text has characters that the network, or its earlier run, has no id for."""
    known = set(characters)
    for part, text in texts.items():
        unknown = sorted(set(text) - known)
        if unknown:
            line = text.count("\n", 0, text.index(unknown[0])) + 1
            message = f"the network was trained without {some([repr(c) for c in unknown])}"
            raise fault("E718", message, file=f"{files[part]}:{line}")
    most = min(want.scores, want.inputs[0].known or want.scores)
    if len(characters) > most:
        message = f"the text has {len(characters):,} different characters, and the network {most}"
        raise fault("E718", message, span=want.span, help=help_for_classes(network, len(characters)))


def _ids(text: str, table: Mapping[str, int]) -> Tensor:
    numbers = np.zeros(0x110000, dtype=np.int64)
    numbers[[ord(character) for character in table]] = list(table.values())
    return torch.from_numpy(numbers[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")])
