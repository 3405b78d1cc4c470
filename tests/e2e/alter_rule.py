#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""alter_rule.py IMAGE RULE ACTION: the image on stdout, with another action in all rules of that name.

By schemas/image.v1.md alone; both digests are made right again, so it is a sound image that nobody compiled.
"""
import hashlib
import pathlib
import struct
import sys

HEAD, PLANE_SECTIONS, RULE_SIZE = 256, 256, 64
SECTION_RULE = 4

image = bytearray(pathlib.Path(sys.argv[1]).read_bytes())
name, action = sys.argv[2].encode(), int(sys.argv[3])


def section(number):
    return struct.unpack_from("<IIII", image, HEAD + PLANE_SECTIONS + 16 * number)


sections = [section(i) for i in range(24)]
names = max(s[0] for s in sections if s[3] == 1)
offset, _, count, size = sections[SECTION_RULE]
assert size == RULE_SIZE
for at in range(offset, offset + count * size, size):
    start = names + struct.unpack_from("<I", image, at + 8)[0]
    if image[start:image.index(0, start)] == name:
        image[at + 16] = action
decision_offset, decision_size = struct.unpack_from("<II", image, 20)
link_offset = struct.unpack_from("<I", image, 36)[0]
image[48:80] = hashlib.sha256(image[decision_offset:decision_offset + decision_size]).digest()
image[80:112] = bytes(32)
image[80:112] = hashlib.sha256(image[:link_offset] + bytes(len(image) - link_offset)).digest()
sys.stdout.buffer.write(image)
