"""Private keys stay private, and what a verifier is given says whose key is valid when; a wrong file is named with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.durable import Disk
from evidence.keys import (
    KeyExistsError,
    KeyExposedError,
    KeyFolder,
    KeyForeignError,
    KeysError,
    PassphraseError,
    PublishedKey,
    demo_signer,
    published_file,
    read_private,
    read_published,
    write_private,
)
from evidence.signing import SignedFormError, read_signature, signature_file
from tests.builders.signing import a_signer

NOW = datetime(2026, 3, 2, 8, 0, 0, 750_000, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys", Disk())


def test_a_generated_key_signs_and_only_its_owner_can_read_it(folder: KeyFolder, tmp_path: Path) -> None:
    made = folder.generate("District 3", NOW)
    (path,) = (tmp_path / "keys").glob("*.pem")
    assert path.name == f"{made.key.id}.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    signer = folder.signer(NOW)
    assert signer.public == made.key
    assert made.key.fits(signer.sign(b"x"), b"x") and not made.key.fits(signer.sign(b"x"), b"y")
    assert repr(signer).count("Ed25519PrivateKey") == 0
    assert (made.valid_from, made.valid_until) == (NOW.replace(microsecond=0), None)
    assert made.accepts(NOW) and not made.accepts(NOW - 2 * HOUR)
    with pytest.raises(KeyExistsError, match="keys rotate"):
        folder.generate("again", NOW)


def test_a_rotated_key_is_followed_and_what_it_signed_stays_valid(folder: KeyFolder, tmp_path: Path) -> None:
    old = folder.generate("District 3", NOW, valid_for=timedelta(days=30))
    new = folder.rotate(None, NOW + HOUR, overlap=HOUR)
    assert new.key != old.key and new.label == "District 3"
    assert folder.signer(NOW + HOUR).public == new.key
    assert [path.stem for path in (tmp_path / "keys").glob("*.pem")] == [new.key.id]
    before, after = folder.published()
    assert (before.key, after.key) == (old.key, new.key)
    end = NOW.replace(microsecond=0) + 2 * HOUR
    assert before.valid_until == end and before.accepts(end) and not before.accepts(end + HOUR)
    assert [held.signs for held in folder.held()] == [False, True]
    third = folder.rotate("District 4", NOW + 3 * HOUR, overlap=HOUR)
    assert folder.published()[0].valid_until == end, "a key that had ended does not come to life again"
    assert third.label == "District 4" and len(folder.held()) == 3


def test_without_a_key_nothing_is_rotated_or_signed(folder: KeyFolder) -> None:
    assert folder.held() == ()
    with pytest.raises(KeysError, match="keys generate"):
        folder.rotate("x", NOW, overlap=HOUR)
    with pytest.raises(KeysError, match="keys generate"):
        folder.signer(NOW)


def test_a_key_that_has_ended_does_not_sign(folder: KeyFolder) -> None:
    folder.generate("x", NOW, valid_for=HOUR)
    folder.signer(NOW + HOUR / 2)
    with pytest.raises(KeysError, match=r"not valid now.*keys rotate"):
        folder.signer(NOW + 2 * HOUR)


def test_a_passphrase_protects_the_key(folder: KeyFolder, tmp_path: Path) -> None:
    made = folder.generate("x", NOW, passphrase="correct horse")
    (path,) = (tmp_path / "keys").glob("*.pem")
    assert b"ENCRYPTED" in path.read_bytes()
    assert folder.signer(NOW, "correct horse").public == made.key
    with pytest.raises(PassphraseError, match="SIGNING_PASSPHRASE_FILE"):
        folder.signer(NOW)
    with pytest.raises(PassphraseError, match="the passphrase is wrong") as caught:
        folder.signer(NOW, "wrong horse")
    assert "horse" not in str(caught.value)


def test_a_passphrase_for_a_key_without_one_does_no_harm(folder: KeyFolder) -> None:
    made = folder.generate("x", NOW)
    assert folder.signer(NOW, "not needed").public == made.key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(folder: KeyFolder, tmp_path: Path, mode: int) -> None:
    folder.generate("x", NOW)
    (path,) = (tmp_path / "keys").glob("*.pem")
    path.chmod(mode)
    with pytest.raises(KeyExposedError, match="chmod 600"):
        folder.signer(NOW)


def test_another_key_under_the_same_name_is_refused(folder: KeyFolder, tmp_path: Path) -> None:
    folder.generate("x", NOW)
    (path,) = (tmp_path / "keys").glob("*.pem")
    write_private(path, Ed25519PrivateKey.generate(), None)
    with pytest.raises(KeyForeignError, match="put the right file back"):
        folder.signer(NOW)


def private_file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_private_key_files_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="cannot be read: No such file"):
        read_private(tmp_path / "none.pem", None)
    with pytest.raises(KeysError, match="no private key in PEM"):
        read_private(private_file(tmp_path / "a.pem", b"hello"), None)
    with pytest.raises(KeyForeignError, match="another kind"):
        read_private(private_file(tmp_path / "b.pem", pem_of(ec.generate_private_key(ec.SECP256R1()))), None)


def test_a_demo_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "custody" / "demo-key.pem"
    first = demo_signer(path)
    assert demo_signer(path).public == first.public
    assert path.stat().st_mode & 0o777 == 0o600


def test_published_keys_come_back_as_they_were(tmp_path: Path) -> None:
    keys = (
        PublishedKey(key=a_signer(1).public, label="区 3", valid_from=NOW.replace(microsecond=0)),
        PublishedKey(key=a_signer(2).public, label="two", valid_until=NOW.replace(microsecond=0)),
    )
    path = tmp_path / "trust.json"
    path.write_bytes(published_file(keys))
    assert read_published(path) == keys
    assert published_file(keys) == published_file(read_published(path))


def public_pem(number: int) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_pem_public_keys_are_trusted_without_bounds(tmp_path: Path) -> None:
    path = tmp_path / "office.pem"
    path.write_bytes(b"one\n" + public_pem(1) + public_pem(2))
    keys = read_published(path)
    assert [key.key for key in keys] == [a_signer(1).public, a_signer(2).public]
    assert {key.label for key in keys} == {"office.pem"} and keys[0].accepts(NOW)


def changed(change: Callable[[dict[str, str]], object]) -> bytes:
    document = json.loads(published_file([PublishedKey(key=a_signer().public, label="x")]))
    change(document["keys"][0])
    return json.dumps(document).encode()


EC_PUBLIC = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", KeysError, "is no list of public keys"),
        (b"[" * 100_000, KeysError, "is no list of public keys"),
        (b'{"format": "stopline-keys/1", "keys": []}', KeysError, "lists no key"),
        (b'{"format": "stopline-keys/2", "keys": []}', KeysError, "a newer Stopline"),
        (changed(lambda key: key.update(algorithm="RSA")), KeyForeignError, "Ed25519 is wanted"),
        (changed(lambda key: key.update(id="0" * 16)), KeysError, "is not that of its public key"),
        (changed(lambda key: key.update(public_key="zz")), KeysError, "64 hex digits"),
        (changed(lambda key: key.update(valid_from="2026-03-02T08:00:00")), KeysError, "offset from UTC"),
        (changed(lambda key: key.pop("label")), KeysError, "label"),
        (EC_PUBLIC, KeyForeignError, "another kind"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", KeysError, "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\n", KeyForeignError, "something else in PEM"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), KeyForeignError, "holds a private key"),
    ],
)
def test_files_of_public_keys_that_are_none_are_named(
    tmp_path: Path, data: bytes, error: type[KeysError], words: str
) -> None:
    path = tmp_path / "trust"
    path.write_bytes(data)
    with pytest.raises(error, match=words) as caught:
        read_published(path)
    assert str(path) in str(caught.value)
    with pytest.raises(KeysError, match="cannot be read"):
        read_published(tmp_path / "none")


def test_a_detached_signature_is_one_of_the_exact_bytes() -> None:
    data = signature_file(a_signer(), b"manifest")
    assert read_signature(data).fits(b"manifest")
    assert not read_signature(data).fits(b"manifest\n")
    assert signature_file(a_signer(), b"manifest") == data, "the same bytes are signed the same way"
    for wrong in (data.rstrip(b"\n"), data + b" ", data.replace(b"{", b"{ ", 1), b"", b"[]", b"{}"):
        with pytest.raises(SignedFormError):
            read_signature(wrong)
    with pytest.raises(SignedFormError, match="newer Stopline"):
        read_signature(data.replace(b"signature/1", b"signature/2"))
