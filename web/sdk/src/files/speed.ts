const SPAN = 3000; // ms over which the speed is taken

/** Measures the speed of a transfer over its last seconds. */
export class Speed {
  #marks: { at: number; bytes: number }[] = [];

  /** Notes that `bytes` are through at `now`; returns bytes a second. */
  mark(bytes: number, now: number): number {
    this.#marks.push({ at: now, bytes });
    while (this.#marks.length > 2 && now - this.#marks[0]!.at > SPAN) this.#marks.shift();
    const first = this.#marks[0]!;
    const ms = now - first.at;
    return ms > 0 ? ((bytes - first.bytes) * 1000) / ms : 0;
  }
}
