import { encodeFrame } from './frames';
import type { Peer } from './peer';

export interface SendOptions {
  /** Participant ids; default: everybody else. An empty list is nobody. */
  to?: string[];
  /** Ordered and resent until it arrives (default), or as fast as possible and sometimes lost. */
  reliable?: boolean;
}

// Bytes waiting in the browser above which send() takes no more. Old unreliable data is worthless: little may wait.
const HIGH_RELIABLE = 1 << 20;
const HIGH_UNRELIABLE = 64 << 10;

const encoder = new TextEncoder();

/** Small messages to others in the room, through the server's data channels. */
export class DataPort {
  constructor(
    private readonly peer: () => Peer | undefined,
    private readonly mostBytes: () => number,
  ) {}

  /**
   * Sends a message. False: not connected (yet), or too much is waiting already; try again at the `writable` event.
   * Throws a RangeError if it is longer than the server's limits.data_bytes, names included.
   */
  send(topic: string, payload: Uint8Array | string, options: SendOptions = {}): boolean {
    if (options.to?.length === 0) return true;
    const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
    const frame = encodeFrame(options.to ?? [], topic, bytes);
    if (frame.length > this.mostBytes()) throw new RangeError(`the message is longer than ${this.mostBytes()} bytes`);
    const reliable = options.reliable ?? true;
    const peer = this.peer();
    const channel = reliable ? peer?.reliable : peer?.unreliable;
    if (channel?.readyState !== 'open') return false;
    if (channel.bufferedAmount > (reliable ? HIGH_RELIABLE : HIGH_UNRELIABLE)) return false;
    channel.send(frame);
    return true;
  }
}
