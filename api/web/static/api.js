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

async function ask(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { cache: "no-cache", ...options });
  } catch (cause) {
    if (cause.name === "AbortError") throw cause;
    throw new ApiError(t("error.network"));
  }
  if (response.ok) return response.json();
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // not one of our answers: the status has to do
  }
  throw new ApiError(problem.detail ?? response.statusText, {
    code: problem.code ?? "unknown",
    status: response.status,
    requestId: problem.request_id ?? null,
    errors: problem.errors ?? [],
  });
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

/** The case as decided; verdict is {decision, code?, note, reviewer}. */
export function decide(id, verdict) {
  return ask(`${ROOT}/violations/${encodeURIComponent(id)}/reviews`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(verdict),
  });
}
