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
const etags = new WeakMap();
const dates = new WeakMap();

/** The version of an answer, which a change of it has to name. */
export function etagOf(answer) {
  return etags.get(answer) ?? "";
}

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
  if (response.ok) {
    if (response.status === 204) return null;
    const body = await response.json();
    etags.set(body, response.headers.get("ETag"));
    dates.set(body, Date.parse(response.headers.get("Date")));
    return body;
  }
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

/** How people may sign in here. */
export function signInWays() {
  return ask(`${ROOT}/sessions/ways`);
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

/** The case is ours for a while, or for longer: {number, lastsMs}, by the server's clock. */
export async function claimCase(id) {
  const claim = await ask(`${ROOT}/violations/${encodeURIComponent(id)}/claim`, { method: "PUT" });
  return { number: claim.number, lastsMs: Date.parse(claim.expires_at) - dates.get(claim) };
}

/** The case is nobody's; also while the page is being left. */
export function releaseCase(id) {
  return ask(`${ROOT}/violations/${encodeURIComponent(id)}/claim`, { method: "DELETE", keepalive: true });
}

/** How the case stands after the verdict {decision, claim, code?, note} on that version; the same key decides once. */
export function decide(id, verdict, etag, key) {
  const request = sent("POST", verdict);
  Object.assign(request.headers, { "If-Match": etag, "Idempotency-Key": key });
  return ask(`${ROOT}/violations/${encodeURIComponent(id)}/reviews`, request);
}

/** A name for a change that nobody used before. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
