#!/usr/bin/env python3
"""A proxy for tests that adds the daemon's token to each request: clients such as the conformance suite have no way to send one.

mcp_proxy.py PORT TARGET_PORT TOKEN_FILE   serves at 127.0.0.1:PORT; one request for each connection; either side's end is the other's
"""

import pathlib
import select
import socket
import sys
import threading


def read_head(client):
    head = b""
    while b"\r\n\r\n" not in head:
        more = client.recv(65536)
        if not more:
            return b"", b""
        head += more
    return head.split(b"\r\n\r\n", 1)


def rewritten(head, port, target, token):
    """The same request for the other port, with the token, and closed behind its answer."""
    first, *lines = head.split(b"\r\n")
    kept = [line.replace(f":{port}".encode(), f":{target}".encode()) if line.lower().startswith(b"host:") else line for line in lines
            if not line.lower().startswith((b"connection:", b"authorization:"))]
    return b"\r\n".join([first, *kept, b"Connection: close", b"Authorization: Bearer " + token]) + b"\r\n\r\n"


def serve(client, port, target, token_file):
    with client:
        head, rest = read_head(client)
        if not head:
            return
        token = pathlib.Path(token_file).read_bytes().strip()
        with socket.create_connection(("127.0.0.1", target)) as server:
            server.sendall(rewritten(head, port, target, token) + rest)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for one in ready:
                    try:
                        data = one.recv(65536)
                    except OSError:
                        return
                    if not data:
                        return
                    (server if one is client else client).sendall(data)


def run(port, target, token_file):
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=lambda c=client: quietly(c, port, target, token_file), daemon=True).start()


def quietly(client, port, target, token_file):
    try:
        serve(client, port, target, token_file)
    except OSError:
        client.close()


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
