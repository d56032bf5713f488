"""Proposes seeded faults over all specs: `python -m benchmarks.seed_faults [SEED [EACH]]` writes tests/faults/*.txt.

Each kind is a function that gives edits of a text such as people make by mistake. All edits of all specs are
candidates; those with which the spec still checks are no faults. Of each kind a sample is drawn, at most two of one
line, and whatever is said of them is written down, good or bad.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from archdsl.layers.registry import LAYERS
from tests.support.faults import FOLDER, ROOT, Bench, Seeded, original, written

Edits = Iterator[tuple[int, int, str]]

SPECS = (
    *(f"specs/{name}.arch" for name in (
        "alexnet charrnn cs231n densenet121 googlenet lenet5 mobilenetv2 multi regnet_y_400mf resnet18 resnet50 se "
        "siamese unet vgg16 vit_b_16 wavenet yolov3 symbolic/srresnet symbolic/unet"
    ).split()),
    *(f"specs/torchvision/{name}.arch" for name in (
        "alexnet googlenet inception_v3 squeezenet1_0 efficientnet_v2_s mobilenet_v3_small vgg16_bn resnext50_32x4d "
        "convnext_tiny densenet161 regnet_y_8gf vit_b_16"
    ).split()),
    *(f"specs/torchvision/{spec}.arch+blocks/{block}.arch" for spec, block in (
        ("convnext_tiny", "convnext"), ("densenet121", "densenet"), ("efficientnet_b0", "efficientnet"),
        ("maxvit_t", "maxvit"), ("mnasnet0_5", "mnasnet"), ("mobilenet_v2", "mobilenet"),
        ("mobilenet_v3_small", "mobilenetv3"), ("regnet_y_400mf", "regnet"), ("resnet18", "resnet"),
        ("shufflenet_v2_x0_5", "shufflenet"), ("squeezenet1_1", "squeezenet"), ("mobilenet_v2", "unit"),
        ("vgg11", "vgg"), ("vit_b_32", "vit"),
    )),
)  # fmt: skip
WORDS = "input output model let block default use assert for if else in of from share and or not training".split()
FOREIGN = {
    "CONV": ("Conv2d", "Conv2D", "CONVOLUTION"),
    "RELU": ("ReLU", "relu", "Relu"),
    "BN": ("BatchNorm2d", "BatchNormalization", "BATCHNORM"),
    "FC": ("Linear", "Dense"),
    "POOL": ("MaxPool2d", "MaxPooling2D"),
    "GAP": ("AdaptiveAvgPool2d", "GlobalAveragePooling2D"),
    "DROPOUT": ("Dropout",),
    "UPCONV": ("ConvTranspose2d", "Conv2DTranspose", "DECONV"),
    "LN": ("LayerNorm",),
    "ADD": ("Add", "SUM_", "RESIDUAL"),
    "CONCAT": ("Concatenate", "cat"),
    "SILU": ("Swish",),
    "LRELU": ("LeakyReLU",),
    "SOFTMAX": ("Softmax",),
    "MHA": ("MultiheadAttention",),
    "LSTM": ("lstm",),
    "EMBEDDING": ("Embedding",),
    "LINEAR": ("Linear",),
}
FOREIGN_ARGUMENTS = {
    "stride": ("strides",),
    "padding": ("pad",),
    "kernel": ("kernel_size",),
    "filters": ("out_channels",),
    "width": ("out_features",),
    "heads": ("num_heads",),
    "groups": ("group",),
    "rate": ("p",),
    "dilation": ("dilation_rate",),
    "bias": ("use_bias",),
    "layers": ("num_layers",),
}


def tokens(text: str, pattern: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern outside of comments and texts in quotes."""
    blank = re.sub(r'#[^\n]*|"[^"\n]*"', lambda m: "\0" * len(m[0]), text)
    yield from re.finditer(pattern, blank)


def typos(word: str, chance: random.Random) -> str:
    """The word with two letters exchanged, one left out, doubled, or hit beside its key."""
    at = chance.randrange(len(word))
    way = chance.randrange(4)
    if way == 0 and len(word) > 2:
        at = chance.randrange(len(word) - 1)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if way == 1 and len(word) > 2:
        return word[:at] + word[at + 1 :]
    if way == 2:
        return word[: at + 1] + word[at:]
    keys = "qwertyuiop asdfghjkl zxcvbnm"
    place = keys.find(word[at].lower())
    near = keys[place + 1 : place + 2].strip() or keys[place - 1]
    return (
        word[:at] + (near.upper() if word[at].isupper() else near) + word[at + 1 :] if place >= 0 else word + word[-1]
    )


def named(pattern: str, keep: Callable[[str], bool] = lambda name: True) -> Callable[[str, random.Random], Edits]:
    """Typos in the names that the pattern's first group finds."""

    def edits(text: str, chance: random.Random) -> Edits:
        for match in tokens(text, pattern):
            if keep(match[1]):
                yield match.start(1), match.end(1), typos(match[1], chance)

    return edits


def foreign(text: str, chance: random.Random) -> Edits:
    for match in tokens(text, r"\b([A-Z]+)\b"):
        if match[1] in FOREIGN:
            yield match.start(), match.end(), chance.choice(FOREIGN[match[1]])


def foreign_argument(text: str, chance: random.Random) -> Edits:
    for match in tokens(text, r"\b([a-z]+)(?==[^=])"):
        if match[1] in FOREIGN_ARGUMENTS:
            yield match.start(), match.end(), chance.choice(FOREIGN_ARGUMENTS[match[1]])


def dropped(pattern: str) -> Callable[[str, random.Random], Edits]:
    """What the pattern finds, left out."""

    def edits(text: str, chance: random.Random) -> Edits:
        for match in tokens(text, pattern):
            yield match.start(), match.end(), ""

    return edits


def instead(pattern: str, *others: str) -> Callable[[str, random.Random], Edits]:
    """What the pattern finds, and one of the others there; `{0}` is what was there."""

    def edits(text: str, chance: random.Random) -> Edits:
        for match in tokens(text, pattern):
            yield match.start(), match.end(), chance.choice(others).replace("{0}", match[0])

    return edits


def wrong_bracket(text: str, chance: random.Random) -> Edits:
    for match in tokens(text, r"[()\[\]{}]"):
        others = [b for b in ("([{" if match[0] in "([{" else ")]}") if b != match[0]]
        yield match.start(), match.end(), chance.choice(others)


def calls(text: str, names: str) -> Iterator[tuple[str, int, list[tuple[int, int]]]]:
    """Calls of layers: name, the place behind it, and the places of its arguments."""
    for match in tokens(text, rf"\b({names})\("):
        depth, at, start, found = 0, match.end(), match.end(), []
        while at < len(text):
            part = text[at]
            if part in "([{":
                depth += 1
            elif part in ")]}" and depth:
                depth -= 1
            elif part == ")" or (part == "," and not depth):
                found.append((start, at))
                start = at + 1
                if part == ")":
                    break
            at += 1
        trimmed = [(a + len(text[a:b]) - len(text[a:b].lstrip()), b) for a, b in found]
        yield match[1], match.end(), trimmed


def number_in(names: str, keyword: str, position: int | None) -> Callable[[str, random.Random], Edits]:
    """The number that an argument of a layer is, by keyword or by position, wrong."""

    def edits(text: str, chance: random.Random) -> Edits:
        for _, _, arguments in calls(text, names):
            for index, (start, end) in enumerate(arguments):
                match = re.fullmatch(rf"(?:({keyword})\s*=\s*)?(\d+)", text[start:end])
                if match and (match[1] or index == position):
                    yield start + match.start(2), end, wrong_number(match[2], chance)

    return edits


def wrong_number(number: str, chance: random.Random) -> str:
    """A number that is one off, twice or half as much, or has a digit too few or too many, or two exchanged."""
    n = int(number)
    others = {str(n + 1), str(max(0, n - 1)), str(2 * n), str(n // 2), number + number[-1]}
    if len(number) > 1:
        others |= {number[:-1], number[1:].lstrip("0") or "0", number[1] + number[0] + number[2:]}
    return chance.choice(sorted(others - {number}))


def any_number(text: str, chance: random.Random) -> Edits:
    for match in tokens(text, r"(?<![\w.@])(\d+)(?![\w.])"):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not line.lstrip().startswith(("assert", "input")):
            yield match.start(), match.end(), wrong_number(match[0], chance)


def wrong_input(text: str, chance: random.Random) -> Edits:
    for match in tokens(text, r"(?m)^input[^\n]*?\b(\d+|[A-Z])((?:x(?:\d+|[A-Z]))*)"):
        sizes = [match[1], *match[2].split("x")[1:]]
        at = chance.randrange(len(sizes))
        if sizes[at].isdigit():
            n = int(sizes[at])
            sizes[at] = str(chance.choice([n + 1, n - 1, 2 * n, n // 2, n + 10] if n > 9 else [n + 1, max(1, n - 2)]))
        yield match.start(1), match.end(2), "x".join(sizes)
        sizes = [match[1], *match[2].split("x")[1:]]
        if len(sizes) == 3:
            yield match.start(1), match.end(2), "x".join([*sizes[1:], sizes[0]]) if at else ", ".join(sizes)
            yield match.start(1), match.end(2), "x".join(sizes[1:]) if at else "1x" + "x".join(sizes)


def literal_type(text: str, chance: random.Random) -> Edits:
    for match in tokens(text, r"(?<=[(=, ])(\d+)(?=[,)\]])"):
        yield (
            match.start(),
            match.end(),
            chance.choice([f'"{match[0]}"', f"{match[0]}.5", "true", f"[{match[0]}]", "none"]),
        )
    for match in tokens(text, r"\b(true|false)\b"):
        yield match.start(), match.end(), chance.choice(["1", "0", "yes", "None"])


def missing_argument(text: str, chance: random.Random) -> Edits:
    for _, _, arguments in calls(text, r"[A-Za-z_]\w*"):
        if not arguments or not text[arguments[0][0] : arguments[0][1]].strip():
            continue
        at = chance.randrange(len(arguments))
        a, b = arguments[at]
        if at + 1 < len(arguments):
            yield a, arguments[at + 1][0], ""
        elif at:
            yield arguments[at - 1][1], b, ""
        else:
            yield a, b, ""


def extra_argument(text: str, chance: random.Random) -> Edits:
    for name, start, arguments in calls(text, r"[A-Za-z_]\w*"):
        if not arguments or not text[arguments[0][0] : arguments[0][1]].strip():
            yield start, start, chance.choice(["64", "1", "64, 64"])
        elif chance.random() < 0.5 or name not in LAYERS:
            end = arguments[-1][1]
            yield end, end, chance.choice([", 1", ", 3, 1", ", 64", ", activation=RELU"])
        else:
            yield start, start, chance.choice(["3, ", "64, "])


def steps(text: str) -> Iterator[tuple[int, int, int, int]]:
    """Neighbours in a chain on one line: where the two start and end."""
    step = r"(?:[a-z_]\w*: ?)?[A-Z][A-Za-z]*(?:\([^()\n]*\))?"
    for match in tokens(text, rf"(?<![\w(])(?<!: )(?=({step})( - )({step})(?![\w({{*]))"):
        yield match.start(1), match.end(1), match.start(3), match.end(3)


def exchanged(text: str, chance: random.Random) -> Edits:
    for a, b, c, d in steps(text):
        yield a, d, text[c:d] + text[b:c] + text[a:b]


def step_dropped(text: str, chance: random.Random) -> Edits:
    for a, _, c, _ in steps(text):
        yield a, c, ""


def step_doubled(text: str, chance: random.Random) -> Edits:
    for a, b, c, _ in steps(text):
        yield b, b, text[b:c] + text[a:b]


def operator_wrong(text: str, chance: random.Random) -> Edits:
    others = {"//": "/*", "*": "+/", "==": ["=", "!="], "!=": ["=", "=="], "<": "><", ">": "<=", "+": "-*"}
    for match in tokens(text, r"(?<=[\w)])(?:(//|\*)| (==|!=|<|>|\+) )(?=[\w(])"):
        old = match[1] or match[2]
        yield match.start(), match.end(), match[0].replace(old, chance.choice([o for o in others[old] if o != old]))


def arms(text: str, chance: random.Random) -> Edits:
    """Arms of a join on one line: exchanged, or one left out."""
    for match in tokens(text, r"\{ ?([^{}|\n]+?) ?\| ?([^{}|\n]+?) ?\}"):
        yield (
            match.start(1),
            match.end(2),
            f"{text[match.start(2) : match.end(2)]} | {text[match.start(1) : match.end(1)]}",
        )
        yield match.start(1), match.start(2), ""


def strings(text: str, chance: random.Random) -> Edits:
    for match in re.finditer(r'"[^"\n]*"', text):
        if "#" in text[text.rfind("\n", 0, match.start()) + 1 : match.start()]:
            continue
        inside = match[0][1:-1]
        letters = [i for i, c in enumerate(inside) if not c.isspace()]
        at = chance.choice(letters)
        yield match.start(), match.start() + 1, ""
        yield match.end() - 1, match.end(), ""
        yield match.start(), match.end(), f"'{inside}'"
        yield match.start(), match.end(), f'"{inside[:at] + inside[at + 1 :]}"'
        yield match.start(), match.end(), f'"{inside[:at] + chance.choice("abc") + inside[at + 1 :]}"'


def lines(pattern: str) -> Callable[[str, random.Random], Edits]:
    """Lines that start so, left out."""

    def edits(text: str, chance: random.Random) -> Edits:
        for match in re.finditer(rf"(?m)^[ \t]*{pattern}[^\n]*\n", text):
            yield match.start(), match.end(), ""

    return edits


def line_break(text: str, chance: random.Random) -> Edits:
    for match in re.finditer(r"(?<=[\w)\]}])\n[ \t]*(?=[A-Za-z_@])", text):
        yield match.start(), match.end(), " "
    for match in tokens(text, r"(?<=[)\w]) \{"):
        yield match.start(), match.end(), "\n{"


def label_taken(text: str, chance: random.Random) -> Edits:
    """A label copied from the step before."""
    for match in tokens(text, r"\b([a-z]\w*)(?=:)[^\n{}]*?\b([a-z]\w*)(?=: )"):
        yield match.start(2), match.end(2), match[1]


def tuples(text: str, chance: random.Random) -> Edits:
    """An item of a tuple in a list, left out or doubled, or a loop's target left out."""
    for match in tokens(text, r"(?<=[\[ ])\((\w+(?:, \w+)+)\)(?=[,\]])"):
        items = match[1].split(", ")
        at = chance.randrange(len(items))
        less = items[:at] + items[at + 1 :]
        more = [*items[:at], items[at], *items[at:]]
        yield match.start(1), match.end(1), ", ".join(chance.choice([less, more]))
    for match in tokens(text, r"\bfor (\w+(?:, \w+)+) in\b"):
        names = match[1].split(", ")
        names.pop(chance.randrange(len(names)))
        yield match.start(1), match.end(1), ", ".join(names)


def wrong_assert(text: str, chance: random.Random) -> Edits:
    for match in tokens(text, r"(?m)^assert [^\n]*"):
        for number in re.finditer(r"\b\d[\d_]*\b", match[0]):
            digits = number[0]
            wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10) if "_" in digits else wrong_number(digits, chance)
            yield match.start() + number.start(), match.start() + number.end(), wrong
        for shape in re.finditer(r"\b\d+(?:x\d+)+\b", match[0]):
            sizes = shape[0].split("x")
            at = chance.randrange(len(sizes))
            sizes[at] = wrong_number(sizes[at], chance)
            yield match.start() + shape.start(), match.start() + shape.end(), "x".join(sizes)
        at = match[0].find("==")
        if at >= 0:
            yield match.start() + at, match.start() + at + 2, chance.choice(["=", "!=", "<"])


KINDS: dict[str, Callable[[str, random.Random], Edits]] = {
    "typo-layer": named(r"\b([A-Z][A-Z0-9]+)\b", lambda name: name in LAYERS),
    "typo-argument": named(r"[(,] ?([a-z]\w+)(?==[^=])"),
    "typo-block": named(r"(?<!block )(?<!model )(?<!use )\b([A-Z][a-z]+\w*)\b"),
    "typo-label": named(r"(@[a-z]\w+)"),
    "typo-output": named(r"\boutput (\w+)"),
    "typo-constant": named(
        r"(?<![\w@.])([a-z]\w+)(?![\w(]|: |:\n|=[^=]|\{)", lambda name: name not in WORDS and len(name) > 2
    ),
    "typo-function": named(r"\b([a-z]\w+)\("),
    "typo-attribute": named(r"\.([a-z]\w+)"),
    "typo-word": named(rf"\b({'|'.join(word for word in WORDS if len(word) > 1)})(?= )"),
    "foreign-layer": foreign,
    "foreign-argument": foreign_argument,
    "bracket-dropped": dropped(r"[()\[\]{}]"),
    "bracket-doubled": instead(r"[()\[\]{}]", "{0}{0}"),
    "bracket-wrong": wrong_bracket,
    "dash-dropped": instead(r" - ", " ", "  "),
    "dash-doubled": instead(r" - ", " - - ", " -- ", " \u2013 "),
    "dash-wrong": instead(r" - ", " + ", " > ", " = ", " . ", " | "),
    "comma-wrong": instead(r"(?<=\w), (?=\w)", " ", ". ", "; ", " - ", ",, "),
    "mark-dropped": dropped(r"[:|=*]|(?<=\w)\.(?=[a-z])"),
    "mark-wrong": instead(r"(?<=\w): |(?<=\w)=(?=\w)| \| |\n\| ", "; ", " = ", ": ", " || ", ", "),
    "times-wrong": instead(r"(?<=[\w)\]])\*(?=[\w(])", "x", " x ", "**", "^", "\u00d7", "."),
    "operator-wrong": operator_wrong,
    "width-wrong": number_in(r"CONV|FC|LINEAR|UPCONV|EMBEDDING|LSTM|[A-Z][a-z]\w*", "filters|width|dim|stem", 0),
    "kernel-wrong": number_in(r"CONV|POOL|UPCONV|AVGPOOL|Unit|Same|ConvBN", "kernel|size|patch", 1),
    "stride-wrong": number_in(r"CONV|POOL|UPCONV|AVGPOOL|Unit|ConvBN", "stride", 2),
    "padding-wrong": number_in(r"\w+", "padding", None),
    "groups-wrong": number_in(r"\w+", "groups|group|heads|dilation|factor|r|expansion", 3),
    "number-wrong": any_number,
    "input-wrong": wrong_input,
    "type-wrong": literal_type,
    "argument-missing": missing_argument,
    "argument-extra": extra_argument,
    "argument-foreign-call": instead(r"\bCONV\((?=\w+, )|\bFC\((?=\w+\))|\bLINEAR\((?=\w+)", "{0}3, ", "{0}512, "),
    "layers-exchanged": exchanged,
    "layer-dropped": step_dropped,
    "layer-doubled": step_doubled,
    "arms": arms,
    "text-wrong": strings,
    "reshape-wrong": number_in(r"RESHAPE|PERMUTE|SELECT|CHUNK|SLICE|MEAN|PARAM|PIXELSHUFFLE", "axis|[a-z]", 0),
    "count-wrong": instead(r"(?<=[)\]])\*\d\b|(?<=[a-z])\*\d\b", "*0", "*1.5", "*-1", "*20", "*N"),
    "assert-wrong": wrong_assert,
    "line-constant": lines(r"\w+ = "),
    "line-input": lines("input "),
    "line-use": lines("use "),
    "line-any": lines(r"[A-Za-z@(\[]"),
    "label-dropped": dropped(r"\b[a-z]\w*(?:\{[^{}\n]*\})?: "),
    "label-taken": label_taken,
    "line-break": line_break,
    "tuple-wrong": tuples,
    "space-added": instead(r"(?<=[A-Z])\((?=\w)|(?<=\w)(?=\{)|(?<=@)(?=\w)", " {0}"),
    "comment-wrong": lambda text, chance: (
        (m.start(), m.end(), chance.choice(["// ", "", "-- ", "% "])) for m in re.finditer(r"(?<!\S)# ?", text)
    ),
}  # fmt: skip


def candidates(kind: str, seed: int) -> list[Seeded]:
    """All edits of a kind over all specs, in an order drawn by the seed."""
    chance = random.Random(f"{seed} {kind}")
    found: dict[tuple[Path, int, int, str], Seeded] = {}
    for spec in SPECS:
        blank = Seeded(kind, spec, 0, 0, "")
        text = original(blank.file)
        for start, end, new in KINDS[kind](text, chance):
            if new != text[start:end]:
                found.setdefault((blank.file, start, end, new), blank._replace(start=start, end=end, new=new))
    result = list(found.values())
    chance.shuffle(result)
    return result


def main(seed: int, each: int) -> None:
    """Write a file for each kind."""
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for kind in KINDS:
            rows: list[str] = []
            specs: dict[str, int] = {}
            tried = valid = 0
            for fault in candidates(kind, seed):
                if len(rows) == each:
                    break
                if specs.get(fault.spec, 0) >= max(1, each // 5):
                    continue
                tried += 1
                outcome = bench.outcome(fault)
                if outcome.first is None:
                    valid += 1
                    continue
                specs[fault.spec] = specs.get(fault.spec, 0) + 1
                rows.append(written(fault, outcome))
            (FOLDER / f"{kind}.txt").write_text(
                "".join(f"{row}\n" for row in sorted(rows, key=lambda r: r.split(None, 3)[3])), encoding="utf-8"
            )
            total += len(rows)
            print(f"{kind:22} {len(rows):3} faults, {valid:3} of {tried} edits leave the spec valid", file=sys.stderr)
    print(f"{total} faults in {FOLDER.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main(*map(int, (*sys.argv[1:], 1, 8)[:2]) if len(sys.argv) != 2 else (int(sys.argv[1]), 8))
