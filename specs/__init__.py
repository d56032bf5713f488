"""Networks in the language, shipped with the package."""
