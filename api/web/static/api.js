// Speaks to the server; what goes wrong becomes an ApiError with words for the officer.

import { t } from "./strings.js";

const ROOT = "/api/v1";

export class ApiError extends Error {
  /** code is the problem's, or "network" where no answer came; errors are the fields' mistakes. */
  constructor(message, { code = "network", status = 0, requestId = null, errors = [] } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.errors = errors;
  }
}

let csrfToken = "";
let onSignedOut = () => {};

/** What to do when the server says that nobody is signed in any more. */
export function whenSignedOut(action) {
  onSignedOut = action;
}

async function ask(address, options = {}) {
  const headers = { ...options.headers };
  if (options.method && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  let response;
  try {
    response = await fetch(address, { cache: "no-cache", ...options, headers });
  } catch (cause) {
    if (cause.name === "AbortError") throw cause;
    throw new ApiError(t("error.network"));
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // not one of our answers: the status has to do
  }
  if (problem.code === "sign_in_required") onSignedOut();
  throw new ApiError(problem.detail ?? response.statusText, {
    code: problem.code ?? "unknown",
    status: response.status,
    requestId: problem.request_id ?? null,
    errors: problem.errors ?? [],
  });
}

async function began(asked) {
  const session = await asked;
  csrfToken = session.csrf_token ?? "";
  return session;
}

function sent(method, body) {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** Who is signed in. */
export function currentSession() {
  return began(ask(`${ROOT}/sessions/current`));
}

/** The new session; credentials are {name, password} or {link}. */
export function signIn(credentials) {
  return began(ask(`${ROOT}/sessions`, sent("POST", credentials)));
}

/** One's own password is another one, and every session is over. */
export function changePassword(old, wanted) {
  return ask(`${ROOT}/users/me/password`, sent("PUT", { old, new: wanted }));
}

/** The session is over. */
export function signOut() {
  return ask(`${ROOT}/sessions/current`, { method: "DELETE" });
}

/** A page of cases; query holds the API's own parameters. */
export function listCases(query, signal) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value != null));
  return ask(`${ROOT}/violations?${parameters}`, { signal });
}

/** One case. */
export function getCase(id, signal) {
  return ask(`${ROOT}/violations/${encodeURIComponent(id)}`, { signal });
}

/** A JSON file of a case, such as its trace. */
export function getJson(address, signal) {
  return ask(address, { signal });
}

/** The case as decided; verdict is {decision, code?, note}. */
export function decide(id, verdict) {
  return ask(`${ROOT}/violations/${encodeURIComponent(id)}/reviews`, sent("POST", verdict));
}
