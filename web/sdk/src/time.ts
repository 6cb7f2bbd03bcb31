// Every duration is measured by now(): the wall clock is corrected, by a person, by NTP after sleep, and what compares times of
// it waits for as long as it was set back.

/** Milliseconds of a clock that is never set. In some browsers it stands still while the machine sleeps: see Gaps. */
export function now(): number {
  return performance.now();
}

const LATE = 5000; // ms more than a tick should be away
const JUMP = 3000; // ms by which the two clocks may drift apart between two ticks

/** Tells when time went by without us: the machine slept, or the page was frozen. What was heard before says nothing of now. */
export class Gaps {
  #last: number | undefined;
  #apart = 0;

  /** Takes a tick by both clocks. True: there was a gap. A wall clock that was set looks like one, which costs a question. */
  next(now: number, wall: number): boolean {
    const late = this.#last !== undefined && now - this.#last > LATE;
    const apart = wall - now;
    const jumped = this.#last !== undefined && Math.abs(apart - this.#apart) > JUMP;
    this.#last = now;
    this.#apart = apart;
    return late || jumped;
  }
}
