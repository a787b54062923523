"""An authority for certificates, as a company may have one, and a certificate of 127.0.0.1."""

from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.processes import HOST


@dataclass(frozen=True)
class Certificates:
    # What clients are to trust.
    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    server = authority.issue_cert(HOST, "localhost")
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(made.authority)
    made.certificate.write_bytes(b"".join(part.bytes() for part in server.cert_chain_pems))
    server.private_key_pem.write_to_path(made.key)
    made.key.chmod(0o600)
    return made
