"""A collector of OpenTelemetry that decodes with the project's own types, and refuses what they cannot read.

usage: otlp_receiver.py PORT FILE

Writes each request as one line of JSON to FILE: {"path": …, "body": …}, as the types themselves print it.
"""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

KINDS = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
}


def unknown(message):
    """Whether anything in it is no field of its type."""
    if len(UnknownFieldSet(message)):
        return True
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for inner in [value] if isinstance(value, Message) else value:
            if unknown(inner):
                return True
    return False


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kind, answer = KINDS.get(self.path, (None, None))
        if kind is None or self.headers["content-type"] != "application/x-protobuf":
            return self.send_error(404)
        message = kind()
        try:
            message.ParseFromString(body)
        except Exception as error:
            return self.send_error(400, str(error))
        if unknown(message):
            return self.send_error(400, "a field that is none of its type")
        line = {"path": self.path, "key": self.headers.get("x-key"), "body": MessageToDict(message)}
        with open(sys.argv[2], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        body = answer().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
