// The worker behind clock.ts: a timer that no hidden page slows down.
export interface Beat {
  /** Milliseconds. */
  every: number;
}

interface Scope {
  onmessage: ((event: MessageEvent<Beat>) => void) | null;
  postMessage(message: null): void;
}

const scope = globalThis as unknown as Scope;
scope.onmessage = (event) => {
  setInterval(() => scope.postMessage(null), event.data.every);
};
