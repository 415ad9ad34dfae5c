#!/usr/bin/env python3
"""Checks that docs/options.md names every field of the public option structs, in a row of the struct's own section, and
every environment variable that is read.

  check_docs.py ROOT
"""

import pathlib
import re
import sys

STRUCTS = {
    "InitializeOptions": "client/include/twinkle/session.h",
    "DeviceGroup": "runtime/include/twinkle/device_group.h",
    "RemoteOptions": "client/include/twinkle/remote_options.h",
}
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


def main():
    root = pathlib.Path(sys.argv[1])
    text = (root / "docs/options.md").read_text(encoding="utf-8")
    wrong = False
    for struct, header in STRUCTS.items():
        section = re.search(r"^## " + struct + r"\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        told = re.findall(r"^\| `(\w+)` \|", section[1] if section else "", re.MULTILINE)
        there = fields(root, struct, header)
        for field in sorted(set(there) ^ set(told)):
            wrong = True
            where = "is not in" if field in there else "is no field, but stands in"
            print(f"{header}: {struct}.{field} {where} docs/options.md")
    for variable in sorted(set(variables(root))):
        if f"`{variable}`" not in text:
            wrong = True
            print(f"docs/options.md: {variable} is read, but not named there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
