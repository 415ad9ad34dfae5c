#!/usr/bin/env python3
"""Checks that docs/options.md names every field of the public option structs and every option that a program's --help
shows, each in a row of its own section, and every environment variable that is read; and that what docs/howto.md shows
of programs stands in tests/docs/howto.cc, which compiles.

  check_docs.py ROOT FOLDER_OF_PROGRAMS
"""

import pathlib
import re
import subprocess
import sys

STRUCTS = {
    "InitializeOptions": "client/include/twinkle/session.h",
    "DeviceGroup": "runtime/include/twinkle/device_group.h",
    "RemoteOptions": "client/include/twinkle/remote_options.h",
}
PROGRAMS = ("twinkle-driver", "twinkle-worker", "twinkle")
OPTION = re.compile(r"^  (?:-\w,)?(--[\w-]+)", re.MULTILINE)
VARIABLE = re.compile(r'(?:envname|getenv)\("(TWINKLE_\w+)"')
FIELD = re.compile(r"^  [\w:<>\s,()&]*?[\w>)]\s(\w+) = [^=]", re.MULTILINE)


def fields(root, struct, header):
    text = (root / header).read_text(encoding="utf-8")
    body = re.search(r"^struct " + struct + r" \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL)
    if body is None:
        sys.exit(f"check_docs: there is no struct {struct} in {header}")
    code = re.sub(r"//[^\n]*", "", body[1])
    return FIELD.findall(code)


def variables(root):
    for folder in ("runtime", "client", "driver", "worker"):
        for path in sorted((root / folder).rglob("*.cc")):
            yield from VARIABLE.findall(path.read_text(encoding="utf-8"))


def program_options(program):
    said = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    options, subcommands = said.partition("\nSubcommands:\n")[::2]
    found = set(OPTION.findall(options))
    for subcommand in re.findall(r"^  (\w+) ", subcommands, re.MULTILINE):
        said = subprocess.run([program, subcommand, "--help"], capture_output=True, text=True, check=True).stdout
        found |= set(OPTION.findall(said))
    return found - {"--help", "--version", "--config"}


def compare(text, title, there, what):
    """The words that open the rows of the section against what is there; a line for each difference."""
    section = re.search(r"^## " + title + r"\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    told = re.findall(r"^\| `([\w-]+)`", section[1] if section else "", re.MULTILINE)
    for name in sorted(set(there) ^ set(told)):
        where = "is not in" if name in there else "is none, but stands in"
        yield f"{title}: the {what} {name} {where} docs/options.md"


def squeezed(code):
    """The code without comments and white space."""
    return re.sub(r"\s+", "", re.sub(r"//[^\n]*", "", code))


def stands_in(block, source):
    """Whether the source has the block's pieces in this order; a line of … stands for what is left out between two."""
    at = 0
    for piece in re.split(r"^\s*…\s*$", block, flags=re.MULTILINE):
        at = source.find(squeezed(piece), at)
        if at < 0:
            return False
        at += len(squeezed(piece))
    return True


def problems(root, programs):
    text = (root / "docs/options.md").read_text(encoding="utf-8")
    for struct, header in STRUCTS.items():
        yield from compare(text, struct, fields(root, struct, header), "field")
    for program in PROGRAMS:
        yield from compare(text, program, program_options(programs / program), "option")
    for variable in sorted(set(variables(root))):
        if f"`{variable}`" not in text:
            yield f"docs/options.md: {variable} is read, but not named there"
    source = squeezed((root / "tests/docs/howto.cc").read_text(encoding="utf-8"))
    howto = (root / "docs/howto.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```cpp\n(.*?)^```", howto, re.MULTILINE | re.DOTALL):
        if not stands_in(block, source):
            yield "docs/howto.md: this is not in tests/docs/howto.cc:\n" + block


def main():
    found = list(problems(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
