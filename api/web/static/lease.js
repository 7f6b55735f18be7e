// Our claim of a case: taken when it is opened, renewed while it is looked at, given back when it is left.

import { claimCase, releaseCase } from "./api.js";

const RENEW_MS = 4 * 60 * 1000; // twice within the ten minutes that a claim lasts

/** onChange is called whenever it is known anew whether we hold the case: {claim, error}, one of them null. */
export class Lease {
  constructor(id, onChange) {
    this.id = id;
    this.onChange = onChange;
    this.claim = null;
    this.error = null;
    this.isOver = false;
    this.asked = this.take();
    this.timer = setInterval(() => this.take(), RENEW_MS);
  }

  /** Whether we hold it now; asked anew. */
  async take() {
    try {
      const claim = await claimCase(this.id);
      this.claim = { number: claim.number };
      this.error = null;
    } catch (error) {
      this.claim = null;
      this.error = error;
    }
    if (!this.isOver) this.onChange();
    return this.claim !== null;
  }

  /** It is not renewed any more; with giveBack others may have the case at once. */
  end(giveBack) {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.timer);
    if (giveBack && this.claim) releaseCase(this.id).catch(() => {});
  }
}
