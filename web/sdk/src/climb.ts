// Brings a publisher's estimate of its network back up. Browsers answer congestion at once, but afterwards their estimate grows by some
// 8 % a second: from 0.5 to 2.3 Mb/s that is 20 s, in which a good network carries a small picture. They measure what there is, by a burst
// of some milliseconds, when the limit of the connection is raised; so that is done now and then while they are short.

const CALM = 700; // ms without a falling estimate before the first burst
const ANSWER = 600; // ms until a burst has shown
const AGAIN = 2500; // ms after one that found nothing
// Times the estimate. Chromium's bursts take 100 ms: of a network that has no more, so little lasts 40 ms longer; three times as much
// held up what was sent meanwhile by 0.4 s.
const FIRST = 1.7;
const NEXT = 2; // once one has found that much
const FOUND = 0.9; // of what was looked for
const FELL = 0.93; // times what it was a moment ago

/** Decides from time to time. */
export class Climb {
  /** Pictures are worse than they could be, at the last look. */
  short = false;
  #calmSince = 0;
  #last = 0; // the estimate
  #probedAt = -Infinity;
  #limit = 0; // of the burst
  #open = false; // a burst has gone out whose outcome is not known yet

  /** Takes a look at `now` (ms): the browser's estimate in bit/s, and whether pictures are worse for it. Returns the limit to probe up to. */
  next(now: number, estimate: number, short: boolean): number | undefined {
    const fell = estimate < FELL * this.#last;
    this.#last = estimate;
    if (!short) {
      this.short = false;
      this.#open = false;
      return undefined;
    }
    if (!this.short || fell) this.#calmSince = now;
    this.short = true;
    if (this.#open && estimate > FOUND * this.#limit) return this.#probe(now, NEXT * estimate);
    this.#open = this.#open && now - this.#probedAt < ANSWER;
    if (this.#open || now - this.#calmSince < CALM || now - this.#probedAt < AGAIN) return undefined;
    return this.#probe(now, FIRST * estimate);
  }

  #probe(now: number, limit: number): number {
    this.#open = true;
    this.#probedAt = now;
    this.#limit = Math.round(limit);
    return this.#limit;
  }
}

/** What a browser's figures say of what it sends; undefined where it tells no estimate. */
export function shortage(report: Iterable<unknown>): { estimate: number; short: boolean } | undefined {
  let estimate: number | undefined;
  let short = false;
  for (const s of report as Iterable<Record<string, unknown>>) {
    if (s.type === 'candidate-pair' && typeof s.availableOutgoingBitrate === 'number' && s.nominated)
      estimate = s.availableOutgoingBitrate;
    if (s.type === 'outbound-rtp' && s.kind === 'video' && s.qualityLimitationReason === 'bandwidth') short = true;
  }
  return estimate === undefined ? undefined : { estimate, short };
}
