"""A recogniser that nobody here wrote, behind OpenAI's /audio/transcriptions, on loopback.

Usage: serve.py PORT API_KEY. Prints "listening" once it answers, ends when its standard input is closed,
so that it never outlives the test that started it.
"""

import email.parser
import email.policy
import http.server
import io
import json
import sys
import threading

import numpy
import pocketsphinx
import soundfile

RATE = 16_000


def hear(data: bytes) -> str:
    """What is said in a sound file of any form that libsndfile reads."""
    sound, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    sound = sound.mean(axis=1)
    places = numpy.arange(0, len(sound) / rate, 1 / RATE)
    sound = numpy.interp(places, numpy.arange(len(sound)) / rate, sound)
    decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw((sound * 32_000).astype("int16").tobytes(), full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    return heard.hypstr if heard else ""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one call."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {sys.argv[2]}":
            return self.answer(401, {"error": {"message": "Incorrect API key provided."}})
        if self.path != "/v1/audio/transcriptions":
            return self.answer(404, {"error": {"message": "not found"}})
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        try:
            text = hear(fields["file"].get_payload(decode=True))
        except (KeyError, soundfile.LibsndfileError):
            return self.answer(400, {"error": {"message": "Invalid file format."}})
        return self.answer(200, {"text": text})

    def answer(self, status: int, what: dict) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Standard error belongs to the test."""


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
