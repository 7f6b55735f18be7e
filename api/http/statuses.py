"""Which status and title each error of ours gets, by its code; any other is a fault of the server."""

from __future__ import annotations

from http import HTTPStatus

STATUS_OF = {
    "account_exists": (HTTPStatus.CONFLICT, "Account exists"),
    "account_unknown": (HTTPStatus.NOT_FOUND, "Unknown account"),
    "already_decided": (HTTPStatus.CONFLICT, "Already decided"),
    "case_removed": (HTTPStatus.GONE, "Removed"),
    "case_unknown": (HTTPStatus.NOT_FOUND, "Unknown case"),
    "confirm_refused": (HTTPStatus.CONFLICT, "Cannot be confirmed"),
    "csrf_missing": (HTTPStatus.FORBIDDEN, "CSRF token missing"),
    "cursor_malformed": (HTTPStatus.BAD_REQUEST, "Malformed cursor"),
    "evidence_damaged": (HTTPStatus.CONFLICT, "Evidence damaged"),
    "evidence_missing": (HTTPStatus.NOT_FOUND, "Evidence missing"),
    "case_open": (HTTPStatus.CONFLICT, "Not decided"),
    "export_gone": (HTTPStatus.GONE, "Gone"),
    "export_not_ready": (HTTPStatus.CONFLICT, "Not ready"),
    "export_unknown": (HTTPStatus.NOT_FOUND, "Unknown export"),
    "exports_busy": (HTTPStatus.CONFLICT, "Too many exports wait"),
    "file_unknown": (HTTPStatus.NOT_FOUND, "Unknown file"),
    "last_administrator": (HTTPStatus.CONFLICT, "Last administrator"),
    "not_verified": (HTTPStatus.CONFLICT, "Does not verify"),
    "not_allowed": (HTTPStatus.FORBIDDEN, "Not allowed"),
    "password_change_required": (HTTPStatus.FORBIDDEN, "Change your password first"),
    "password_refused": (HTTPStatus.UNPROCESSABLE_ENTITY, "Password refused"),
    "precondition_required": (HTTPStatus.PRECONDITION_REQUIRED, "If-Match required"),
    "range_unsatisfiable": (HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "Range beyond the end"),
    "records_busy": (HTTPStatus.SERVICE_UNAVAILABLE, "Records busy"),
    "session_required": (HTTPStatus.FORBIDDEN, "Sign in with a browser"),
    "sign_in_refused": (HTTPStatus.UNAUTHORIZED, "Sign-in refused"),
    "sign_in_required": (HTTPStatus.UNAUTHORIZED, "Sign in"),
    "stale": (HTTPStatus.PRECONDITION_FAILED, "Changed meanwhile"),
    "store_refused": (HTTPStatus.BAD_GATEWAY, "Evidence store refused"),
    "store_unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "Evidence store does not answer"),
    "token_life": (HTTPStatus.UNPROCESSABLE_ENTITY, "Impossible end of a token"),
    "token_unknown": (HTTPStatus.NOT_FOUND, "Unknown token"),
    "too_many_attempts": (HTTPStatus.TOO_MANY_REQUESTS, "Too many attempts"),
}
