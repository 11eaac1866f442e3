"""Figures that are only compared with each other, measured by turns on the same machine."""

from statistics import median

__all__ = ["alternate", "median", "percentile"]


def percentile(values, percent):
    """percent is from 0 to 100, the largest value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def alternate(rounds, *measures):
    """Runs the measures by turns, rounds times; one list of values per measure."""
    values = [[] for _ in measures]
    for _ in range(rounds):
        for kept, measure in zip(values, measures, strict=True):
            kept.extend(measure())
    return values
