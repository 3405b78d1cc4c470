# SPDX-License-Identifier: MIT
# A checker of the text exposition format 0.0.4, from its description alone: reads a page on stdin and
# ends with 1 and a line that says why if something is wrong with it. With arguments NAME [LABEL=VALUE]...
# it prints the sum of the samples of that name which have these labels.
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)$")
UNITS = {"counter": "_total", "gauge": ""}


def fail(number, why):
    sys.exit(f"line {number}: {why}")


def value_of(text):
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|Inf)|NaN", text):
        return None
    return float(text)


def unescape(text):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


class Page:
    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, {}
        self.current = None
        if text and not text.endswith("\n"):
            fail("last", "the page does not end with a line feed")
        for number, line in enumerate(text.split("\n")[:-1], 1):
            if line.startswith("#"):
                self.comment(number, line)
            elif line:
                self.sample(number, line)
        for name in self.types:
            if name not in self.helps:
                fail("last", f"{name} has no HELP")
            if not any(n == name for n, _ in self.samples) and name != "gpc_device_bound":
                print(f"note: {name} has no sample", file=sys.stderr)

    def comment(self, number, line):
        match = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.*)", line)
        if not match:
            fail(number, "a comment that is neither HELP nor TYPE")
        kind, name, rest = match.groups()
        facts = self.helps if kind == "HELP" else self.types
        if name in facts:
            fail(number, f"a second {kind} of {name}")
        if any(n == name for n, _ in self.samples):
            fail(number, f"{kind} behind a sample of {name}")
        if kind == "HELP" and re.search(r"\\(?![\\n])", rest):
            fail(number, "a backslash that escapes nothing")
        if kind == "TYPE":
            if rest not in UNITS:
                fail(number, f"unknown type {rest}")
            if (rest == "counter") != name.endswith("_total"):
                fail(number, f"{name}: exactly the counters end in _total")
            self.current = name
        facts[name] = rest

    def sample(self, number, line):
        match = SAMPLE.fullmatch(line)
        if not match:
            fail(number, f"no sample: {line}")
        name, labels = match[1], match[2] or ""
        value = value_of(match[match.lastindex])
        if name != self.current:
            fail(number, f"{name} does not stand below its TYPE")
        pairs = [(key, unescape(text)) for key, text in re.findall(LABEL, labels)]
        if len({key for key, _ in pairs}) != len(pairs):
            fail(number, "a label twice")
        if any(key.startswith("__") for key, _ in pairs):
            fail(number, "a reserved label")
        if value is None:
            fail(number, f"no value: {match[match.lastindex]}")
        if self.types[name] == "counter" and not value >= 0:
            fail(number, "a counter below 0")
        series = (name, tuple(sorted(pairs)))
        if series in self.samples:
            fail(number, f"a second sample of {line.rsplit(' ', 1)[0]}")
        self.samples[series] = value


def main():
    text = sys.stdin.buffer.read()
    try:
        page = Page(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        sys.exit(f"no UTF-8: {error}")
    if len(sys.argv) < 2:
        print(*sorted(page.types), sep="\n")
        return
    wanted = {tuple(argument.split("=", 1)) for argument in sys.argv[2:]}
    found = [v for (name, pairs), v in page.samples.items() if name == sys.argv[1] and wanted <= set(pairs)]
    if not found:
        sys.exit(f"there is no sample {sys.argv[1:]}")
    print(f"{sum(found):g}")


main()
