/** Keeps the screen, and with it the page, awake while somebody holds it. Browsers without wake locks sleep as ever. */
export class WakeLock {
  #holders = 0;
  #lock: WakeLockSentinel | undefined;
  readonly #page = new AbortController();

  constructor() {
    const back = () => {
      if (document.visibilityState === 'visible') void this.#take(); // browsers take the lock away from hidden pages
    };
    document.addEventListener('visibilitychange', back, { signal: this.#page.signal });
  }

  close(): void {
    this.#page.abort();
  }

  /** Holds it; returns what lets go. */
  hold(): () => void {
    this.#holders++;
    void this.#take();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders--;
      if (this.#holders > 0) return;
      void this.#lock?.release();
      this.#lock = undefined;
    };
  }

  async #take(): Promise<void> {
    if (this.#holders === 0 || (this.#lock && !this.#lock.released) || !('wakeLock' in navigator)) return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      if (this.#holders === 0) await lock.release();
      else this.#lock = lock;
    } catch {
      // Refused, for example on low battery: the transfer goes on as long as the page is awake.
    }
  }
}
