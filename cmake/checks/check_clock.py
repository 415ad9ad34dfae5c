#!/usr/bin/env python3
"""Checks that wall time decides nothing.

  check_clock.py ROOT

Timers, waits, deadlines and leases run on the monotonic clock (runtime/base/clock.h). Wall time, and waits that take a
point of it, may be named only in the files listed here, which show it to people or take it from them. Exits with 1 when
another file does, one line for each place.
"""

import pathlib
import re
import sys

WALL = re.compile(
    r"absl::(Now|Time|InfiniteFuture|InfinitePast|UnixEpoch|ToChronoTime|FromChrono)\b(?!Zone)"
    r"|system_clock|CLOCK_REALTIME|gettimeofday|GPR_CLOCK_REALTIME|\btime\(nullptr\)")

# File: what wall time it has to do with.
ALLOWED = {
    "driver/main.cc": "the journal and the log say when something happened",
    "client/include/twinkle/wait_limit.h": "a deadline of the user's is turned into the time left where it comes in",
    "client/src/wait_limit.cc": "a deadline of the user's is turned into the time left where it comes in",
    "runtime/include/twinkle/internal/default_codec.h": "points in time are values that can be sent",
}


def main():
    root = pathlib.Path(sys.argv[1])
    wrong = False
    for folder in ("runtime", "client", "driver", "worker"):
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in (".h", ".cc") or name in ALLOWED:
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                code = line.split("//", 1)[0]
                if WALL.search(code):
                    wrong = True
                    print(f"{name}:{number}: wall time: {line.strip()}: use base::Now() and base::Instant, or list the "
                          "file in cmake/checks/check_clock.py with the reason")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
