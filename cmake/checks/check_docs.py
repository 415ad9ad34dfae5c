#!/usr/bin/env python3
"""Checks that docs/options.md names every field of the public option structs, in a row of the struct's own section.

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
FIELD = re.compile(r"^  [\w:<>\s,()&]*?[\w>)]\s(\w+) = [^=]", re.MULTILINE)


def fields(root, struct, header):
    text = (root / header).read_text(encoding="utf-8")
    body = re.search(r"^struct " + struct + r" \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL)
    if body is None:
        sys.exit(f"check_docs: there is no struct {struct} in {header}")
    code = re.sub(r"//[^\n]*", "", body[1])
    return FIELD.findall(code)


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
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
