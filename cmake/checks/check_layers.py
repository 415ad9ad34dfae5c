#!/usr/bin/env python3
"""Checks what the files of the source tree include.

  check_layers.py ROOT LAYER=DEPENDENCY,DEPENDENCY...

LAYER is a directory of runtime/, or "client"; it may include its dependencies and what these depend on. Besides:
public headers include <twinkle/...>, <absl/...> and the C++ standard library only, and those of runtime/ none of
client/; gRPC is used by runtime/rpc alone; a quoted path starts at the root and exists; how connections are secured
is said in runtime/rpc/credentials.cc alone, tests aside. Files that outgrew the usual size are named as a note. Exits with 1 when a rule is broken, one line for each place.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')
STANDARD = re.compile(r"^[a-z_]+$")  # <vector>; <stdint.h> and <unistd.h> are not C++'s
GRPC = re.compile(r"^(grpc|grpcpp|grpc\+\+)/|\.grpc\.pb\.h$")
CREDENTIALS = re.compile(r"\b(Insecure(Channel|Server)|Ssl(Server)?|Tls(Server)?)Credentials\b")
CREDENTIALS_FILE = "runtime/rpc/credentials.cc"
METADATA = re.compile(r"\bAddMetadata\(")
METADATA_FOLDER = "runtime/rpc/"
GENERATED = re.compile(r"\.pb\.h$|^twinkle/internal/members_table\.h$")
PUBLIC_ROOTS = ("runtime/include", "client/include")
LINES = {".h": 250, ".cc": 500}


def parse_layers(arguments):
    """{"mesh": {"base"}, ...} with the dependencies of dependencies."""
    reachable = {}
    for argument in arguments:  # in order: a layer comes after those it depends on
        name, _, dependencies = argument.partition("=")
        reachable[name] = {name}
        for dependency in filter(None, dependencies.split(",")):
            if dependency not in reachable:
                sys.exit(f"check_layers: {name} depends on {dependency}, which comes after it or does not exist")
            reachable[name] |= reachable[dependency]
    return reachable


def layer_of(path):
    """The layer that a path from the root belongs to, None for one that no rule is about."""
    parts = path.split("/")
    if parts[0] == "runtime" and len(parts) > 2 and parts[1] != "include":
        return parts[1]
    return "client" if path.startswith("client/src/") else None


def is_public(path):
    return path.startswith(PUBLIC_ROOTS)


class Checker:
    def __init__(self, root, layers):
        self.root = root
        self.layers = layers
        self.problems = []

    def check_file(self, path):
        for number, line in enumerate((self.root / path).read_text(encoding="utf-8").splitlines(), 1):
            if CREDENTIALS.search(line) and path != CREDENTIALS_FILE and not path.startswith("tests/"):
                self.problems.append(f"{path}:{number}: only {CREDENTIALS_FILE} says how connections are secured")
            if METADATA.search(line) and not path.startswith((METADATA_FOLDER, "tests/")):
                self.problems.append(f"{path}:{number}: a call begins with rpc::Introduce, which says the protocol first")
            match = INCLUDE.match(line)
            if match:
                problem = self.check_include(path, angled=match[1], quoted=match[2])
                if problem:
                    self.problems.append(f"{path}:{number}: {problem}")

    def check_include(self, path, angled, quoted):
        if is_public(path):
            if quoted:
                return f'a public header includes nothing in quotes: "{quoted}"'
            if not angled.startswith(("twinkle/", "absl/")) and not STANDARD.match(angled):
                return f"a public header includes Twinkle's, Abseil's and the standard library's only: <{angled}>"
        if GRPC.search(angled or quoted) and path.startswith("runtime/") and not path.startswith("runtime/rpc/"):
            return f"only runtime/rpc uses gRPC: {angled or quoted}"
        if quoted:
            return self.check_quoted(path, quoted)
        return self.check_angled(path, angled)

    def check_quoted(self, path, quoted):
        if is_public("/".join(quoted.split("/")[:2])):
            return f'a public header is included as <twinkle/...>: "{quoted}"'
        if not GENERATED.search(quoted) and not (self.root / quoted).is_file():
            return f'no such file from the root of the tree: "{quoted}"'
        own, other = layer_of(path), layer_of(quoted)
        if path.startswith("client/examples/") and not quoted.startswith("client/examples/"):
            return f'an example uses the public interface only: "{quoted}"'
        if path.startswith(("runtime/", "client/")) and quoted.startswith("tests/"):
            return f'the library does not include tests: "{quoted}"'
        if own and other and other not in self.layers.get(own, {own}):
            return f'{own} is below {other}, or beside it: "{quoted}"'
        if path.startswith("runtime/") and quoted.startswith("client/"):
            return f'runtime is below client: "{quoted}"'
        return None

    def check_angled(self, path, angled):
        if not angled.startswith("twinkle/") or GENERATED.search(angled):
            return None
        if (self.root / "runtime/include" / angled).is_file():
            return None
        if not (self.root / "client/include" / angled).is_file():
            return f"no such public header: <{angled}>"
        if path.startswith("runtime/"):
            return f"runtime is below client: <{angled}>"
        return None


def sources(root):
    for top in ("runtime", "client", "driver", "worker", "tests"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in LINES:
                yield path.relative_to(root).as_posix()


def note_long_files(root, paths):
    for path in paths:
        limit = LINES[pathlib.PurePath(path).suffix]
        lines = (root / path).read_bytes().count(b"\n")
        if lines > limit:
            print(f"note: {path} has {lines} lines; past {limit} there is usually a second thing in it")


def main(arguments):
    root = pathlib.Path(arguments[0])
    checker = Checker(root, parse_layers(arguments[1:]))
    # The project outside the tree is a user's: its includes are its own.
    paths = [path for path in sources(root) if not path.startswith("tests/consumer/")]
    for path in paths:
        checker.check_file(path)
    note_long_files(root, paths)
    for problem in checker.problems:
        print(problem, file=sys.stderr)
    return 1 if checker.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
