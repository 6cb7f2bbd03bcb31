/** Lets so many run at once. Whoever comes later waits in turn, however many wait: the line has no bound of its own. */
export class Turns {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Calls `start` when it is its turn, at once if there is room. The result gives the turn, or the place in line, back. */
  take(start: () => void): () => void {
    let mine = false;
    let over = false;
    const begin = () => {
      mine = true;
      this.#running++;
      start();
    };
    if (this.#running < this.#most) begin();
    else this.#waiting.add(begin);
    return () => {
      if (over) return;
      over = true;
      this.#waiting.delete(begin);
      if (!mine) return;
      this.#running--;
      this.#next();
    };
  }

  #next(): void {
    const [first] = this.#waiting;
    if (!first || this.#running >= this.#most) return;
    this.#waiting.delete(first);
    first();
  }
}
