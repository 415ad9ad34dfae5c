#!/usr/bin/env python3
"""Runs the benchmark and those of other systems in turn, and compares.

Every system is a command that prints one JSON object for each metric and line, {"metric": …, "value": …, "unit": …}:
twinkle-benchmark does, and whatever is given with --peer. Their rounds alternate, because the pace of a shared machine
drifts; medians over the rounds are compared. Floors are measured in our own run: a bare blocking gRPC call beside
call_sync_us, memcpy beside put_256mib_gbs.

    compare.py --benchmark build/release/tests/benchmark/twinkle-benchmark \\
        --peer "ray=venv/bin/python ray_bench.py" --rounds 3 --json ratios.json --svg ratios.svg
"""
import argparse
import json
import math
import re
import shlex
import statistics
import subprocess
import sys

# What floors are called in the benchmark's output: metric -> (metric that carries it, key).
FLOORS = {"call_sync_us": "grpc_unary_us", "put_256mib_gbs": "memcpy_gbs"}
SPEEDS = ("1/s", "GB/s")  # units of which more is better


def run(name, command):
    """The records that a system printed. Lines that are no records are its log."""
    print(f"running {name}: {shlex.join(command)}", file=sys.stderr)
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode != 0:
        print(f"{name} ended with code {process.returncode}", file=sys.stderr)
    records = []
    for line in process.stdout.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("value"), (int, float)):
            records.append(record)
    return records


def medians(rounds, key=lambda record: (record["metric"], record["value"])):
    """metric -> median over the rounds."""
    values = {}
    for records in rounds:
        for record in records:
            metric, value = key(record)
            if value is not None:
                values.setdefault(metric, []).append(value)
    return {metric: statistics.median(all_values) for metric, all_values in values.items()}


def times_better(ours, theirs, unit):
    """Above 1: ours is better by that factor."""
    if ours <= 0 or theirs <= 0:
        return None
    return ours / theirs if unit in SPEEDS else theirs / ours


def compare(our_rounds, peer_rounds):
    units = {record["metric"]: record["unit"] for records in our_rounds for record in records}
    ours = medians(our_rounds)
    floors = medians(our_rounds, lambda r: (r["metric"], r.get(FLOORS.get(r["metric"]))))
    peers = {name: medians(rounds) for name, rounds in peer_rounds.items()}
    return [{"metric": metric, "ours": value, "unit": units[metric],
             "peers": {name: values[metric] for name, values in peers.items() if metric in values},
             "floor": floors.get(metric)}
            for metric, value in ours.items()]


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def beside(row, value):
    factor = None if value is None else times_better(row["ours"], value, row["unit"])
    return number(value) + (f" ({factor:.3g} ×)" if factor is not None else "")


def table(rows, names):
    lines = ["| metric | ours | " + "".join(f"{name} | " for name in names) + "floor |",
             "|---|---|" + "---|" * (len(names) + 1)]
    for row in rows:
        cells = [beside(row, row["peers"].get(name)) for name in names] + [beside(row, row["floor"])]
        lines.append(f"| {row['metric']} | {number(row['ours'])} {row['unit']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def svg(rows, names):
    """Bars of how many times better ours is than each peer and the floor, on a logarithmic scale."""
    bars = []
    for row in rows:
        others = [(name, row["peers"].get(name)) for name in names] + [("floor", row["floor"])]
        for name, value in others:
            factor = None if value is None else times_better(row["ours"], value, row["unit"])
            if factor is not None:
                bars.append((f"{row['metric']} / {name}", factor))
    left, width, height = 300, 520, 18
    least = min([factor for _, factor in bars] + [0.5])
    most = max([factor for _, factor in bars] + [2])
    scale = width / (math.log10(most) - math.log10(least))

    def at(factor):
        return left + (math.log10(factor) - math.log10(least)) * scale

    total = height * (len(bars) + 2)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{total}" '
             'font-family="sans-serif" font-size="11">',
             f'<text x="{left}" y="12">times better than (logarithmic; the line is 1)</text>']
    for i, (label, factor) in enumerate(bars):
        y = height * (i + 1) + 6
        begin, end = sorted((at(1), at(factor)))
        colour = "#3a7d44" if factor >= 1 else "#b5473c"
        parts.append(f'<text x="{left - 8}" y="{y + 10}" text-anchor="end">{label}</text>')
        parts.append(f'<rect x="{begin:.1f}" y="{y}" width="{max(end - begin, 1):.1f}" height="{height - 5}" '
                     f'fill="{colour}"/>')
        parts.append(f'<text x="{end + 4:.1f}" y="{y + 10}">{factor:.3g}</text>')
    parts.append(f'<line x1="{at(1):.1f}" y1="{height}" x2="{at(1):.1f}" y2="{total}" stroke="#333"/>')
    return "\n".join(parts + ["</svg>", ""])


def ranks_svg(rows):
    """What a group call costs against the number of ranks; both axes are logarithmic."""
    found = [(re.fullmatch(r"group_call_in_memory_(\d+)_us", row["metric"]), row["ours"]) for row in rows]
    points = sorted((int(match[1]), value) for match, value in found if match)
    slope = next((row["ours"] for row in rows if row["metric"] == "group_call_in_memory_us_per_rank"), None)
    if len(points) < 2:
        return '<svg xmlns="http://www.w3.org/2000/svg"/>\n'
    left, top, width, height = 60, 30, 420, 260
    low, high = (math.log10(bound(value for _, value in points)) for bound in (min, max))

    def at(ranks, value):
        return (left + width * math.log(ranks / points[0][0]) / math.log(points[-1][0] / points[0][0]),
                top + height * (1 - (math.log10(value) - low) / (high - low)))

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 80}" height="{top + height + 40}" '
             'font-family="sans-serif" font-size="11">',
             f'<text x="{left}" y="14">group call, µs, against ranks in memory: {number(slope)} µs a rank</text>',
             f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="#333"/>',
             '<polyline fill="none" stroke="#3a7d44" stroke-width="2" points="'
             + " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in points) + '"/>']
    for ranks, value in points:
        x, y = at(ranks, value)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#3a7d44"/>')
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 4:.1f}">{number(value)}</text>')
        parts.append(f'<text x="{x:.1f}" y="{top + height + 16}" text-anchor="middle">{ranks}</text>')
    return "\n".join(parts + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", required=True, help="twinkle-benchmark")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="few samples: that it works, not how fast")
    parser.add_argument("--json", metavar="FILE", help="[{metric, ours, unit, peers: {name: value}, floor}]")
    parser.add_argument("--svg", metavar="FILE", help="the ratios")
    parser.add_argument("--ranks-svg", metavar="FILE", help="what a group call costs against the number of ranks")
    arguments = parser.parse_args()
    commands = {}
    for peer in arguments.peer:
        name, separator, command = peer.partition("=")
        if not name or not separator or not command:
            parser.error(f"--peer {peer}: not NAME=COMMAND")
        commands[name] = shlex.split(command)
    own = [arguments.benchmark] + (["--quick"] if arguments.quick else [])
    our_rounds, peer_rounds = [], {name: [] for name in commands}
    for _ in range(arguments.rounds):
        our_rounds.append(run("twinkle", own))
        for name, command in commands.items():
            peer_rounds[name].append(run(name, command))
    rows = compare(our_rounds, peer_rounds)
    if not rows:
        print("the benchmark has measured nothing", file=sys.stderr)
        return 1
    print(table(rows, list(commands)))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    if arguments.svg:
        with open(arguments.svg, "w", encoding="utf-8") as file:
            file.write(svg(rows, list(commands)))
    if arguments.ranks_svg:
        with open(arguments.ranks_svg, "w", encoding="utf-8") as file:
            file.write(ranks_svg(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
