import { Emitter } from '../emitter';
import { type ErrorCode, ParleyError } from '../errors';
import { now } from '../time';
import type { Link } from './link';
import { Speed } from './speed';
import type { Turns } from './turns';
import { type Batch, type ChannelMessage, type FileSignal, parseChannel } from './wire';

export type TransferState =
  /** The receiver was asked. */
  | 'offered'
  /** Accepted; its turn comes when others are done. */
  | 'queued'
  /** The two browsers are looking for a way to each other. */
  | 'connecting'
  | 'active'
  /** All bytes are through; the receiver compares SHA-256 sums. */
  | 'verifying'
  | 'done'
  | 'rejected'
  | 'cancelled'
  | 'failed';

export interface TransferEvents {
  state: TransferState;
  /** 0 to 1, at most ten times a second. */
  progress: number;
  /** Whether save() has something to hand over. */
  savable: boolean;
}

/** 'auto' takes the first that works: the save picker, the origin's private file system, memory. */
export interface AcceptOptions {
  sink?: 'auto' | 'picker' | 'opfs' | 'memory';
  /** Everything that was offered together with it, also what is still to be named. No picker opens then. */
  all?: boolean;
}

export interface FileFacts {
  id: string;
  name: string;
  size: number;
  type: string;
  peer: string;
  batch: Batch | undefined;
}

/** @internal */
export interface TransferPort {
  signal(to: string, transfer: string, message: FileSignal): Promise<void>;
  /** As signal, after all that is more urgent, and not once the transfer has ended. */
  offer(transfer: Transfer, message: FileSignal): Promise<void>;
  /** Takes, or declines, all of a batch. */
  answer(transfer: Transfer, answer: 'yes' | 'no', options: AcceptOptions): Promise<void>;
  readonly sending: Turns;
  readonly receiving: Turns;
  iceServers(): RTCIceServer[];
  /** Keeps the device awake until the result is called. */
  stayAwake(): () => void;
}

const PROGRESS = 100; // ms between progress events
const FINAL: readonly TransferState[] = ['done', 'rejected', 'cancelled', 'failed'];

/** One file on its way from one participant to another. */
export abstract class Transfer extends Emitter<TransferEvents> {
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Its MIME type. */
  readonly type: string;
  /** The other participant's id. */
  readonly peer: string;
  /** What it was offered together with, if it was not alone. */
  readonly batch: Batch | undefined;
  abstract readonly direction: 'in' | 'out';
  state: TransferState = 'offered';
  /** Bytes that the receiver has stored. */
  bytes = 0;
  /** Bytes a second, over the last seconds. */
  speed = 0;
  error: ParleyError | undefined;
  /** Lower-case hexadecimal; known when the transfer is done. */
  sha256: string | undefined;

  /** @internal */
  protected link: Link | undefined;
  /** @internal */
  protected readonly port: TransferPort;
  readonly #speed = new Speed();
  #progressAt = -Infinity;
  #awake: (() => void) | undefined;
  #turn: (() => void) | undefined;

  /** @internal */
  constructor(facts: FileFacts, port: TransferPort) {
    super();
    this.id = facts.id;
    this.name = facts.name;
    this.size = facts.size;
    this.type = facts.type;
    this.peer = facts.peer;
    this.batch = facts.batch;
    this.port = port;
  }

  /** Whether nothing more will happen. */
  get final(): boolean {
    return FINAL.includes(this.state);
  }

  /** Whether save() has something to hand over. */
  get savable(): boolean {
    return false;
  }

  /** Takes an offered file. Call it in a click: a save picker may open. */
  abstract accept(options?: AcceptOptions): Promise<void>;

  /** Declines an offered file; `all`: with everything that was offered together with it. */
  abstract reject(options?: { all?: boolean }): void;

  /** Gives the received file to the user as a download. Nothing happens where accept() asked for its place. */
  abstract save(): Promise<void>;

  /** Gives the file up: what is under way is cancelled, what was received is removed from the browser's storage. */
  discard(): void {
    this.cancel();
  }

  /** Ends the transfer on both sides. */
  cancel(): void {
    if (this.final) return;
    this.tell({ type: 'cancel' });
    this.end('cancelled', new ParleyError('cancelled', 'You cancelled the transfer.'));
  }

  /** @internal */
  receive(signal: FileSignal): void {
    if (this.final) return;
    if (signal.type === 'cancel')
      this.end('cancelled', new ParleyError('cancelled', 'The other side cancelled the transfer.'));
    else if (signal.type === 'failed') this.fail(this.direction === 'in' ? 'sender_failed' : 'peer_failed');
    else this.onSignal(signal);
  }

  /** @internal The other side is not in the room any more, or we are not the one it knew. */
  peerGone(): void {
    // What runs over its own connection ends with that.
    if (this.state === 'offered' || this.state === 'queued' || this.state === 'connecting') this.fail('peer_left');
  }

  /** @internal */
  protected abstract onSignal(signal: FileSignal): void;
  /** @internal */
  protected abstract onChannel(message: ChannelMessage): void;
  /** @internal Lets go of files and workers. */
  protected abstract release(): Promise<void>;

  /** @internal */
  protected signal(message: FileSignal): void {
    this.port.signal(this.peer, this.id, message).catch((error) => this.unsent(error));
  }

  /** @internal The server did not pass a message on. */
  protected unsent(error: unknown): void {
    const gone = error instanceof ParleyError && error.code === 'no_such_participant';
    this.end('failed', gone ? new ParleyError('peer_left') : toError(error, 'peer_unreachable'));
  }

  /** @internal Waits for a turn; false if the transfer ended before. */
  protected turn(turns: Turns): Promise<boolean> {
    return new Promise((resolve) => {
      const back = turns.take(() => resolve(true));
      this.#turn = () => {
        back();
        resolve(false);
      };
    });
  }

  /** @internal Tells the other side by whatever way there is. */
  protected tell(message: { type: 'cancel' } | { type: 'failed'; code: string }): void {
    if (this.link?.channel.readyState === 'open') this.say(message);
    const signal: FileSignal = message.type === 'cancel' ? message : { type: 'failed' };
    this.port.signal(this.peer, this.id, signal).catch(() => {}); // gone already: the channel told it, or nobody is there
  }

  /** @internal Sends a text on the file's own channel. */
  protected say(message: ChannelMessage): void {
    const channel = this.link?.channel;
    if (channel?.readyState === 'open') channel.send(JSON.stringify(message));
  }

  /** @internal Reads a text of the file's own channel. */
  protected channelText(text: string): void {
    const message = parseChannel(text);
    if (!message || this.final) return;
    if (message.type === 'cancel') this.receive(message);
    else this.onChannel(message);
  }

  /** @internal */
  protected progress(bytes: number): void {
    this.bytes = bytes;
    const at = now();
    if (at - this.#progressAt < PROGRESS && bytes < this.size) return;
    this.#progressAt = at;
    this.speed = this.#speed.mark(bytes, at);
    this.emit('progress', this.size > 0 ? bytes / this.size : 1);
  }

  /** @internal */
  protected enter(state: TransferState): void {
    if (this.final || this.state === state) return;
    this.state = state;
    if (state === 'queued' || state === 'connecting') this.#awake ??= this.port.stayAwake();
    this.emit('state', state);
  }

  /** @internal */
  protected fail(code: ErrorCode, cause?: unknown): void {
    this.end('failed', new ParleyError(code, undefined, true, undefined, { cause }));
  }

  /** @internal */
  protected end(state: 'done' | 'rejected' | 'cancelled' | 'failed', error?: ParleyError): void {
    if (this.final) return;
    this.error = error;
    this.#awake?.();
    this.#turn?.();
    const link = this.link;
    this.link = undefined;
    // Last words need a moment to leave the send buffer.
    if (link) setTimeout(() => link.close(), 1000);
    this.release().catch(() => {}); // what could not be removed is removed at the next start
    this.enter(state);
  }
}

export function toError(error: unknown, code: ErrorCode): ParleyError {
  return error instanceof ParleyError ? error : new ParleyError(code, undefined, true, undefined, { cause: error });
}
