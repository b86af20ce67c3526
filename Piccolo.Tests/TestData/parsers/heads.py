"""Reads request heads as http.server does: one in base64 a line, one JSON object a line."""
import base64
import io
import json
import sys
from http.server import BaseHTTPRequestHandler


class Reader(BaseHTTPRequestHandler):
    def __init__(self, head):
        self.rfile, self.wfile = io.BytesIO(head), io.BytesIO()
        self.error = None
        self.raw_requestline = self.rfile.readline()
        if self.parse_request():
            self.error = "; ".join(map(repr, self.headers.defects)) or None

    def send_error(self, code, message=None, explain=None):
        self.error = f"{code} {message}"


for line in sys.stdin:
    reader = Reader(base64.b64decode(line))
    # Of the path it makes another one where that begins with two slashes.
    target = reader.requestline.split(" ")[1]
    fields = [[name, value] for name, value in reader.headers.items()] if reader.error is None else []
    left = len(reader.rfile.read())
    print(json.dumps({"error": reader.error, "method": reader.command, "target": target, "fields": fields, "left": left}))
