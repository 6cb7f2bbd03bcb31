import type { Beat } from './clockworker';

// Browsers slow the timers of pages that are hidden, to one a minute at worst; those of workers go on.

const WARM_UP = 3000; // ms until the worker is started: a join has better use for the processor

/** Calls `tick` every `ms` milliseconds, also while the page is hidden; returns what ends that. */
export function every(ms: number, tick: () => void): () => void {
  let end = plain(ms, tick);
  const late = setTimeout(() => {
    const worker = startWorker();
    if (!worker) return;
    end();
    end = () => worker.terminate();
    worker.onmessage = tick;
    worker.onerror = () => {
      worker.terminate();
      end = plain(ms, tick); // the worker's script did not load
    };
    worker.postMessage({ every: ms } satisfies Beat);
  }, WARM_UP);
  return () => {
    clearTimeout(late);
    end();
  };
}

function plain(ms: number, tick: () => void): () => void {
  const timer = setInterval(tick, ms);
  return () => clearInterval(timer);
}

/** Pages of other origins may not start our worker: browsers refuse. */
function startWorker(): Worker | undefined {
  if (typeof Worker !== 'function' || new URL(import.meta.url).origin !== globalThis.location?.origin) return undefined;
  try {
    return new Worker(new URL('./clockworker.ts', import.meta.url), { type: 'module', name: 'parley-clock' });
  } catch {
    return undefined;
  }
}
