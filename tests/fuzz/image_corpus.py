#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes tests/fuzz/corpus/image anew, after a change of the image's layout.

  tests/fuzz/image_corpus.py GPC PLANE.yaml...

For each plane: the decision and provenance part of its image, which is what image_fuzz wraps.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

corpus = pathlib.Path(__file__).parent / "corpus" / "image"
gpc = pathlib.Path(sys.argv[1]).resolve()
corpus.mkdir(parents=True, exist_ok=True)
for plane in map(pathlib.Path, sys.argv[2:]):
    with tempfile.NamedTemporaryFile(suffix=".gpi") as image:
        subprocess.run([str(gpc), "compile", "-f", plane.name, "-o", image.name], cwd=plane.parent, check=True)
        data = pathlib.Path(image.name).read_bytes()
    decision, _, provenance, provenance_size = struct.unpack_from("<IIII", data, 20)
    (corpus / plane.stem).write_bytes(data[decision:provenance + provenance_size])
