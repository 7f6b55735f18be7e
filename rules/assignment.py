"""The best one-to-one assignment between two lists, exactly (Kuhn-Munkres with potentials)."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def best_assignment(gains: Sequence[Sequence[float | None]]) -> tuple[tuple[int, int], ...]:
    """The pairs (row, column), by row, whose gains (positive) add up to the most; None forbids a pair.

    Rows and columns may stay alone. Among equals the result is a function of the input alone. Takes time of
    the order rows² x (rows + columns).
    """
    if not gains:
        return ()
    rows, columns = len(gains), len(gains[0])
    width = columns + rows
    costs = [[0.0 if gain is None else -gain for gain in row] + [0.0] * rows for row in gains]
    row_potential, column_potential = [0.0] * (rows + 1), [0.0] * (width + 1)
    owner = [0] * (width + 1)
    for row in range(1, rows + 1):
        owner[0] = row
        column = 0
        least = [inf] * (width + 1)
        came_from = [0] * (width + 1)
        done = [False] * (width + 1)
        while True:
            done[column] = True
            at, delta, following = owner[column], inf, 0
            for j in range(1, width + 1):
                if done[j]:
                    continue
                slack = costs[at - 1][j - 1] - row_potential[at] - column_potential[j]
                if slack < least[j]:
                    least[j], came_from[j] = slack, column
                if least[j] < delta:
                    delta, following = least[j], j
            for j in range(width + 1):
                if done[j]:
                    row_potential[owner[j]] += delta
                    column_potential[j] -= delta
                else:
                    least[j] -= delta
            column = following
            if owner[column] == 0:
                break
        while column:
            owner[column] = owner[came_from[column]]
            column = came_from[column]
    pairs = ((owner[j] - 1, j - 1) for j in range(1, columns + 1) if owner[j])
    return tuple(sorted(pair for pair in pairs if gains[pair[0]][pair[1]] is not None))
