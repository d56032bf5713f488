"""Lines of code: of a text, and of what torchvision's file has for one of its models."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import warnings
from pathlib import Path
from types import FunctionType
from typing import Any, Union

import torchvision

from archdsl.zoo import lines

Documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
# what loads weights, keeps old interfaces alive and counts calls, and is none of a model
BESIDE = ("_api", "_meta", "presets", "utils", "anchor_utils")
FURTHER = ("_ovewrite_named_param", "_ovewrite_value_param", "handle_legacy_interface", "kwonly_to_pos_or_kw")


def code_lines(text: str) -> int:
    """A Python text's lines of code: no comments, no docstrings, no empty lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = ast.parse(text)
    docstrings: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, Documented) and ast.get_docstring(node) is not None:
            first = node.body[0]
            docstrings.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    numbered = enumerate(text.splitlines(), 1)
    return sum(1 for n, line in numbered if line.strip() and not line.lstrip().startswith("#") and n not in docstrings)


def needed(name: str) -> int:
    """The lines of all classes and functions of torchvision that make the model `name`, its builder included."""
    waiting: list[Any] = [inspect.unwrap(torchvision.models.get_model_builder(name))]
    found: dict[str, str] = {}
    while waiting:
        item = waiting.pop()
        try:
            text = textwrap.dedent(inspect.getsource(item))
        except OSError:  # a namedtuple, which has no class statement
            continue
        if found.setdefault(f"{item.__module__}.{item.__qualname__}", text) is not text:
            continue
        scope = vars(sys.modules[item.__module__])
        names = {node.id for node in ast.walk(_undecorated(text)) if isinstance(node, ast.Name)}
        waiting += [scope[n] for n in sorted(names) if n in scope and _counts(n, scope[n])]
    return sum(code_lines(text) - _decorators(text) for text in found.values())


def brevity(specs: Path) -> tuple[int, int]:
    """The lines of all specs below a folder, and of torchvision's files for the same models."""
    package = Path(inspect.getfile(torchvision)).parent
    models = package / "models"
    files = [path for path in models.glob("*.py") if path.stem not in ("_meta", "feature_extraction")]
    files += [*(models / "segmentation").glob("*.py"), models / "video" / "resnet.py", models / "video" / "s3d.py"]
    files += [package / "ops" / "misc.py", package / "ops" / "stochastic_depth.py"]
    theirs = sum(code_lines(path.read_text(encoding="utf-8")) for path in files)
    return sum(lines(str(path)) for path in specs.rglob("*.arch")), theirs


def _undecorated(text: str) -> ast.Module:
    module = ast.parse(text)
    head = module.body[0]
    if isinstance(head, (ast.ClassDef, ast.FunctionDef)):
        head.decorator_list = []
    return module


def _decorators(text: str) -> int:
    """The lines before a function's or a class's own."""
    head = ast.parse(text).body[0]
    return head.lineno - 1 if isinstance(head, (ast.ClassDef, ast.FunctionDef)) else 0


def _counts(name: str, item: Union[type, FunctionType, object]) -> bool:
    """Whether it is a class or function of a model of torchvision."""
    if not isinstance(item, (type, FunctionType)) or name in FURTHER or name.endswith("_Weights"):
        return False
    module = getattr(item, "__module__", "")
    return module.startswith("torchvision.") and not any(part in module for part in BESIDE)
