"""Rounds: the tools take turns within each, and what counts is the median of the rounds' ratios. Absolute figures move by a factor of two
between hours, ratios within one run by 5 %."""

import math
import statistics
import subprocess

from processes import Failed, Missing
from scenarios import compared


def median(values):
    return statistics.median(values) if values else None


def attempt(scenario, bench, tool):
    """One run: its figures, or {"error": why}."""
    try:
        return scenario.run(bench, tool)
    except (Failed, Missing, subprocess.SubprocessError, OSError) as why:
        return {"error": str(why) or repr(why)}


def attempt_compared(scenario, bench, tool):
    """None when the bytes came back as they were, else {"error": why}."""
    try:
        compared(scenario, bench, tool)
        return None
    except (Failed, Missing, subprocess.SubprocessError, OSError) as why:
        return {"error": f"bytes compared: {str(why) or repr(why)}"}


def compare(scenario, bench, tools, rounds):
    """{"runs": {tool name: [figures or error]}, "errors": [...], "noisy": bool}. `tools`: name to a running tool, or to a maker of one."""
    runs = {name: [] for name in tools}
    twice = []  # the same tool twice in a row: how much this hour's figures wander
    headline = next(iter(scenario.figures))
    for number in range(rounds):
        order = list(tools) if number % 2 == 0 else list(tools)[::-1]
        for name in order:
            runs[name].append(attempt(scenario, bench, tools[name]))
        if number in (0, rounds - 1) and not scenario.own and rounds > 1:
            again, before = attempt(scenario, bench, tools[order[-1]]), runs[order[-1]][-1]
            if before.get(headline) and again.get(headline):
                twice.append(again[headline] / before[headline])
    if scenario.compare:
        for name in tools:
            again = attempt_compared(scenario, bench, tools[name])
            if again:
                runs[name].append(again)
    errors = [f"{name}, round {number + 1}: {run['error']}" for name, of in runs.items() for number, run in enumerate(of) if "error" in run]
    return {"id": scenario.id, "title": scenario.title, "runs": runs, "errors": errors, "noisy": any(abs(ratio - 1) > 0.1 for ratio in twice),
            "figures": {key: figure_row(key, figure, runs) for key, figure in scenario.figures.items()}}


def figure_row(key, figure, runs):
    """Median and spread of each tool, and the ratio of the first tool to each other one."""
    ours = next(iter(runs))
    row = {"unit": figure.unit, "better": figure.better, "label": figure.label, "budget": figure.budget, "limit": figure.limit, "tools": {}, "ratios": {}}
    for name, of in runs.items():
        values = [run[key] for run in of if run.get(key) is not None]
        if values:
            row["tools"][name] = {"median": median(values), "least": min(values), "most": max(values), "failed": sum("error" in run for run in of)}
        pairs = [(a[key], b[key]) for a, b in zip(runs[ours], of) if a.get(key) and b.get(key) and math.isfinite(a[key]) and math.isfinite(b[key])]
        if name != ours and pairs:
            row["ratios"][name] = median([a / b for a, b in pairs])
    row["met"] = met(row, ours)
    return row


def met(row, ours):
    """Whether what is promised is kept: by the ratio to the first peer, and absolutely. None where nothing is promised or known."""
    kept = []
    if row["budget"] is not None and row["ratios"]:
        ratio = next(iter(row["ratios"].values()))
        kept.append(ratio >= row["budget"] if row["better"] == "more" else ratio <= row["budget"])
    if row["limit"] is not None and ours in row["tools"]:
        value = row["tools"][ours]["median"]
        kept.append(value >= row["limit"] if row["better"] == "more" else value <= row["limit"])
    return all(kept) if kept else None
