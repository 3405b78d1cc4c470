#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The JSON Schema accepts what the compiler accepts, and refuses unknown keys wherever one may stand."""
import copy
import glob
import json
import os
import sys

import jsonschema
import yaml

os.chdir(os.path.join(os.path.dirname(__file__), "../.."))
with open("schemas/intent.v1.schema.json", encoding="utf-8") as file:
    SCHEMA = json.load(file)
jsonschema.Draft7Validator.check_schema(SCHEMA)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

# Keys here are the author's own, so an unknown one cannot be told.
FREE = {"labels", "values"}
# Refused by the schema as well as by the compiler: these codes are about what a schema can see.
SEEN_BY_SCHEMA = ("0101", "0102", "0103", "0104", "0106", "0107", "0108", "0110", "0111", "0112", "0113",
                  "0114", "0121", "0122", "0123", "0124", "0125", "0126", "0128", "0129", "0131", "0132",
                  "0133", "0135", "0136", "0137", "0138", "0139", "0140", "0141", "0142", "0143", "0160", "0161",
                  "0162", "0163", "0165", "0177", "0211")



class Loader(yaml.SafeLoader):
    """Dates stay text, as the editors' reader of YAML 1.2 leaves them."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}

passed, failed = 0, 0


def check(condition, what):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print("FAILED", what)


def documents(path):
    with open(path, encoding="utf-8") as text:
        return [d for d in yaml.load_all(text, Loader) if d is not None]


def mappings(node, free=False):
    """Every mapping whose keys the language gives."""
    if isinstance(node, dict):
        if not free:
            yield node
        for key, value in node.items():
            yield from mappings(value, key in FREE)
    elif isinstance(node, list):
        for item in node:
            yield from mappings(item)


def accepts(path):
    for number, document in enumerate(documents(path)):
        errors = [e.message for e in VALIDATOR.iter_errors(document)]
        check(not errors, f"{path} document {number} is valid: {errors[:1]}")
        for index in range(len(list(mappings(document)))):
            mutant = copy.deepcopy(document)
            list(mappings(mutant))[index]["unknown-key"] = 1
            check(not VALIDATOR.is_valid(mutant), f"{path}: an unknown key in mapping {index} is refused")


def refuses(path):
    bad = any(not VALIDATOR.is_valid(document) for document in documents(path))
    check(bad, f"{path} is refused")


for example in sorted(glob.glob("examples/**/*.yaml", recursive=True)):
    accepts(example)
for case in sorted(glob.glob("tests/golden/diagnostics/[0-9]*")):
    name = os.path.basename(case)
    if name.startswith("0000"):
        for path in sorted(glob.glob(case + "/in/**/*.yaml", recursive=True)):
            # One that is not read, because no pattern matches it, holds something else.
            if all("kind" in document for document in documents(path)):
                accepts(path)
    elif name.startswith(SEEN_BY_SCHEMA):
        overlays = glob.glob(case + "/in/overlays/*.yaml")
        refuses(overlays[0] if overlays else case + "/in/gpc.yaml")

print(f"schema: {passed} passed, {failed} failed")
sys.exit(failed != 0)
