"""What can stand against looking at a site or changing it."""

from __future__ import annotations

from rules.errors import StoplineError


class SiteUnknownError(StoplineError):
    """There is no such site, or the account is not for it."""

    code = "site_unknown"

    def __init__(self, site_id: str) -> None:
        super().__init__(f"there is no site {site_id}")


class CameraUnknownError(StoplineError):
    """No published site has such a camera, or the account is not for its site."""

    code = "camera_unknown"

    def __init__(self, camera_id: str) -> None:
        super().__init__(f"no published site has a camera {camera_id}")


class SiteExistsError(StoplineError):
    """Another site has that id."""

    code = "site_exists"

    def __init__(self, site_id: str) -> None:
        super().__init__(f"there is a site {site_id} already")


class SiteVersionUnknownError(StoplineError):
    """The site has no version of that number."""

    code = "site_version_unknown"

    def __init__(self, site_id: str, number: int) -> None:
        super().__init__(f"site {site_id} has no version {number}")


class NothingToPublishError(StoplineError):
    """There is no draft, or it is what is published."""

    code = "nothing_to_publish"

    def __init__(self, site_id: str, why: str) -> None:
        super().__init__(f"site {site_id}: {why}")


class SiteChangedError(StoplineError):
    """Somebody changed the site meanwhile; ``version`` is the one that stands."""

    code = "site_changed"

    def __init__(self, site_id: str, version: int) -> None:
        super().__init__(f"site {site_id} was changed meanwhile; look at it again")
        self.version = version
        self.headers = {"ETag": f'"v{version}"'}


class DraftRefusedError(StoplineError):
    """A text that is not even kept as a draft."""

    code = "draft_refused"


class SignUnknownError(StoplineError):
    """The site's entry in the register has no such sign, or the sign no photo."""

    code = "sign_unknown"

    def __init__(self, what: str) -> None:
        super().__init__(what)


class PhotoRefusedError(StoplineError):
    """Bytes that are no picture as a camera takes it."""

    code = "photo_refused"


class RegisterChangedError(StoplineError):
    """Somebody changed the site's entry meanwhile; ``version`` is the one that stands."""

    code = "register_changed"

    def __init__(self, site_id: str, version: int) -> None:
        super().__init__(f"the entry of site {site_id} was changed meanwhile; look at it again")
        self.version = version
        self.headers = {"ETag": f'"v{version}"'}


class CameraBusyError(StoplineError):
    """Others look at cameras just now."""

    code = "camera_busy"

    def __init__(self) -> None:
        super().__init__("others look at cameras just now; try again in some seconds")


class CameraUnreachableError(StoplineError):
    """The camera cannot be used as it is configured; the text says why, without its account."""

    code = "camera_unreachable"
