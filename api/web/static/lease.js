// Our claim of a case: taken when it is opened, renewed while it is looked at, given back when it is left.

import { claimCase, releaseCase } from "./api.js";

const RENEW_SHARE = 0.4; // twice within the time that a claim lasts
const AGAIN_MS = 60 * 1000; // where it could not be had

/** onChange is called whenever it is known anew whether we hold the case: {claim, error}, one of them null. */
export class Lease {
  constructor(id, onChange) {
    this.id = id;
    this.onChange = onChange;
    this.claim = null;
    this.error = null;
    this.isOver = false;
    this.asked = this.take();
  }

  /** Whether we hold it now; asked anew. */
  async take() {
    clearTimeout(this.timer);
    let nextMs = AGAIN_MS;
    try {
      const claim = await claimCase(this.id);
      this.claim = { number: claim.number };
      nextMs = claim.lastsMs * RENEW_SHARE;
      this.error = null;
    } catch (error) {
      this.claim = null;
      this.error = error;
    }
    if (!this.isOver) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.take(), nextMs);
      this.onChange();
    }
    return this.claim !== null;
  }

  /** It is not renewed any more; with giveBack others may have the case at once. */
  end(giveBack) {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    if (giveBack && this.claim) releaseCase(this.id).catch(() => {});
  }
}
