/** What flow control needs of a data channel. */
export interface Channel {
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  send(data: ArrayBuffer | ArrayBufferView<ArrayBuffer> | string): void;
  onbufferedamountlow: ((event: Event) => unknown) | null;
}

export interface FlowOptions {
  /** Bytes of one message. 64 KiB was the fastest in Chromium. */
  chunk?: number;
  /** Bytes in the browser's send buffer at which to pause. */
  high?: number;
  /** Bytes in it at which to go on. */
  low?: number;
  /** Bytes sent that the receiver has not stored yet: its memory, when its disk is slow. */
  window?: number;
}

/**
 * Sends pieces of a file at the pace of the channel and of the receiver's disk: it pauses at the high watermark of the
 * send buffer, goes on at the low one, and never has more than a window on its way.
 */
export class Flow {
  sent = 0;
  acked = 0;
  readonly #channel: Channel;
  readonly #chunk: number;
  readonly #high: number;
  readonly #window: number;
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(channel: Channel, options: FlowOptions = {}) {
    this.#channel = channel;
    this.#chunk = options.chunk ?? 64 << 10;
    this.#high = options.high ?? 2 << 20;
    this.#window = options.window ?? 16 << 20;
    channel.bufferedAmountLowThreshold = options.low ?? 256 << 10;
    channel.onbufferedamountlow = () => this.#wake?.();
  }

  /** The receiver has stored so many bytes in all. */
  ack(bytes: number): void {
    if (bytes > this.sent) return;
    this.acked = Math.max(this.acked, bytes);
    this.#wake?.();
  }

  /** Ends a send() that waits: it resolves to false. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Sends a block as messages. False if it was stopped before the end. */
  async send(block: ArrayBuffer): Promise<boolean> {
    for (let at = 0; at < block.byteLength; at += this.#chunk) {
      while (!this.#stopped && this.#full()) await this.#room();
      if (this.#stopped) return false;
      const chunk = new Uint8Array(block, at, Math.min(this.#chunk, block.byteLength - at));
      this.#channel.send(chunk);
      this.sent += chunk.length;
    }
    return true;
  }

  #full(): boolean {
    return this.#channel.bufferedAmount >= this.#high || this.sent - this.acked >= this.#window;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
