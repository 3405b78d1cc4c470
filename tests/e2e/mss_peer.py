#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What each end of a TCP connection takes the other for: its MSS.

    mss_peer.py serve PORT READY_FILE     says to each client which MSS its SYN had
    mss_peer.py ask HOST PORT             "SAID HAS": what the server says; what this end sends at most in a segment
"""
import socket
import sys

SAVE_SYN, SAVED_SYN = 27, 28


def mss_of(packet):
    """0: none. The packet begins with its IP header."""
    head = packet[(packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40:]
    options = head[20:(head[12] >> 4) * 4]
    while options and options[0] != 0:
        if options[0] == 2:
            return int.from_bytes(options[2:4], "big")
        options = options[1 if options[0] == 1 else options[1]:]
    return 0


def serve(port, ready):
    with socket.create_server(("", int(port)), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, SAVE_SYN, 1)
        open(ready, "w").close()
        while True:
            client, _ = listener.accept()
            with client:
                client.sendall(f"{mss_of(client.getsockopt(socket.IPPROTO_TCP, SAVED_SYN, 512))}\n".encode())


def ask(host, port):
    with socket.create_connection((host, int(port)), 10) as s:
        said = s.makefile().readline().strip()
        print(said, s.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
