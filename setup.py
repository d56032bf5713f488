"""What pyproject.toml cannot say: where grammars/ and specs/ go in the package, and that tables are built.

The parser's tables are made from the grammar, and the zoo's numbers from its specs, whenever the package is built, so
that no start pays for it.
"""

from __future__ import annotations

import os
import sys

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))


class BuildWithTables(build_py):
    """`build_py`, and then the tables: beside what was built, or in the checkout for an editable install."""

    def run(self) -> None:
        super().run()
        sys.path.insert(0, HERE)  # a build backend does not put the project's folder there
        from archdsl import zoo_table
        from archdsl.syntax.tables import grammar_text, source_of_tables

        root = os.path.join(HERE if self.editable_mode else self.build_lib, "archdsl")
        made = {"syntax/_tables.py": source_of_tables(grammar_text()), "_zoo.json": zoo_table.text()}
        for name, text in made.items():
            with open(os.path.join(root, name), "w", encoding="utf-8") as out:
                out.write(text)


setup(
    packages=[*find_packages(HERE, include=["archdsl", "archdsl.*"]), "archdsl.grammars", "archdsl.specs"],
    package_dir={"archdsl.grammars": "grammars", "archdsl.specs": "specs"},
    package_data={
        "archdsl": ["py.typed", "explanations/*.md"],
        "archdsl.grammars": ["*.lark"],
        "archdsl.specs": ["*.arch", "**/*.arch"],
    },
    cmdclass={"build_py": BuildWithTables},
)
