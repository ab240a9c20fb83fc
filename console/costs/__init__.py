"""Bills: what providers charged, row by row, and what spot saved against on-demand prices.

A file is read with every column as text, checked by the console's own rules, and counted once.
Nothing here guesses a price: a spot row without an on-demand price is shown, never turned into a saving.
"""
