"""`python -m archdsl`, the same as the command `archdsl`."""

from archdsl.cli import main

main()
