# SPDX-License-Identifier: MIT
"""Cases of `forward: pass` (SEMANTICS 2.2, 6.2), for the plane local.yaml: `mss-clamp` of what comes for the local stack
and of what it answers. Devices take 65,535 bytes there, so only an MSS above 65,495 (v6: 65,475) is lowered; the
checksum of what comes out is summed up anew. A RST while nobody was sent a cookie is an ordinary packet."""
from packet_case import ACK, CLIENT, RST, SYN, TCP, case, ethernet, ip, tcp, vip

PLANE = "local.yaml"
LARGE = b"\xff\xff"
FITS = {4: b"\xff\xd7", 6: b"\xff\xc3"}
# Options of a SYN: with its MSS, how they go on.
OPTIONS = {
    "alone": (b"\2\4", b""),
    "behind an odd number of bytes": (b"\1\2\4", b"\1\1\1"),
    "behind others": (b"\4\2\1\3\3\7\2\4", b"\1\1"),
    "in front of others": (b"\2\4", b"\4\2\1\3\3\7\1\1"),
    "the last of forty": (b"\1" * 36 + b"\2\4", b""),
}
# Without one that is heard.
NONE = {
    "no options": b"",
    "behind the end": b"\0\2\4\xff\xff\0\0\0",
    "of another length": b"\2\3\xff\xff\xff\1\1\1",
    "cut off": b"\1\1\2\4",
    "behind a length of 0": b"\5\0\2\4\xff\xff\1\1",
    "behind a length of 1": b"\5\1\2\4\xff\xff\1\1",
    "behind a length beyond the header": b"\5\20\2\4\xff\xff\1\1",
}


def arriving(family, n, flags, options, tags=0, **how):
    client, to = CLIENT[family], vip(family, n)
    return ethernet(ip(family, client, to, TCP, tcp(client, to, flags=flags, options=options, **how)), tags)


def leaving(family, n, flags, options, port=80, tags=0):
    client, source = CLIENT[family], vip(family, n)
    return ethernet(ip(family, source, client, TCP, tcp(source, client, sport=port, dport=40000, flags=flags, options=options)), tags)


def write_family(family):
    def comes(name, n, flags, options, out=None, reason="local", **how):
        case(f"pass v{family}: {name}", arriving(family, n, flags, options, **how), "pass", reason,
             arriving(family, n, flags, out or options, **how), plane=PLANE)

    def leaves(name, n, flags, options, out=None, device="wan0", **how):
        case(f"pass v{family}: {name}, leaving", leaving(family, n, flags, options, **how), "pass", "counted",
             leaving(family, n, flags, out or options, **how), device=device + ">", plane=PLANE)

    for name, (head, tail) in OPTIONS.items():
        comes(f"an mss {name}", 60, SYN, head + LARGE + tail, head + FITS[family] + tail)
        leaves(f"an mss {name}", 60, SYN | ACK, head + LARGE + tail, head + FITS[family] + tail)
    for name, options in NONE.items():
        comes(f"no mss, {name}", 60, SYN, options)
        leaves(f"no mss, {name}", 60, SYN | ACK, options)
    mss = b"\2\4"
    for tags in (1, 2):
        comes(f"an mss, {tags} tags", 60, SYN, mss + LARGE, mss + FITS[family], tags=tags)
        leaves(f"an mss, {tags} tags", 60, SYN | ACK, mss + LARGE, mss + FITS[family], tags=tags)
    comes("an mss, data behind it", 60, SYN, mss + LARGE, mss + FITS[family], payload=b"early")
    comes("an mss that fits", 60, SYN, mss + FITS[family])
    comes("a small mss", 60, SYN, mss + b"\2\x18")
    comes("an mss in an ACK", 60, ACK, mss + LARGE)
    comes("an mss for one that does not clamp", 61, SYN, mss + LARGE)
    comes("an mss for nobody", 69, SYN, mss + LARGE, reason="no-listener")
    leaves("an mss that fits", 60, SYN | ACK, mss + FITS[family])
    leaves("an mss by another device", 60, SYN | ACK, mss + LARGE, mss + FITS[family], device="lan0")
    leaves("an mss in an ACK", 60, ACK, mss + LARGE)
    leaves("an mss of one that does not clamp", 61, SYN | ACK, mss + LARGE)
    leaves("an mss of another port", 60, SYN | ACK, mss + LARGE, port=81)
    leaves("an mss of nobody", 69, SYN | ACK, mss + LARGE)
    comes("a reset and no flood", 62, RST, b"", seq=0x12345678)
    comes("a syn and no flood", 62, SYN, mss + LARGE)


def write():
    for family in (4, 6):
        write_family(family)
