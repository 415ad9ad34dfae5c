#!/usr/bin/env python3
"""Checks how things are written in the source tree:

  - an invariant ("//  CA1 calls on one component leave in order") has two letters that no other file's have, and is
    defined once; whoever cites one, a comment, the title of a test or a page, cites one that there is;
  - a statement is no conditional expression (`done ? Next() : Wait();`), and returns no comma (`return Stop(), status;`).

  check_words.py ROOT

Exits with 1 when one of these is not so, one line for each place.
"""

import pathlib
import re
import sys

FOLDERS = ("runtime", "client", "driver", "worker", "tests")
DEFINED = re.compile(r"^\s*//  ([A-Z]{1,3})(\d+) ")
CITED = re.compile(r"(?<![\w./-])([A-Z]{2})(\d{1,2})(?!\w)")
OLD = re.compile(r"\((?:[A-Z]\d(?:[,–-] ?)?)+\)")  # "(P2)", in the title of a test
COMMENT = re.compile(r"//.*$")
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)+'")
RAW = re.compile(r'R"(\w*)\(.*?\)\1"', re.DOTALL)
ANGLES = re.compile(r"<[^<>;(){}=&|]*>")


# ---- invariants
def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path


def pages(root):
    yield from sorted(root.glob("*.md"))
    for folder in ("docs", *FOLDERS):
        yield from sorted((root / folder).rglob("*.md"))


def definitions(root):
    """(prefix, number) of each invariant, with the places where it is defined."""
    found = {}
    for path in sources(root):
        if path.relative_to(root).parts[0] == "tests":
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := DEFINED.match(line):
                found.setdefault((match[1], int(match[2])), []).append(path.relative_to(root).as_posix())
    return found


def definition_problems(defined):
    owners = {}
    for (prefix, number), places in sorted(defined.items()):
        if len(places) > 1:
            yield f"{prefix}{number} is defined in {' and in '.join(places)}"
        if len(prefix) != 2:
            yield f"{places[0]}: {prefix}{number}: an invariant has two letters"
        owners.setdefault(prefix, set()).update(places)
    for prefix, places in sorted(owners.items()):
        if len(places) > 1:
            yield f"the invariants {prefix} are of {', '.join(sorted(places))}: two letters are one file's"


def words_of(path, line):
    """What of the line is for people: the whole of a page's, comments and strings of code."""
    if path.suffix == ".md":
        return line
    if line.startswith("#include"):
        return ""
    if line.lstrip().startswith("//"):
        return line
    return " ".join(re.findall(r'"(?:[^"\\]|\\.)*"|//.*$', line))


def citation_problems(root, defined):
    prefixes = {prefix for prefix, _ in defined}
    for path in [*sources(root), *pages(root)]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{path.relative_to(root)}:{number}"
            words = words_of(path, line)
            for prefix, index in CITED.findall(words):
                if prefix in prefixes and (prefix, int(index)) not in defined:
                    yield f"{where}: there is no {prefix}{index}"
            if "TEST_CASE" in line and OLD.search(words):
                yield f"{where}: {OLD.search(words)[0]}: an invariant has two letters"


# ---- statements
def bare(text):
    """The code, line by line, without comments, literals, directives and lists of template arguments."""
    text = RAW.sub('""', text)
    lines = []
    for line in text.splitlines():
        line = "" if line.lstrip().startswith("#") else COMMENT.sub("", LITERAL.sub('""', line))
        lines.append(line)
    text = "\n".join(lines)
    while (less := ANGLES.sub("", text)) != text:
        text = less
    return text


def statements(text):
    """Each statement that ends with a semicolon, without what stands in its brackets, and the line on which it ends."""
    stack, statement, line = [], "", 1
    for character in text:
        if character == "\n":
            line += 1
            character = " "
        if character in "({[":
            stack.append((character, statement))
            statement = ""
        elif character in ")}]":
            if stack:
                opened, before = stack.pop()
                # A body ends its statement, unless it is a lambda's or a list of values, which is part of one.
                statement = before + " "
                if opened == "{" and not re.search(r"[=,(]|return|\?|:", before.rpartition(";")[2]):
                    statement = ""
        elif character == ";":
            yield line, statement.strip()
            statement = ""
        else:
            statement += character


def statement_problems(root):
    for path in sources(root):
        for line, statement in statements(bare(path.read_text(encoding="utf-8"))):
            statement = re.sub(r"<[^<>]*>", "", statement)  # what of a template's arguments had brackets in it
            where = f"{path.relative_to(root)}:{line}"
            if "?" in statement and not re.search(r"=|\breturn\b|<<|\bthrow\b|\bco_\w+|\busing\b|\bstatic_assert\b", statement):
                yield f"{where}: a statement is no conditional expression: say if"
            if re.match(r"(?:.*\b)?return\b", statement) and "," in statement.partition("return")[2]:
                yield f"{where}: a statement returns one thing, and does another before it"


def problems(root):
    defined = definitions(root)
    yield from definition_problems(defined)
    yield from citation_problems(root, defined)
    yield from statement_problems(root)


def main():
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
