#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes tests/fuzz/corpus/image anew, after a change of the image's layout.

  tests/fuzz/image_corpus.py GPC PLANE.yaml...

For each plane: the decision and provenance part of its image, which is what image_fuzz wraps; a large one
as runs of words (image_fuzz.c).
"""
import itertools
import pathlib
import struct
import subprocess
import sys
import tempfile

MOST = 16384


def runs(data):
    """The same words as {count | 1 << 31, word} where one repeats, {count, word...} elsewhere."""
    data += b" " * (-len(data) % 4)      # it ends in JSON
    out, plain = [b"RUNS"], []

    def flush():
        if plain:
            out.append(struct.pack("<%dI" % (len(plain) + 1), len(plain), *plain))
            plain.clear()

    for word, group in itertools.groupby(struct.unpack("<%dI" % (len(data) // 4), data)):
        count = len(list(group))
        while count > 2:
            flush()
            part = min(count, 0xFFFF)
            out.append(struct.pack("<II", part | 1 << 31, word))
            count -= part
        plain.extend([word] * count)
    flush()
    return b"".join(out)


corpus = pathlib.Path(__file__).parent / "corpus" / "image"
gpc = pathlib.Path(sys.argv[1]).resolve()
corpus.mkdir(parents=True, exist_ok=True)
for plane in map(pathlib.Path, sys.argv[2:]):
    with tempfile.NamedTemporaryFile(suffix=".gpi") as image:
        subprocess.run([str(gpc), "compile", "-f", plane.name, "-o", image.name], cwd=plane.parent, check=True)
        data = pathlib.Path(image.name).read_bytes()
    decision, _, provenance, provenance_size = struct.unpack_from("<IIII", data, 20)
    parts = data[decision:provenance + provenance_size]
    (corpus / plane.stem).write_bytes(parts if len(parts) <= MOST else runs(parts))
