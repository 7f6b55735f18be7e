"""Every setting is documented, read from one place, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import ConfigInvalidError
from api.settings import Settings


def test_each_setting_says_what_it_means_and_why_that_default() -> None:
    for name, field in Settings.model_fields.items():
        text = field.description or ""
        assert "Default" in text, f"{name} doesn't say what its default is"
        assert ":" in text.partition("Default")[2], f"{name} doesn't say why that default"
    assert Settings.model_config.get("frozen") is True
    assert Settings.model_config.get("extra") == "forbid"


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.of({"HOME": "/home/x"})
    assert settings.cache == Path("/home/x/.cache/stopline")
    assert settings.threads == 2
    assert settings.no_color is False


def test_the_environment_sets_what_it_names() -> None:
    settings = Settings.of({"STOPLINE_CACHE": "/c", "STOPLINE_THREADS": "4", "NO_COLOR": "0", "PATH": "/bin"})
    assert (settings.cache, settings.threads, settings.no_color) == (Path("/c"), 4, True)
    assert Settings.of({"XDG_CACHE_HOME": "/x"}).cache == Path("/x/stopline")
    assert Settings.of({"STOPLINE_NO_COLOR": "true"}).no_color is True


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"STOPLINE_CAHCE": "/c"},
            "environment: STOPLINE_CAHCE: unknown setting; known: STOPLINE_CACHE,",
        ),
        ({"STOPLINE_THREADS": "many"}, "STOPLINE_THREADS: 'many'"),
        ({"STOPLINE_THREADS": "0"}, "greater than or equal to 1"),
        ({"STOPLINE_CLAIM_MINUTES": "0"}, "STOPLINE_CLAIM_MINUTES: '0'"),
        ({"STOPLINE_CLAIM_MINUTES": "121"}, "less than or equal to 120"),
        ({"STOPLINE_REVIEW_DAYS": "ten"}, "STOPLINE_REVIEW_DAYS: 'ten'"),
        ({"STOPLINE_REVIEW_DAYS": "366"}, "less than or equal to 365"),
    ],
)
def test_a_wrong_variable_is_named_with_what_would_be_right(
    environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigInvalidError) as caught:
        Settings.of(environment)
    assert message in str(caught.value)


def test_the_passphrase_is_that_of_the_file_or_of_the_environment_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("correct horse\n", encoding="utf-8")
    assert Settings.of({}).passphrase() is None
    assert Settings.of({"STOPLINE_SIGNING_PASSPHRASE_FILE": str(path)}).passphrase() == "correct horse"
    settings = Settings.of({"STOPLINE_SIGNING_PASSPHRASE": "correct horse"})
    assert settings.passphrase() == "correct horse"
    assert "horse" not in repr(settings)


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        (None, {}, "No such file"),
        (b"", {}, "is empty"),
        (b"\xff", {}, "is not UTF-8 text"),
        (b"x", {"STOPLINE_SIGNING_PASSPHRASE": "horse"}, "STOPLINE_SIGNING_PASSPHRASE is set too"),
    ],
)
def test_a_passphrase_that_cannot_be_had_is_named(
    tmp_path: Path, content: bytes | None, more: dict[str, str], message: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    settings = Settings.of({"STOPLINE_SIGNING_PASSPHRASE_FILE": str(path), **more})
    with pytest.raises(ConfigInvalidError, match="STOPLINE_SIGNING_PASSPHRASE_FILE") as caught:
        settings.passphrase()
    assert message in str(caught.value) and "horse" not in str(caught.value)


BUCKET = {
    "STOPLINE_STORE": "s3://evidence/north/office",
    "STOPLINE_STORE_ENDPOINT": "https://s3.example:9000/",
    "STOPLINE_STORE_ACCESS_KEY": "tester",
    "STOPLINE_STORE_SECRET_KEY": "correct horse",
}


def test_a_bucket_is_what_the_settings_name(tmp_path: Path) -> None:
    assert Settings.of({}).bucket() is None
    bucket = Settings.of(BUCKET).bucket()
    assert bucket is not None
    assert (bucket.endpoint, bucket.name, bucket.prefix) == (
        "https://s3.example:9000",
        "evidence",
        "north/office/",
    )
    assert (bucket.region, bucket.public_endpoint, bucket.encrypted, bucket.lock) == (
        "us-east-1",
        None,
        False,
        None,
    )
    assert bucket.secret_key == "correct horse"
    path = tmp_path / "secret"
    path.write_text("battery staple\n", encoding="utf-8")
    more = {
        **{name: value for name, value in BUCKET.items() if not name.endswith("SECRET_KEY")},
        "STOPLINE_STORE": "s3://evidence",
        "STOPLINE_STORE_SECRET_KEY_FILE": str(path),
        "STOPLINE_STORE_PUBLIC_ENDPOINT": "https://evidence.example",
        "STOPLINE_STORE_REGION": "north-1",
        "STOPLINE_STORE_ENCRYPTED": "true",
        "STOPLINE_STORE_LOCK": "compliance",
        "STOPLINE_STORE_LOCK_DAYS": "30",
    }
    full = Settings.of(more).bucket()
    assert full is not None
    assert (full.secret_key, full.prefix, full.region) == ("battery staple", "", "north-1")
    assert (full.public_endpoint, full.encrypted, full.lock) == (
        "https://evidence.example",
        True,
        "COMPLIANCE",
    )
    assert full.keep.days == 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"STOPLINE_STORE": ""}, "STOPLINE_STORE_ENDPOINT: is set and STOPLINE_STORE is not"),
        ({"STOPLINE_STORE": "evidence"}, "STOPLINE_STORE: 'evidence': write it like s3://BUCKET"),
        ({"STOPLINE_STORE": "s3:///"}, "write it like s3://BUCKET"),
        ({"STOPLINE_STORE_ENDPOINT": ""}, "STOPLINE_STORE_ENDPOINT: is missing"),
        ({"STOPLINE_STORE_ENDPOINT": "s3.example"}, "write it like https://HOST:PORT"),
        ({"STOPLINE_STORE_ENDPOINT": "https://s3.example/minio"}, "without a path"),
        (
            {"STOPLINE_STORE_ENDPOINT": "https://me:horse@s3.example"},
            "STOPLINE_STORE_ENDPOINT: holds an account",
        ),
        ({"STOPLINE_STORE_PUBLIC_ENDPOINT": "x"}, "STOPLINE_STORE_PUBLIC_ENDPOINT: 'x'"),
        ({"STOPLINE_STORE_ACCESS_KEY": ""}, "STOPLINE_STORE_ACCESS_KEY: is missing"),
        ({"STOPLINE_STORE_SECRET_KEY": ""}, "STOPLINE_STORE_SECRET_KEY_FILE: is missing"),
        ({"STOPLINE_STORE_SECRET_KEY_FILE": "/x"}, "STOPLINE_STORE_SECRET_KEY is set too"),
        (
            {"STOPLINE_STORE_SECRET_KEY": "", "STOPLINE_STORE_SECRET_KEY_FILE": "/no/such"},
            "/no/such: No such file",
        ),
        ({"STOPLINE_STORE_SECRET_KEY": "", "STOPLINE_STORE_SECRET_KEY_FILE": "/dev/null"}, "is empty"),
        ({"STOPLINE_STORE_LOCK": "forever"}, "STOPLINE_STORE_LOCK: 'forever'"),
        ({"STOPLINE_STORE_LOCK_DAYS": "0"}, "STOPLINE_STORE_LOCK_DAYS: '0'"),
    ],
)
def test_a_store_that_cannot_be_set_up_so_is_named_and_no_secret_is_shown(
    change: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigInvalidError) as caught:
        Settings.of({**BUCKET, **change}).bucket()
    assert message in str(caught.value)
    assert "horse" not in str(caught.value)
    assert "horse" not in repr(Settings.of(BUCKET))


ISSUER, CLIENT = "STOPLINE_OIDC_ISSUER", "STOPLINE_OIDC_CLIENT_ID"


def test_the_identity_provider_is_as_set_and_its_secret_is_never_shown(tmp_path: Path) -> None:
    assert Settings.of({}).identity_provider() is None
    path = tmp_path / "secret"
    path.write_text("correct horse\n", encoding="utf-8")
    given = {ISSUER: "https://id.example/realm", CLIENT: "stopline"}
    for more in (
        {"STOPLINE_OIDC_CLIENT_SECRET_FILE": str(path)},
        {"STOPLINE_OIDC_CLIENT_SECRET": "correct horse"},
    ):
        settings = Settings.of(given | more)
        provider = settings.identity_provider()
        assert provider is not None
        assert (provider.issuer, provider.client_id) == ("https://id.example/realm", "stopline")
        assert (provider.client_secret, provider.claim) == ("correct horse", "sub")
        assert "horse" not in repr(settings) + repr(provider)
    public = Settings.of(given | {"STOPLINE_OIDC_CLAIM": "oid"}).identity_provider()
    assert public is not None
    assert (public.client_secret, public.claim) == (None, "oid")
    for local in ("http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"):
        assert Settings.of(given | {ISSUER: local}).identity_provider() is not None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({ISSUER: "http://id.example"}, "OIDC_ISSUER: write it like https://"),
        ({ISSUER: "http://127.0.0.1.example"}, "OIDC_ISSUER: write it like https://"),
        ({ISSUER: "https://who:what@id.example"}, "OIDC_ISSUER: write it like https://"),
        ({ISSUER: "https://id.example:x"}, "OIDC_ISSUER: write it like https://"),
        ({ISSUER: "https://id.example?a=b"}, "OIDC_ISSUER: write it like https://"),
        ({ISSUER: "file:///etc/passwd"}, "OIDC_ISSUER: write it like https://"),
        ({CLIENT: ""}, "OIDC_CLIENT_ID: is missing"),
        ({"STOPLINE_OIDC_CLIENT_SECRET_FILE": "/nowhere/at/all"}, "No such file"),
        (
            {"STOPLINE_OIDC_CLIENT_SECRET_FILE": "/nowhere", "STOPLINE_OIDC_CLIENT_SECRET": "horse"},
            "STOPLINE_OIDC_CLIENT_SECRET is set too",
        ),
    ],
)
def test_an_identity_provider_that_cannot_be_used_is_named(wrong: dict[str, str], message: str) -> None:
    given = {ISSUER: "https://id.example", CLIENT: "stopline"} | wrong
    with pytest.raises(ConfigInvalidError, match=message) as caught:
        Settings.of(given).identity_provider()
    for secret in ("horse", "what"):
        assert secret not in str(caught.value)
