#!/usr/bin/env python3
"""Checks what the pages say against the source tree and the programs:

  - docs/options.md names every field of the public option structs and every option that a program's --help shows, each in a
    row of its own section, and every environment variable that is read; docs/commands.md has every command;
  - docs/rules.md has every rule, in the table that is about it;
  - what README.md and docs/ show of programs stands in tests/docs/, which compiles;
  - every link of a page, whichever, leads to a file that is there and to a heading that it has; one whose words are a name
    of the code, as in [`Class::Function`](file.cc), to a file that has the name;
  - every page of docs/ is linked from README.md, which is one page long.

  check_docs.py ROOT FOLDER_OF_PROGRAMS
"""

import os.path
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
RULES = {"Execute": "option", "Dispatch": "option", "Collect": "collect rule"}  # where: what the table's head says
FOLDERS = ("docs", "runtime", "client", "driver", "worker", "proto", "tests", "deploy", "cmake")
README_LINES = 150
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
NAME = re.compile(r"`(?:\w+::)*(\w+)`")
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


def help_of(*words):
    return subprocess.run([*words, "--help"], capture_output=True, text=True, check=True).stdout


def program_commands(program):
    return re.findall(r"^  (\w+) ", help_of(program).partition("\nSubcommands:\n")[2], re.MULTILINE)


def program_options(program):
    found = set(OPTION.findall(help_of(program).partition("\nSubcommands:\n")[0]))
    for command in program_commands(program):
        found |= set(OPTION.findall(help_of(program, command)))
    return found - {"--help", "--version", "--config"}


def commands(root, program):
    told = re.findall(r"^\| `twinkle (\w+)", (root / "docs/commands.md").read_text(encoding="utf-8"), re.MULTILINE)
    for name in sorted(set(told) ^ set(program_commands(program))):
        where = "is none, but stands in" if name in told else "has no row in"
        yield f"the command twinkle {name} {where} docs/commands.md"


def compare(text, title, there, what):
    """The words that open the rows of the section against what is there; a line for each difference."""
    section = re.search(r"^## " + title + r"\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    told = re.findall(r"^\| `([\w-]+)`", section[1] if section else "", re.MULTILINE)
    for name in sorted(set(there) ^ set(told)):
        where = "is not in" if name in there else "is none, but stands in"
        yield f"{title}: the {what} {name} {where} docs/options.md"


def rules(root):
    """Each rule of each enum that has no row in its table of docs/rules.md, and the other way round."""
    header = (root / "runtime/include/twinkle/rules.h").read_text(encoding="utf-8")
    page = (root / "docs/rules.md").read_text(encoding="utf-8")
    for enum, head in RULES.items():
        body = re.search(r"^enum class " + enum + r" : \w+ \{\n(.*?)^\};", header, re.MULTILINE | re.DOTALL)[1]
        there = re.findall(r"^  (k\w+)", body, re.MULTILINE)
        told = []
        table = re.search(r"^\| " + head + r" \|.*\n((?:\|.*\n)*)", page, re.MULTILINE)
        for row in table[1].splitlines() if table else []:
            first = row.split("|")[1]
            if f"`{enum}::" in first:
                told += re.findall(r"\bk[A-Z]\w*", first)
        for name in sorted(set(there) ^ set(told)):
            where = "has no row in" if name in there else "is none, but stands in"
            yield f"{enum}::{name} {where} docs/rules.md"


# ---- code
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


def code(root):
    sources = [squeezed(path.read_text(encoding="utf-8")) for path in sorted((root / "tests/docs").glob("*.cc"))]
    for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        for block in re.findall(r"^```cpp\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            if not any(stands_in(block, source) for source in sources):
                yield f"{page.relative_to(root)}: this is in no file of tests/docs:\n{block}"


# ---- links
def without_code(text):
    """The page without what is shown as it is written."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """What #… may lead to, as GitHub makes it of the headings."""
    found = set()
    for heading in re.findall(r"^#+ +(.+?) *$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        same = sum(1 for other in found if re.fullmatch(re.escape(anchor) + r"(-\d+)?", other))
        found.add(f"{anchor}-{same}" if same else anchor)
    return found


def links(page):
    """The page's links into the tree: the words, the link as it stands there, its file and its anchor."""
    for words, link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if not re.match(r"\w+:", link):
            path, _, anchor = link.partition("#")
            target = pathlib.Path(os.path.normpath(page.parent / path)) if path else page
            yield words, link, target, anchor


def pages(root):
    yield from sorted(root.glob("*.md"))
    for folder in FOLDERS:
        yield from sorted((root / folder).rglob("*.md"))


def broken_links(root):
    for page in pages(root):
        for words, link, target, anchor in links(page):
            name = NAME.fullmatch(words)
            if not target.exists():
                yield f"{page.relative_to(root)}: {link} leads to no file"
            elif name and target.is_file() and not re.search(rf"\b{name[1]}\b", target.read_text(encoding="utf-8")):
                yield f"{page.relative_to(root)}: {link} has no {name[1]}"
            elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
                yield f"{page.relative_to(root)}: {link}: there is no such heading"


def first_page(root):
    readme = root / "README.md"
    lines = len(readme.read_text(encoding="utf-8").splitlines())
    if lines > README_LINES:
        yield f"README.md has {lines} lines, of {README_LINES}: what is more goes to docs/"
    linked = {target for _, _, target, _ in links(readme)}
    for page in sorted((root / "docs").rglob("*.md")):
        if page not in linked:
            yield f"README.md has no link to {page.relative_to(root)}"


def problems(root, programs):
    text = (root / "docs/options.md").read_text(encoding="utf-8")
    for struct, header in STRUCTS.items():
        yield from compare(text, struct, fields(root, struct, header), "field")
    for program in PROGRAMS:
        yield from compare(text, program, program_options(programs / program), "option")
    for variable in sorted(set(variables(root))):
        if f"`{variable}`" not in text:
            yield f"docs/options.md: {variable} is read, but not named there"
    yield from commands(root, programs / "twinkle")
    for check in (rules, code, broken_links, first_page):
        yield from check(root)


def main():
    found = list(problems(pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2])))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
