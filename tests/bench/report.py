"""The results for people: lines while it runs, a Markdown table, charts of how costs grow."""

import math


def text(value):
    if value is None or math.isinf(value):
        return "never"
    return f"{value:.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"


def spread(of):
    return f"{text(of['median'])} [{text(of['least'])}..{text(of['most'])}]" if of["least"] != of["most"] else text(of["median"])


def promise(row):
    parts = []
    sign = ">=" if row["better"] == "more" else "<="
    if row["budget"] is not None:
        parts.append(f"{sign} {row['budget']:g}x")
    if row["limit"] is not None:
        parts.append(f"{sign} {row['limit']:g} {row['unit']}".strip())
    mark = {True: " met", False: " MISSED", None: ""}[row["met"]]
    return ", ".join(parts) + mark if parts else ""


def print_result(result):
    print(f"\n{result['id']} {result['title']}" + ("   NOISY: the same tool twice differed by more than 10 %" if result["noisy"] else ""))
    for row in result["figures"].values():
        for name, of in row["tools"].items():
            ratio = f"   {row['ratios'][name]:.2f}x is ours of it" if name in row["ratios"] else ""
            print(f"  {row['label']:<26}{name:<14}{spread(of):>30} {row['unit']}{ratio}")
        if promised := promise(row):
            print(f"  {row['label']:<26}promised: {promised}")
    for error in result["errors"]:
        print(f"  FAILED {error}", flush=True)


# kubefwd on the same kind of server, pinned like the others (snapshot of July 2026, client-go 0.36.2): quoted where its program is not here.
KUBEFWD = [
    ("all services answered, 10 / 100 / 500 / 1000", "2.04 / 38.0 / 198 / 399 s"),
    ("services in one namespace", "256 at most"),
    ("memory (RSS) at 100 / 500 / 1000", "129 / 430 / 805 MB"),
    ("at rest with 1000", "1.57 % of a core, 203 wake-ups/s"),
    ("pod replaced: first answer after Ready", "1.02 s (5.04 s from its plain command line)"),
    ("upload 1 / 8 streams", "0.73 / 0.82 GB/s"),
    ("download 1 / 8 streams", "1.15 / 1.09 GB/s"),
    ("new connection p50 / p99; p50 at 20 ms", "360 / 834 us; 61.7 ms"),
    ("connections, 16 clients", "4150 /s"),
    ("a reader that stalls, eight others", "0 of 8"),
]


def reference(results):
    """kubefwd's figures of another day, unless it took part."""
    if any("kubefwd" in row["tools"] for result in results for row in result["figures"].values()):
        return ""
    lines = ["", "kubefwd did not take part: its program is not here (`--tool kubefwd=PROGRAM`). Measured on such a server before, where it agreed "
             "with kubectl's SPDY column within 6 %:", "", "| kubefwd | |", "|---|---|"]
    return "\n".join(lines + [f"| {what} | {figure} |" for what, figure in KUBEFWD]) + "\n"


def cell(name, row, failed):
    """What stands in a tool's column; runs that failed are named, not left out."""
    if name not in row["tools"]:
        return "failed" if name in failed else ""
    of = row["tools"][name]
    return spread(of) + (f", {of['failed']} failed" if of["failed"] else "")


def markdown(about, results, tools):
    """All figures, what they were measured on, and what is known of who did not take part."""
    return measured_on(about) + "\n" + table(results, tools) + reference(results)


def measured_on(about):
    return ", ".join(f"{name} {value}" for name, value in about.items()) + "\n"


def table(results, tools, chosen=lambda number, row: True):
    """A column for each tool; of each scenario the figures that are `chosen` (its number, its row), the headline being number 0."""
    lines = ["| scenario | unit | " + " | ".join(tools) + " | " + " | ".join(f"{tools[0]} to {name}" for name in tools[1:]) + " | promised |",
             "|---|---|" + "---|" * (2 * len(tools))]
    for result in results:
        failed = {error.split(",")[0] for error in result["errors"]}
        for number, row in enumerate(result["figures"].values()):
            if not chosen(number, row):
                continue
            title = f"{result['id']} {result['title']}" if number == 0 else f"&nbsp;&nbsp;{row['label']}"
            cells = [cell(name, row, failed) for name in tools]
            ratios = [f"{row['ratios'][name]:.2f}x" if name in row["ratios"] else "" for name in tools[1:]]
            lines.append("| " + " | ".join([title + (" (noisy)" if result["noisy"] and number == 0 else ""), row["unit"], *cells, *ratios, promise(row)]) + " |")
    return "\n".join(lines) + "\n"


BEGIN, END = "<!-- benchmark -->", "<!-- /benchmark -->"


def recorded_in(readme, about, results, tools):
    """The text of a README with the headlines and promises of this run between its marks. Raises ValueError where it has none."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no place between {BEGIN} and {END}")
    lines = table(results, tools, lambda number, row: number == 0 or promise(row))
    return f"{before}{BEGIN}\n{measured_on(about)}\n{lines}{END}{after}"


GROWTH = [  # title, unit, the scenarios along the axis, figure
    ("start until every service answered", "s", [("S1x10", 10), ("S1x100", 100), ("S1x500", 500), ("S1x1000", 1000)], "answered", "services"),
    ("memory at rest (PSS)", "MB", [("M1x10", 10), ("M1x100", 100), ("M1x1000", 1000)], "idle", "services"),
    ("memory, each used (PSS)", "MB", [("M1x10", 10), ("M1x100", 100), ("M1x1000", 1000)], "used", "services"),
    ("processor time at rest", "% of a core", [("I1x10", 10), ("I1x100", 100), ("I1x1000", 1000)], "cpu", "services"),
    ("upload", "GB/s", [("B1", 1), ("B3", 8), ("B3x64", 64)], "rate", "streams"),
    ("download", "GB/s", [("B2", 1), ("B4", 8), ("B4x64", 64)], "rate", "streams"),
    ("upload, processor time", "s/GB", [("B1", 1), ("B3", 8), ("B3x64", 64)], "cpu", "streams"),
    ("download, processor time", "s/GB", [("B2", 1), ("B4", 8), ("B4x64", 64)], "cpu", "streams"),
    ("connections", "/s", [("C1x1", 1), ("C1", 16), ("C1x64", 64)], "rate", "clients"),
]


def growth(results):
    """[(title, unit, axis, {tool: [(x, y)]})] of what was measured at two places of its axis or more."""
    known = {result["id"]: result for result in results}
    found = []
    for title, unit, along, figure, axis in GROWTH:
        lines = {}
        for scenario, x in along:
            for name, of in known.get(scenario, {"figures": {}})["figures"].get(figure, {"tools": {}})["tools"].items():
                lines.setdefault(name, []).append((x, of["median"]))
        if any(len(points) > 1 for points in lines.values()):
            found.append((title, unit, axis, lines))
    return found


def charts(results, folder):
    """SVG files of growth(results) in `folder`; their paths."""
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for title, unit, axis, lines in growth(results):
        figure, plot = pyplot.subplots(figsize=(5, 3.2))
        for name, points in lines.items():
            plot.plot(*zip(*points), marker="o", label=name)
        plot.set(xlabel=axis, ylabel=unit, title=title, xscale="log", ylim=(0, None), xticks=[x for x, _ in max(lines.values(), key=len)])
        plot.xaxis.set_major_formatter("{x:g}")
        plot.minorticks_off()
        plot.legend()
        figure.tight_layout()
        paths.append(folder / ("".join(c if c.isalnum() else "-" for c in title) + ".svg"))
        figure.savefig(paths[-1])
        pyplot.close(figure)
    return paths
