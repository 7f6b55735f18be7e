"""The settings of the installation: the one place that reads the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError

from api.errors import ConfigInvalidError, Problem
from api.identity_settings import IdentitySettings
from api.store_settings import PREFIX
from detector.inference import Inference

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables that are set where a browser can be opened."""


class Settings(IdentitySettings):
    """What may differ between machines; ``STOPLINE_CACHE`` in the environment is ``cache`` here, and so on."""

    cache: Path = Field(
        description="Folder in which fetched model files are kept between runs. Default ~/.cache/stopline: "
        "where the XDG convention puts what can be fetched again."
    )
    keys: Path | None = Field(
        default=None,
        description="Folder of the key that signs evidence, as 'stopline keys generate' makes it. Default none: "
        "each data folder then gets a demo key of its own, whose signer nobody knows.",
    )
    signing_passphrase: SecretStr | None = Field(
        default=None,
        description="Passphrase of that key. Default none: its file is then protected by its permissions only.",
    )
    signing_passphrase_file: Path | None = Field(
        default=None,
        description="File that holds the passphrase and nothing else. Default none: see signing_passphrase; a file "
        "is better than an environment, which other programs may read.",
    )
    models: Path = Field(
        description="Folder of manifest.toml and of the model files that come with Stopline. Default the folder "
        "models beside the packages: there a checkout has it."
    )
    samples: Path = Field(
        description="Folder of the sample clips with their site files and truth.json, for 'stopline demo'. Default the "
        "folder sample_videos beside the packages: there a checkout has it."
    )
    footage: Path | None = Field(
        default=None,
        description="Folder of recordings and truth files that runs ordered from the service may read; nothing outside of it is. "
        "Default none: whoever may order runs reads nothing of the server unasked.",
    )
    claim_minutes: int = Field(
        default=10,
        ge=1,
        le=120,
        description="How long a claim of a case lasts in the service, in minutes. Default 10: the page renews it every few "
        "minutes, so that a case is free soon after its officer went away.",
    )
    review_days: int = Field(
        default=10,
        ge=1,
        le=365,
        description="In how many days after it was recorded a case is to be decided. Default 10: the programme wants it so.",
    )
    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Number of threads that one model may compute on. Default 2: the cores of the smallest "
        "machine the speed figures are given for.",
    )
    inference: Inference = Field(
        default=Inference.ONNXRUNTIME,
        description="What computes the detection model: 'onnxruntime', or 'openvino' (extra [openvino]), which on processors "
        "that compute in bfloat16 takes less than half the time for the model that comes along. Default onnxruntime: it comes "
        "along, and its results are the same on more machines.",
    )
    timestamp_url: str | None = Field(
        default=None,
        description="Address of an RFC 3161 time stamp authority, http(s)://HOST[:PORT]/PATH, for 'stopline evidence "
        "stamp'. Default none: whose word counts is the operator's choice, and it costs money.",
    )
    mqtt_password_file: Path | None = Field(
        default=None,
        description="File that holds the password of the account at an MQTT broker, and nothing else. Default none: "
        "the broker wants none. A file, since an environment or a command line can be read by others.",
    )
    no_color: bool = Field(
        default=False,
        description="Whether the terminal stays without colours (true or false; set by NO_COLOR, whatever its "
        "value, as no-color.org has it). Default false: colours help where there is a terminal.",
    )
    display: bool = Field(
        description="Whether 'stopline demo' may open a browser (true or false). Default true where DISPLAY, "
        "WAYLAND_DISPLAY or BROWSER is set, and on macOS: elsewhere nobody would see it."
    )

    def timestamp_authority(self) -> str:
        """The address of the authority. Raises ConfigInvalidError where there is none, or it cannot be used."""
        name, address = PREFIX + "TIMESTAMP_URL", self.timestamp_url
        if address is None:
            raise ConfigInvalidError([_problem(name, "is missing; set it to the authority's address")])
        parts = urlsplit(address)
        if parts.username is not None or parts.password is not None:
            raise ConfigInvalidError([_problem(name, "holds an account, which would be logged; give none")])
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigInvalidError([_problem(name, f"{address!r}: write it like https://HOST/PATH")])
        return address

    def mqtt_password(self) -> str | None:
        """The content of ``mqtt_password_file`` without its line end. Raises ConfigInvalidError where it cannot be read."""
        if self.mqtt_password_file is None:
            return None
        try:
            return self.mqtt_password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
            name = PREFIX + "MQTT_PASSWORD_FILE"
            raise ConfigInvalidError([_problem(name, f"{self.mqtt_password_file}: {reason}")]) from exc

    def passphrase(self) -> str | None:
        """The passphrase of the signing key, None where there is none. Raises ConfigInvalidError where it cannot be had."""
        if self.signing_passphrase_file is None:
            return None if self.signing_passphrase is None else self.signing_passphrase.get_secret_value()
        name, path = PREFIX + "SIGNING_PASSPHRASE_FILE", self.signing_passphrase_file
        if self.signing_passphrase is not None:
            problem = f"{PREFIX}SIGNING_PASSPHRASE is set too; set one of them"
            raise ConfigInvalidError([_problem(name, problem)])
        try:
            text = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
            raise ConfigInvalidError([_problem(name, f"{path}: {reason}")]) from exc
        if not text:
            raise ConfigInvalidError([_problem(name, f"{path}: is empty; it should hold the passphrase")])
        return text

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The settings of that environment.

        Raises ConfigInvalidError for a ``STOPLINE_`` variable that is unknown or has an impossible value.
        """
        home = environment.get("XDG_CACHE_HOME") or str(
            Path(environment.get("HOME") or Path.home()) / ".cache"
        )
        values: dict[str, object] = {
            "cache": Path(home) / "stopline",
            "models": Path(__file__).resolve().parents[1] / "models",
            "samples": Path(__file__).resolve().parents[1] / "sample_videos",
            "no_color": bool(environment.get("NO_COLOR")),
            "display": sys.platform == "darwin" or any(environment.get(name) for name in SCREENS),
        }
        problems = []
        for name, value in sorted(environment.items()):
            if not name.startswith(PREFIX) or value == "":
                continue
            field = name.removeprefix(PREFIX).lower()
            if field not in cls.model_fields:
                known = ", ".join(PREFIX + known.upper() for known in sorted(cls.model_fields))
                problems.append(_problem(name, f"unknown setting; known: {known}"))
            else:
                values[field] = value
        try:
            settings = cls.model_validate(values)
        except ValidationError as exc:
            for details in exc.errors(include_url=False):
                name = str(details["loc"][0])
                problems.append(
                    _problem(
                        PREFIX + name.upper(),
                        f"{details['input']!r}: {details['msg']} ({cls.model_fields[name].description})",
                    )
                )
            raise ConfigInvalidError(problems) from exc
        if problems:
            raise ConfigInvalidError(problems)
        return settings


def load_settings() -> Settings:
    """The settings of this process's environment. Raises ConfigInvalidError."""
    return Settings.of(os.environ)


def _problem(name: str, message: str) -> Problem:
    return Problem(file="environment", line=None, field=name, message=message)
