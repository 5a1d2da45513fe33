"""Certificates for loopback, signed by whoever a test makes up."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """Where a certificate and its key are."""

    file: Path
    key: Path


class Authority:
    """Somebody who signs; ``root`` is the file that one trusts them by."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _called(name)
        basic = x509.BasicConstraints(ca=True, path_length=0)
        self._own = (
            _begun(self._name, self._name, self._key)
            .add_extension(basic, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.root = directory / f"{name}-root.pem"
        self.root.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def signs(self, name: str, *, addresses: tuple[str, ...] = ()) -> Certificate:
        """A certificate of that name, for these addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        there = [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
        begun = _begun(_called(name), self._name, key)
        if there:
            begun = begun.add_extension(x509.SubjectAlternativeName(there), critical=False)
        made = Certificate(self._directory / f"{name}.pem", self._directory / f"{name}-key.pem")
        signed = begun.sign(self._key, hashes.SHA256())
        made.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        made.key.touch(0o600)
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    name: x509.Name, by: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
