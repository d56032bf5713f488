"""What was probably meant: single edits that would mend a spec, each of them tried on the whole of it.

A spec that is wrong is most often one slip away from one that is right. Edits that undo common slips are made and
checked until the budget is spent (trials.py); those that leave no error are told as help. Where all of them
change the same place, that is where the fault is, and not where it shows, such as an ADD far behind a wrong width
or an assertion at the end of the file. Fixes that the layers themselves propose are tried in the same way, and those
that do not mend the whole are taken back.

candidates.py  what an edit is, and the tokens of a text
parsing.py     which of these are tried for a text that does not parse
brackets.py    a bracket too many, too few, or of the wrong kind
heads.py       a line that opens brackets, left out
layout.py      which brackets have no partner, and how odd a text looks with an edit of them
lines.py       a comment without its mark, a shape with commas, a quote too few
items.py       items in brackets: a comma that is missing, an item too many
marks.py       marks between steps and values, and misspelt words
readings.py    marks with which a text parses as something else
names.py       a misspelt definition
values.py      numbers, shapes, operators, the items of a list
tables.py      lists of rows and columns
steps.py       steps in the wrong order, twice, or left out, and arms
gaps.py        where a step may be missing
lost.py        a step that left names without a use, or whose weights are missing
more.py        a step more where the order of steps or labels has a hole
calls.py       arguments too many or too few, and a block's parameters
habits.py      what the spec does elsewhere, which makes a repair likelier
oddities.py    what stands alone in how it is written, or what an assertion tells to a letter
widths.py      a map that is missing, of the width that an assertion tells
conventions.py what networks usually have, and what speaks against it
duals.py       how a measure changes with each number, from one elaboration
slopes.py      which numbers are not worth a trial, and which come first
proposals.py   which of these are tried for which error, the likeliest first
search.py      which of them mend it
telling.py     what is made of those that do: help, fixes, and the place

The idea is that of Lerner, Flower, Grossman and Chambers, "Searching for Type-Error Messages" (PLDI 2007).
"""

from archdsl.repair.search import repair

__all__ = ["repair"]
