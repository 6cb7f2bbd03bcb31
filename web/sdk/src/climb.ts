// Brings a publisher's estimate of its network back up. Browsers answer congestion at once, but afterwards their estimate grows by some
// 8 % a second: from 0.5 to 2.3 Mb/s that is 20 s, in which a good network carries a small picture. They measure what there is, by a burst
// of some 18 kB, when the limit of the connection is raised; so that is done now and then while they are short.

const CALM = 2000; // ms without a falling estimate before the first burst
const AGAIN = 4000; // ms from burst to burst: where the network has no more, one holds up what is sent by up to 0.3 s at 0.5 Mb/s
const PATIENT = 5; // bursts that found nothing; from then on each is one AGAIN later than the one before,
const LONGEST = 20_000; // up to this
const FOUND = 1.5; // times what the estimate was
const FELL = 0.93; // times what it was a moment ago

/** Decides from time to time. */
export class Climb {
  /** Pictures are worse than they could be, at the last look. */
  short = false;
  #calmSince = 0;
  #last = 0; // the estimate
  #measuredAt = -Infinity;
  #before = 0; // the estimate then
  #failed = 0; // bursts in a row

  /** Takes a look at `now` (ms): the browser's estimate in bit/s, and whether pictures are worse for it. Returns whether to measure. */
  next(now: number, estimate: number, short: boolean): boolean {
    if (!this.short || estimate < FELL * this.#last) this.#calmSince = now;
    this.#last = estimate;
    this.short = short;
    if (!short || estimate > FOUND * this.#before) this.#failed = 0;
    const wait = Math.min(AGAIN * Math.max(1, this.#failed - PATIENT + 1), LONGEST);
    if (!short || now - this.#calmSince < CALM || now - this.#measuredAt < wait) return false;
    this.#measuredAt = now;
    this.#before = estimate;
    this.#failed++;
    return true;
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
