const LINGER = 2000; // ms that a page may be hidden: who looks at another tab for a moment comes back to what there was

function hidden(): boolean {
  return globalThis.document?.visibilityState === 'hidden';
}

/** Resolves once the page can be seen, or `signal` ends it. Without a page, in a worker, that is at once. */
export function shown(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (hidden() && !signal.aborted) return;
      globalThis.document?.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve();
    };
    globalThis.document?.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
    look();
  });
}

/** A signal that ends when the page has been hidden for a while, or with `signal`. */
export function untilHidden(signal: AbortSignal): AbortSignal {
  const { document } = globalThis;
  if (!document) return signal;
  const over = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (hidden()) timer = setTimeout(end, LINGER);
  };
  const end = () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
    signal.removeEventListener('abort', end);
    over.abort();
  };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', end);
  return over.signal;
}
