"""A real time stamp authority for tests: ``openssl ts`` behind HTTP on a free port of 127.0.0.1, with certificates of its own."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
clock_precision_digits = 0
ess_cert_id_chain = no
"""


@dataclass
class Authority:
    """A running authority. ``fault`` says what it does wrong; ``asked`` are the requests it got."""

    folder: Path
    url: str = ""
    fault: str = ""
    asked: list[bytes] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """Its root certificate, which its users are given."""
        return self.folder / "root.pem"

    def answer(self, query: bytes) -> bytes:
        """The response that ``openssl ts`` gives."""
        path = self.folder / "query.tsq"
        path.write_bytes(query)
        command = [
            "openssl",
            "ts",
            "-reply",
            "-queryfile",
            str(path),
            "-config",
            str(self.folder / "tsa.conf"),
        ]
        return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


@contextmanager
def running(folder: Path) -> Iterator[Authority]:
    """The authority with its keys in ``folder``; it is stopped at the end."""
    folder.mkdir(parents=True)
    _certificates(folder)
    (folder / "serial").write_text("01\n", encoding="ascii")
    (folder / "tsa.conf").write_text(CONFIG.format(folder=folder), encoding="utf-8")
    authority = Authority(folder)
    before: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            authority.asked.append(query)
            status, body = 200, b"<html>no stamp</html>"
            match authority.fault:
                case "busy":
                    status = 503
                case "refuses":
                    status = 403
                case "page":
                    pass
                case "endless":
                    body = bytes(200_000)
                case "denies":
                    body = authority.answer(b"0\x03\x02\x01\x01")
                case "repeats":
                    body = before[0]
                case _:
                    body = authority.answer(query)
                    before.append(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority.url = f"http://127.0.0.1:{server.server_port}/stamp"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def _certificates(folder: Path) -> None:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Time root {folder.name}")])
    root = (
        _certificate(root_name, root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test time authority")])
    stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    ours = (
        _certificate(name, root_name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(stamping, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    (folder / "tsa.pem").write_bytes(ours.public_bytes(pem))
    (folder / "tsa.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )
