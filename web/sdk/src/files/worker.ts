// The worker's side of workerwork.ts: it does what it is told, one thing after the other.
import { LocalWork, type Work } from './work';

export interface Call {
  call: number;
  method: Exclude<keyof Work, 'close'>;
  argument: unknown;
}

export interface Answer {
  call: number;
  result?: unknown;
  error?: { name: string; message: string };
}

interface Scope {
  onmessage: ((event: MessageEvent<Call>) => void) | null;
  postMessage(message: Answer, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const work = new LocalWork();
let turn: Promise<void> = Promise.resolve();

async function serve({ call, method, argument }: Call): Promise<void> {
  try {
    const result = await (work[method] as (argument: unknown) => Promise<unknown>).call(work, argument);
    scope.postMessage({ call, result }, result instanceof ArrayBuffer ? [result] : []);
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ call, error: { name, message } }, []);
  }
}

scope.onmessage = (event) => {
  turn = turn.then(() => serve(event.data));
};
