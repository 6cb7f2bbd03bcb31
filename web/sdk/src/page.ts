/** What a page goes through that concerns the connection. */
export interface PageOwner {
  /** The network came back, or the page is on show again: see whether all still works. */
  online(): void;
  shown(): void;
  /** The page goes into the back-forward cache, where nothing runs, and comes out of it. */
  sleep(): void;
  wake(): void;
  /** The page is closed. */
  gone(): void;
}

/** Follows the page until `signal` ends it. */
export function followPage(owner: PageOwner, signal: AbortSignal): void {
  const options = { signal };
  window.addEventListener('online', () => owner.online(), options);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && owner.shown(), options);
  window.addEventListener('pagehide', (event) => (event.persisted ? owner.sleep() : owner.gone()), options);
  window.addEventListener('pageshow', (event) => event.persisted && owner.wake(), options);
}
