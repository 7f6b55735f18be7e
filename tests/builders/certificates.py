"""Certificates of an office that signs content credentials, below a root of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from evidence.credentials import CredentialSigner

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PEM = serialization.Encoding.PEM


def signer_of(name: str, key: Key | None = None) -> tuple[CredentialSigner, bytes]:
    """A signer below a root of its own, and that root."""
    key = ec.generate_private_key(ec.SECP256R1()) if key is None else key
    root_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name} root"),
        ]
    )
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name} desk"),
        ]
    )
    now = datetime.now(UTC)

    def certificate(
        of: x509.Name, public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(of)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
            )
        )

    def usage(*, signs: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=signs,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=not signs,
            crl_sign=not signs,
            encipher_only=False,
            decipher_only=False,
        )

    root = (
        certificate(issuer, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(signs=False), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        certificate(subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return CredentialSigner(chain=leaf.public_bytes(PEM), key=private), root.public_bytes(PEM)


def certificate_files(folder: Path, name: str = "Office") -> tuple[Path, Path, Path]:
    """Files of a certificate chain, its private key and its root in that folder."""
    signer, root = signer_of(name)
    chain, key, roots = folder / "chain.pem", folder / "key.pem", folder / "root.pem"
    chain.write_bytes(signer.chain)
    key.write_bytes(signer.key)
    key.chmod(0o600)
    roots.write_bytes(root)
    return chain, key, roots
