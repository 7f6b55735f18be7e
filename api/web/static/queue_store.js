// The cases that the current filters list, as far as they have been loaded; their order never changes.

import { listCases } from "./api.js";

export const FILTERS = ["rule", "status", "decision", "camera", "plate", "package"];
export const DEFAULTS = { status: "asserted", decision: "open" };
const PAGE = 50;
const SEARCHED = 1000;

/** The filters in an address; what is not there has its default. */
export function filtersOf(search) {
  const given = new URLSearchParams(search);
  return Object.fromEntries(FILTERS.map((name) => [name, given.get(name) ?? DEFAULTS[name] ?? ""]));
}

/** The address's query for those filters: defaults are left out. */
export function searchOf(filters) {
  const parameters = new URLSearchParams();
  for (const name of FILTERS) {
    const value = filters[name];
    if (value !== (DEFAULTS[name] ?? "")) parameters.set(name, value);
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

export class QueueStore {
  constructor(search) {
    this.search = search;
    this.filters = filtersOf(search);
    this.items = [];
    this.nextCursor = null;
    this.lastCursor = null;
    this.isLoaded = false;
  }

  get hasMore() {
    return this.nextCursor !== null;
  }

  /** The first page, or the next one. */
  async load(signal) {
    const page = await listCases(this.#query({ cursor: this.nextCursor, limit: PAGE }), signal);
    this.#take(page);
  }

  /** Whether cases have come in since; they are not added yet. */
  async hasNew(signal) {
    if (this.hasMore) return false;
    const page = await listCases(this.#query({ cursor: this.lastCursor, limit: 1 }), signal);
    return page.items.length > 0;
  }

  /** Adds what has come in since, at the end. */
  async loadNew(signal) {
    this.#take(await listCases(this.#query({ cursor: this.lastCursor, limit: PAGE }), signal));
  }

  /** The place of that case, loading on until it comes; -1 where it is not among the first SEARCHED. */
  async find(id, signal) {
    if (!this.isLoaded) await this.load(signal);
    let place = this.items.findIndex((item) => item.id === id);
    while (place < 0 && this.hasMore && this.items.length < SEARCHED) {
      const known = this.items.length;
      await this.load(signal);
      const found = this.items.slice(known).findIndex((item) => item.id === id);
      place = found < 0 ? -1 : known + found;
    }
    return place;
  }

  /** The case keeps its place, with what is now known of it. */
  update(item) {
    const place = this.items.findIndex((known) => known.id === item.id);
    if (place >= 0) this.items[place] = { ...this.items[place], decision: item.decision };
  }

  /** Whether there are cases at all, whatever the filters. */
  async hasAny(signal) {
    return (await listCases({ status: "any", limit: 1 }, signal)).items.length > 0;
  }

  #query(more) {
    const query = { ...this.filters, ...more };
    if (query.decision === "any") query.decision = "";
    return query;
  }

  #take(page) {
    this.items.push(...page.items);
    this.nextCursor = page.next_cursor;
    this.lastCursor = page.last_cursor;
    this.isLoaded = true;
  }
}
