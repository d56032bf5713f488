"""What an ONNX file says of itself: its producer and its metadata, read from the wire format without onnx.

It is apart from the ONNX backend so that reading needs no numpy. A file is input from anywhere: lengths are held
against the file's, and the graph, however large, is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.annotations import BinaryIO
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.hashes import sha256
from archdsl.records import NamedTuple

VARINT, LENGTH, FIXED64, FIXED32 = 0, 2, 1, 5
"""The wire types of protobuf that ONNX files have."""

LONGEST = 1 << 24
"""Bytes: no field that is read may be longer; all the specs of a network are far shorter."""

MOST_FIELDS = 100_000
"""Fields of a file outside of its graph."""

METADATA = 14
SPEC, SHA256, VERSION, ARGUMENTS, FILE, CLASSES, NORMALISATION = (
    f"archdsl.{name}" for name in ("spec", "sha256", "version", "arguments", "file:", "classes", "normalisation")
)


class Made(NamedTuple):
    """What archdsl wrote into a file: the spec, its sha256, archdsl's version, the command line's arguments that
    completed the spec, and the texts of the files that it uses, by their paths.

    Of a trained network also the names of its classes, and what its inputs are normalised by: (x - mean)/std with
    "mean" and "std" by input and channel, pixels counting from 0 to 1; None where nothing is known of it.
    """

    spec: str
    sha256: str
    version: str
    arguments: str
    files: dict[str, str]
    classes: tuple[str, ...] = ()
    normalisation: dict[str, list[list[float]]] | None = None


def made(
    spec: str,
    version: str,
    arguments: str,
    files: Mapping[str, str],
    classes: Sequence[str] = (),
    normalisation: Mapping[str, object] | None = None,
) -> list[tuple[str, str]]:
    """The metadata as it is written, which `read_made` reads; no spec is written where there is none."""
    entries = [(VERSION, version)]
    if classes or normalisation:
        import json  # takes as long as all that is written for most networks
    if classes:
        entries.append((CLASSES, json.dumps(list(classes), ensure_ascii=False)))
    if normalisation:
        entries.append((NORMALISATION, json.dumps(normalisation)))
    if not spec:
        return entries
    entries += [(SHA256, sha256(spec.encode()).hexdigest()), (SPEC, spec)]
    if arguments:
        entries.append((ARGUMENTS, arguments))
    return [*entries, *((FILE + name, text) for name, text in files.items())]


def read_made(path: str) -> Made:
    """What archdsl wrote into the ONNX file at `path`.

    Raises OSError where it cannot be read, and ArchError: E610 where it is no sound ONNX file, E611 where it has
    no spec in it, or one that was changed.
    """
    try:
        with open(path, "rb") as stream:
            entries = _metadata(stream)
    except _Broken as error:
        raise ArchError([Diagnostic("E610", f"this is no sound ONNX file: {error}", file=path)]) from None
    if SPEC not in entries:
        message = "there is no spec in this file's metadata: archdsl did not make it"
        raise ArchError([Diagnostic("E611", message, file=path)])
    digest = sha256(entries[SPEC].encode()).hexdigest()
    if digest != entries.get(SHA256):
        message = f"the spec in the metadata was changed: its sha256 is {digest}, and the file says otherwise"
        raise ArchError([Diagnostic("E611", message, file=path)])
    files = {name.removeprefix(FILE): text for name, text in entries.items() if name.startswith(FILE)}
    try:
        classes, normalisation = _classes(entries.get(CLASSES, "[]")), _normalisation(entries.get(NORMALISATION))
    except (ValueError, TypeError, KeyError, RecursionError):
        message = "the classes or the normalisation in the metadata are not as archdsl writes them"
        raise ArchError([Diagnostic("E611", message, file=path)]) from None
    arguments = entries.get(ARGUMENTS, "")
    return Made(entries[SPEC], digest, entries.get(VERSION, ""), arguments, files, classes, normalisation)


def _classes(text: str) -> tuple[str, ...]:
    import json

    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ValueError(text)
    return tuple(found)


def _normalisation(text: str | None) -> dict[str, list[list[float]]] | None:
    if text is None:
        return None
    import json

    found = json.loads(text)
    return {key: [[float(x) for x in channels] for channels in found[key]] for key in ("mean", "std")}


class _Broken(Exception):
    """What is wrong with a file, in words."""


def _metadata(stream: BinaryIO) -> dict[str, str]:
    """The metadata of the ModelProto in a stream."""
    size = stream.seek(0, 2)
    stream.seek(0)
    found: dict[str, str] = {}
    position = 0
    for _ in range(MOST_FIELDS):
        if position == size:
            return found
        field, kind, length = _key(stream)
        start = stream.tell()
        if length > size - start:
            raise _Broken(f"a field of {length} bytes at byte {position}, and {size - start} follow")
        if field == METADATA and kind == LENGTH:
            if length > LONGEST:
                raise _Broken(f"metadata of {length} bytes, and {LONGEST} is the limit")
            name, value = _entry(stream.read(length))
            found[name] = value
        position = stream.seek(start + length)
    raise _Broken(f"it has more than {MOST_FIELDS} fields")


def _key(stream: BinaryIO) -> tuple[int, int, int]:
    """Number and wire type of the next field, and how many bytes its value has from here on."""
    value = _varint(stream)
    field, kind = value >> 3, value & 7
    if not 0 < field < 1 << 29:
        raise _Broken(f"a field cannot have the number {field}")
    if kind == VARINT:
        _varint(stream)
        return field, kind, 0
    if kind == LENGTH:
        return field, kind, _varint(stream)
    if kind in (FIXED64, FIXED32):
        return field, kind, 8 if kind == FIXED64 else 4
    raise _Broken(f"field {field} has the wire type {kind}, which ONNX files do not have")


def _varint(stream: BinaryIO) -> int:
    result = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise _Broken("it ends in the middle of a field")
        result |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return result
    raise _Broken("a number of more than 64 bits")


def _entry(data: bytes) -> tuple[str, str]:
    """The key and the value of a StringStringEntryProto."""
    from io import BytesIO

    parts = {1: "", 2: ""}
    stream = BytesIO(data)
    while stream.tell() < len(data):
        field, kind, length = _key(stream)
        value = stream.read(length)
        if len(value) < length:
            raise _Broken("an entry of its metadata ends in the middle")
        if field in parts and kind == LENGTH:
            try:
                parts[field] = value.decode()
            except UnicodeDecodeError:
                raise _Broken("its metadata is no text in UTF-8") from None
    return parts[1], parts[2]
