"""A daemon of long ago: answers what the first versions answered, has none of the later routes, and says an old version.

old_daemon.py SOCKET VERSION [--strange]     --strange: what it knows it answers in a shape of its own
"""

import http.server
import json
import os
import socketserver
import sys
import threading

SOCKET, VERSION = sys.argv[1:3]
STRANGE = "--strange" in sys.argv


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Old(http.server.BaseHTTPRequestHandler):
    def known(self):
        path = self.path.split("?")[0]
        if (self.command, path) == ("GET", "/api/v1/info"):
            return {"version": VERSION, "pid": os.getpid(), "user": "tester", "uptime": "9d", "listening": "bind"}
        if (self.command, path) == ("GET", "/api/v1/status"):
            return ["up"] if STRANGE else {"status": "ok", "message": "nothing is forwarded", "version": VERSION}
        if STRANGE and (self.command, path) == ("GET", "/api/v1/services"):
            return {"items": "of another kind", "services": "none"}
        if (self.command, path) == ("POST", "/api/v1/shutdown"):
            return {"services": 0, "forwards": 0, "connections": 0, "message": "bye"}
        return None

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = self.known()
        said = {"success": True, "data": data} if data is not None else {
            "success": False, "error": {"code": "not_found", "message": f"there is nothing at {self.path.split('?')[0]}"}}
        body = json.dumps(said).encode()
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/api/v1/shutdown":  # it has said so before it goes
            threading.Thread(target=self.server.shutdown).start()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        pass

    def address_string(self):
        return "unix"


with Server(SOCKET, Old) as server:
    server.serve_forever(0.05)
os.unlink(SOCKET)
