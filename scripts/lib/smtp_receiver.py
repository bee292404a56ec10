"""Mail servers on loopback for the test of alerts by mail: one with STARTTLS, one with TLS from the first
byte, one without TLS. Writes JSON lines: first where they are, then every letter they take.

usage: smtp_receiver.py FOLDER   (the certificate of their authority is written there)
"""

import asyncio
import json
import pathlib
import socket
import ssl
import sys

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


def say(**line):
    print(json.dumps(line), flush=True)


class Letters:
    def __init__(self, name):
        self.name = name

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 hunter2 lives here no more"
        if address.startswith("busy@"):
            return "451 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("slow@"):
            await asyncio.sleep(3600)
        say(
            server=self.name,
            sender=envelope.mail_from,
            receivers=envelope.rcpt_tos,
            user=session.auth_data.login.decode() if session.auth_data else None,
            letter=envelope.content.decode("utf-8"),
        )
        return "250 taken"


def knows(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.password == b"hunter2"
    return AuthResult(success=good, handled=False, auth_data=data)


def free_port():
    with socket.socket() as it:
        it.bind(("localhost", 0))
        return it.getsockname()[1]


def main():
    folder = pathlib.Path(sys.argv[1])
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    signs_in = {"authenticator": knows, "auth_required": True}
    servers = {
        "starttls": lambda **it: Controller(
            Letters("starttls"), tls_context=context, require_starttls=True, **signs_in, **it
        ),
        "tls": lambda **it: Controller(
            Letters("tls"), ssl_context=context, auth_require_tls=False, **signs_in, **it
        ),
        "plain": lambda **it: Controller(Letters("plain"), **it),
    }
    ports = {}
    for name, make in servers.items():
        ports[name] = free_port()
        make(hostname="localhost", port=ports[name], ready_timeout=60).start()
    say(ports=ports)
    # Until whoever started us is gone.
    sys.stdin.read()


main()
