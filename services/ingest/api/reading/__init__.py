"""What understands a file, in the order in which a file passes through it.

`parsing` is the way in. `options` is what the request said. `envelope` makes UTF-8 of it and finds the header row,
which `columns` understands by the `dictionary` of `sources`;
`records` knows quotes. `flat` makes a line of each record. `lines`
tells plain lines from odd ones; over the odd ones `deciding` finds how the file writes `numbers` and `dates`, and
in which `money`. `judging` then judges the odd records: by `checks` (with `devices`), or as `totals`. `loading` leads
through all this, `counting` holds the tables and writes what comes of them, `originals` finds refused records again
as they stood, `reporting` says what was understood, and `parsed` is the result.
"""
