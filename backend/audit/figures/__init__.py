"""Numbers → plotly figures, each in two steps: a NamedTuple that tests check, then how it looks."""
