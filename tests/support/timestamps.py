"""A timestamp authority of a test: `openssl ts` behind a loopback server (RFC 3161).

with timestamp_authority(tmp_path) as authority:
authority.url, authority.root      # where it answers, and whom to trust
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

_CONFIG = """
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa_policy]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""

Change = Callable[[bytes], bytes]


@dataclass(slots=True)
class TimestampAuthority:
    """Signs what is asked for; `change` is done to each answer before it leaves."""

    folder: Path
    url: str = ""
    change: Change = bytes
    status: int = 200

    @property
    def root(self) -> Path:
        """The certificate to which its signatures lead."""
        return self.folder / "ca.pem"

    def make(self) -> None:
        """Make a root, and a certificate that is good for timestamps alone."""
        self.folder.mkdir()
        (self.folder / "openssl.cnf").write_text(_CONFIG.format(folder=self.folder))
        (self.folder / "serial").write_text("01\n")
        self._certificate("ca", "/CN=Test Root", "ca")
        self._certificate(
            "tsa", "/O=Test/CN=Timestamps", "tsa", "-CA", "ca.pem", "-CAkey", "ca.key"
        )

    def _certificate(self, name: str, subject: str, section: str, *signed_by: str) -> None:
        self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-config", "openssl.cnf", "-extensions", section, "-days", "30", "-subj", subject,
            "-keyout", f"{name}.key", "-out", f"{name}.pem", *signed_by,
        )  # fmt: skip

    def answer(self, query: bytes) -> bytes:
        """Answer one request."""
        (self.folder / "query").write_bytes(query)
        self.openssl(
            "ts", "-reply", "-config", "openssl.cnf", "-section", "tsa_policy", "-queryfile",
            "query", "-out", "reply",
        )  # fmt: skip
        return self.change((self.folder / "reply").read_bytes())

    def openssl(self, *arguments: str) -> None:
        """Run openssl in the authority's folder."""
        command = ["openssl", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def timestamp_authority(folder: Path) -> Iterator[TimestampAuthority]:
    """Run an authority of its own until the block ends."""
    authority = TimestampAuthority(folder)
    authority.make()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            raw = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(authority.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answering)
    authority.url = f"http://127.0.0.1:{server.server_port}/tsa"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
