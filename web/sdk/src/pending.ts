import { ParleyError } from './errors';
import type { Renewal, WireSource, WireStats } from './protocol';

export interface Request {
  type: string;
  [field: string]: unknown;
}

export interface Reply extends WireStats, Renewal {
  type: string;
  id: number;
  source?: WireSource;
  position?: string;
  media?: { sdp: string };
}

interface Entry {
  message: Request;
  /** 0 until it is first sent, so that ids rise in the order of sending. */
  id: number;
  resolve(reply: Reply): void;
  reject(error: ParleyError): void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const MOST = 256; // unanswered requests
const PATIENCE = 20_000; // ms a connected server has for an answer

/** The requests that were not answered yet, in the order they were made. */
export class Pending {
  readonly #entries = new Set<Entry>();

  constructor(private readonly nextID: () => number) {}

  /** Keeps a request until it is answered, and sends it if there is a socket to send it on. */
  add(message: Request, socket: WebSocket | undefined): Promise<Reply> {
    if (this.#entries.size >= MOST) return Promise.reject(new ParleyError('busy', undefined, true));
    return new Promise((resolve, reject) => {
      const entry: Entry = { message, id: 0, resolve, reject, timer: undefined };
      this.#entries.add(entry);
      if (socket) this.#send(entry, socket);
    });
  }

  resolve(id: number, reply: Reply): void {
    const entry = this.#find(id);
    if (entry) this.#settle(entry, () => entry.resolve(reply));
  }

  /** False if no such request waits. */
  reject(id: number, error: ParleyError): boolean {
    const entry = this.#find(id);
    if (entry) this.#settle(entry, () => entry.reject(error));
    return entry !== undefined;
  }

  /** Sends everything: what was sent before again, with its old id. */
  sendAll(socket: WebSocket | undefined): void {
    if (!socket) return;
    for (const entry of this.#entries) this.#send(entry, socket);
  }

  /** The connection is gone: nobody is late while there is none. */
  pause(): void {
    for (const entry of this.#entries) clearTimeout(entry.timer);
  }

  rejectAll(error: ParleyError): void {
    for (const entry of this.#entries) this.#settle(entry, () => entry.reject(error));
  }

  #send(entry: Entry, socket: WebSocket): void {
    if (entry.id === 0) entry.id = this.nextID();
    clearTimeout(entry.timer);
    const late = () => this.reject(entry.id, new ParleyError('no_answer', undefined, true));
    entry.timer = setTimeout(late, PATIENCE);
    // A socket that is closing takes nothing: the request goes out after the resume.
    if (socket.readyState === 1) socket.send(JSON.stringify({ ...entry.message, id: entry.id }));
  }

  #find(id: number): Entry | undefined {
    for (const entry of this.#entries) if (entry.id === id && id !== 0) return entry;
    return undefined;
  }

  #settle(entry: Entry, how: () => void): void {
    this.#entries.delete(entry);
    clearTimeout(entry.timer);
    how();
  }
}
