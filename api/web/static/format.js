// Numbers and moments as text.

import { t } from "./strings.js";

/** Seconds with so many digits, with a true minus sign; sign: also a plus. */
export function number(value, digits = 2, { sign = false } = {}) {
  const text = Math.abs(value).toFixed(digits);
  const isZero = Number(text) === 0;
  if (value < 0 && !isZero) return `−${text}`;
  return sign && !isZero ? `+${text}` : text;
}

/**
 * A moment as the API tells it at the site (2026-03-02T08:30:20.000+08:00), for people: 2026-03-02 08:30:20 +08:00.
 * precise: to the millisecond. The reader's own time zone plays no part.
 */
export function siteTime(local, { precise = false } = {}) {
  const [, day, clock, fraction, offset] = /^([\d-]+)T([\d:]+)(\.\d+)(.+)$/.exec(local);
  return `${day} ${clock}${precise ? fraction : ""} ${offset.replace("-", "−")}`;
}

/** When a case happened: the site's time of day where it is known, else where in the recording. */
export function whenOf(item, options) {
  return item.captured_local ? siteTime(item.captured_local, options) : t("time.media", { s: number(item.t_s, 2) });
}

export function percent(share) {
  return number(share * 100, share > 0 && share < 0.1 ? 1 : 0);
}
