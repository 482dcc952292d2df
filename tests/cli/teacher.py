#!/usr/bin/env python3
"""teacher.py - a stand-in for an OpenAI-compatible endpoint, on the loopback interface.

Usage: teacher.py FOLDER

Writes its port to FOLDER/port. Answers the n-th request (from 1) with the content of FOLDER/n, or of
FOLDER/last if there is none: its first line is the status, the rest the body; the word CONTENT
alone in the first line wraps the rest as what a model wrote. Requests go to FOLDER/requests, a
line each: path, authorization, body.
"""
import http.server
import json
import os
import sys

folder = sys.argv[1]
count = 0


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global count
        count += 1
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open(os.path.join(folder, "requests"), "a") as f:
            f.write(f"{self.path}\t{self.headers.get('Authorization')}\t{body}\n")
        path = os.path.join(folder, str(count))
        with open(path if os.path.exists(path) else os.path.join(folder, "last")) as f:
            status, rest = f.readline().strip(), f.read()
        if status == "CONTENT":
            status = "200"
            rest = json.dumps({"choices": [{"message": {"role": "assistant", "content": rest}}],
                               "usage": {"prompt_tokens": 1000, "completion_tokens": 500}})
        data = rest.encode()
        self.send_response(int(status))
        if status == "429":
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(os.path.join(folder, "port.new"), "w") as f:
    f.write(str(server.server_port))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
