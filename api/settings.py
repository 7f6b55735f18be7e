"""The settings of the installation: the one place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.errors import ConfigInvalidError, Problem

PREFIX = "STOPLINE_"


class Settings(BaseModel):
    """What may differ between machines; ``STOPLINE_CACHE`` in the environment is ``cache`` here, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache: Path = Field(
        description="Folder in which fetched model files are kept between runs. Default ~/.cache/stopline: "
        "where the XDG convention puts what can be fetched again."
    )
    models: Path = Field(
        description="Folder of manifest.toml and of the model files that come with Stopline. Default the folder "
        "models beside the packages: there a checkout has it."
    )
    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Number of threads that one model may compute on. Default 2: the cores of the smallest "
        "machine the speed figures are given for.",
    )
    no_color: bool = Field(
        default=False,
        description="Whether the terminal stays without colours (true or false; set by NO_COLOR, whatever its "
        "value, as no-color.org has it). Default false: colours help where there is a terminal.",
    )

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
            "no_color": bool(environment.get("NO_COLOR")),
        }
        problems = []
        for name, value in sorted(environment.items()):
            if not name.startswith(PREFIX) or value == "":
                continue
            field = name.removeprefix(PREFIX).lower()
            if field not in cls.model_fields:
                known = ", ".join(PREFIX + known.upper() for known in cls.model_fields)
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
