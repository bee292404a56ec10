"""Serves a model over the chat completions protocol with llama.cpp, on loopback.

Usage: serve.py MODEL.gguf PORT API_KEY. Prints "listening" once it answers, ends when its standard
input is closed, so that it never outlives the test that started it.
"""

import sys

import xllamacpp


def main() -> None:
    model, port, api_key = sys.argv[1:4]
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = int(port)
    params.api_keys = [api_key]
    params.n_ctx = 4096
    params.n_parallel = 1
    # llama.cpp falls to a crawl when its threads outnumber the free processors.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)
    print("listening", server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
