"""The settings that say where cameras may stand, and which accounts Stopline has at them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from api.errors import ConfigInvalidError, Problem
from api.store_settings import PREFIX, StoreSettings
from api.yaml_text import parse_yaml
from ingest.networks import Account, CameraNetworks

PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"


class CameraSettings(StoreSettings):
    """Where cameras stand and how they let us in."""

    camera_networks: str = Field(
        default=PRIVATE,
        description="Networks in which cameras may stand, in CIDR notation, separated by commas; the host of every "
        "rtsp:// address must lie in one, each time it is connected to. Default the private ranges of RFC 1918 and RFC "
        "4193: cameras have no business elsewhere, and an address in a site file must not reach this machine's own services.",
    )
    camera_accounts_file: Path | None = Field(
        default=None,
        description="YAML file of accounts at cameras, NAME: {user: ..., password: ...}; the site file names one for each "
        "camera that wants one (stream: account). Default none: no camera wants an account. A file, since an environment or a "
        "command line can be read by others.",
    )

    def networks(self) -> CameraNetworks:
        """The networks in which cameras may stand. Raises ConfigInvalidError."""
        try:
            return CameraNetworks.of(self.camera_networks.split(","))
        except ValueError as exc:
            name = PREFIX + "CAMERA_NETWORKS"
            problem = Problem(
                file="environment", line=None, field=name, message=f"{exc}; write it like {PRIVATE}"
            )
            raise ConfigInvalidError([problem]) from exc

    def camera_accounts(self) -> Mapping[str, Account]:
        """The accounts by name, none where no file is set. Raises ConfigInvalidError, which quotes nothing of the file."""
        path = self.camera_accounts_file
        if path is None:
            return {}
        name = PREFIX + "CAMERA_ACCOUNTS_FILE"
        try:
            found = parse_yaml(path.read_bytes(), str(path)).value
            accounts = _ACCOUNTS.validate_python(found or {})
        except (OSError, ConfigInvalidError, ValidationError) as exc:
            why = _why(exc)
            problem = Problem(
                file="environment",
                line=None,
                field=name,
                message=f"{path}: {why}; it should hold NAME: {{user: ..., password: ...}}",
            )
            raise ConfigInvalidError([problem]) from None  # the cause would quote a password
        return {key: Account(one.user, one.password.get_secret_value()) for key, one in accounts.items()}


class AccountPart(BaseModel):
    """An account at cameras."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str = Field(min_length=1, description="The account's name.")
    password: SecretStr = Field(description="Its password.")


_ACCOUNTS = TypeAdapter(dict[str, AccountPart])


def _why(exc: OSError | ConfigInvalidError | ValidationError) -> str:
    """What is wrong, without what stands there."""
    if isinstance(exc, OSError):
        return exc.strerror or "cannot be read"
    if isinstance(exc, ConfigInvalidError):
        lines = [str(problem.line) for problem in exc.problems if problem.line is not None]
        return f"is no YAML (line {', '.join(lines) or 'unknown'})"
    wrong = {
        ".".join(map(str, error["loc"][:2])) for error in exc.errors(include_input=False, include_url=False)
    }
    return f"wrong are {', '.join(sorted(wrong))}"
