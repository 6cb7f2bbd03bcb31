import { Sha256 } from './sha256';
import { openSink, type Sink, type Target } from './sinks';

/** The heavy part of a transfer: reading or writing the file, and its SHA-256 on the way. */
export interface Work {
  /** Starts reading. */
  read(file: Blob): Promise<void>;
  /** The next piece, of BLOCK bytes but for the last; undefined at the end. */
  next(): Promise<ArrayBuffer | undefined>;
  /** Starts writing. */
  create(target: Target): Promise<void>;
  /** Writes; resolves when the sink took it. The buffer is gone afterwards. */
  write(chunk: ArrayBuffer): Promise<void>;
  /** Ends writing; the result is a blob to save, unless the sink has put it in its place. */
  finish(): Promise<Blob | undefined>;
  /** The SHA-256 of all that was read or written, once that is over. */
  digest(): Promise<string>;
  /** Throws away what was written. */
  abort(): Promise<void>;
  close(): void;
}

/** Bytes read at once: few enough for any phone, and 16 messages of 64 KiB. */
export const BLOCK = 1 << 20;

/** Does the work in the thread it is called in: a worker, or the page where no worker may be had. */
export class LocalWork implements Work {
  readonly #hash = new Sha256();
  #file: Blob | undefined;
  #at = 0;
  #sink: Sink | undefined;

  async read(file: Blob): Promise<void> {
    this.#file = file;
  }

  async next(): Promise<ArrayBuffer | undefined> {
    if (!this.#file || this.#at >= this.#file.size) return undefined;
    const block = await this.#file.slice(this.#at, this.#at + BLOCK).arrayBuffer();
    this.#at += block.byteLength;
    this.#hash.update(new Uint8Array(block));
    return block;
  }

  async create(target: Target): Promise<void> {
    this.#sink = await openSink(target);
  }

  async write(chunk: ArrayBuffer): Promise<void> {
    this.#hash.update(new Uint8Array(chunk));
    await this.#sink?.write(new Uint8Array(chunk));
  }

  async finish(): Promise<Blob | undefined> {
    const sink = this.#sink;
    this.#sink = undefined;
    return sink?.close();
  }

  async digest(): Promise<string> {
    return this.#hash.digest();
  }

  async abort(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    await sink?.abort();
  }

  close(): void {}
}
