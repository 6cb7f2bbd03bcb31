import type { Target } from './sinks';
import { LocalWork, type Work } from './work';
import type { Answer, Call } from './worker';

/** Work done by a worker of its own, so that hashing and disks do not make the page stutter. */
class WorkerWork implements Work {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #calls = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<Answer>) => this.#answer(event.data);
    worker.onerror = () => this.#broken();
    worker.onmessageerror = () => this.#broken();
  }

  read(file: Blob): Promise<void> {
    return this.#call('read', file) as Promise<void>;
  }
  next(): Promise<ArrayBuffer | undefined> {
    return this.#call('next') as Promise<ArrayBuffer | undefined>;
  }
  create(target: Target): Promise<void> {
    return this.#call('create', target) as Promise<void>;
  }
  write(chunk: ArrayBuffer): Promise<void> {
    return this.#call('write', chunk, [chunk]) as Promise<void>;
  }
  finish(): Promise<Blob | undefined> {
    return this.#call('finish') as Promise<Blob | undefined>;
  }
  digest(): Promise<string> {
    return this.#call('digest') as Promise<string>;
  }
  abort(): Promise<void> {
    return this.#call('abort') as Promise<void>;
  }
  close(): void {
    this.#worker.terminate();
    this.#broken();
  }

  #call(method: Call['method'], argument?: unknown, transfer: Transferable[] = []): Promise<unknown> {
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#worker.postMessage({ call, method, argument } satisfies Call, transfer);
    });
  }

  #answer({ call, result, error }: Answer): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (error) waiting?.reject(new DOMException(error.message, error.name));
    else waiting?.resolve(result);
  }

  #broken(): void {
    for (const { reject } of this.#waiting.values()) reject(new DOMException('the worker ended', 'AbortError'));
    this.#waiting.clear();
  }
}

/** A worker's work; or the page's own, where the SDK comes from another origin, whose workers browsers refuse. */
export function startWork(): Work {
  if (new URL(import.meta.url).origin !== globalThis.location?.origin) return new LocalWork();
  try {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'parley-files' });
    return new WorkerWork(worker);
  } catch {
    return new LocalWork();
  }
}
