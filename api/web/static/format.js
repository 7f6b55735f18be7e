// Numbers and moments as text.

import { t } from "./strings.js";

/** Seconds with so many digits, with a true minus sign; sign: also a plus. */
export function number(value, digits = 2, { sign = false } = {}) {
  const text = Math.abs(value).toFixed(digits);
  const isZero = Number(text) === 0;
  if (value < 0 && !isZero) return `−${text}`;
  return sign && !isZero ? `+${text}` : text;
}

/** A moment in the reader's time zone, with its offset: 2026-03-02 08:30:20 +08:00; precise: to the millisecond. */
export function localTime(rfc3339, { precise = false } = {}) {
  const moment = new Date(rfc3339);
  const two = (value) => String(value).padStart(2, "0");
  const offset = -moment.getTimezoneOffset();
  const zone = `${offset < 0 ? "−" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  const fraction = precise ? `.${String(moment.getMilliseconds()).padStart(3, "0")}` : "";
  return `${day} ${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}${fraction} ${zone}`;
}

/** When a case happened: the time of day where it is known, else where in the recording. */
export function whenOf(item, options) {
  return item.captured_at ? localTime(item.captured_at, options) : t("time.media", { s: number(item.t_s, 2) });
}

export function percent(share) {
  return number(share * 100, share > 0 && share < 0.1 ? 1 : 0);
}
