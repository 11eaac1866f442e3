"""Measurements that take turns, and what is said of their results.

Two measurements of the same thing minutes apart differ by more than many an improvement, so what is
to be compared takes turns in a rotating order, and ratios are taken round by round.
"""

import statistics
import sys


def alternate(cases, rounds, show):
    """{name: [result of each round]} for {name: function}; show makes a text of a result."""
    names, results = list(cases), {name: [] for name in cases}
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            results[name].append(cases[name]())
            print(f"round {number + 1} {name}: {show(results[name][-1])}", file=sys.stderr,
                  flush=True)
    return results


def ratios(ours, theirs):
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def spread(values, digits=0):
    """Median, lowest and highest as text."""
    return (f"{statistics.median(values):,.{digits}f} "
            f"({min(values):,.{digits}f}–{max(values):,.{digits}f})")
