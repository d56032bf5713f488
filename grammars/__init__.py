"""The grammars of the language, shipped with the package."""
