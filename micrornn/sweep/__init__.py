"""Sweeps: many trainings with different settings and seeds, on all cores or on a cluster.

Read `grid` (what is tried), `store` (the file), `trial` (one run), `cluster` (where), `runner` (the loop),
`search` (Optuna instead of all combinations), and `report` (what came out).
"""
