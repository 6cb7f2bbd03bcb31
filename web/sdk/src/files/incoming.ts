import { ParleyError } from '../errors';
import { Kept } from './kept';
import { Link } from './link';
import type { Target } from './sinks';
import { askForTarget, findTarget } from './target';
import { type AcceptOptions, type FileFacts, Transfer, type TransferPort, toError } from './transfer';
import type { ChannelMessage, FileSignal } from './wire';
import type { Work } from './work';
import { startWork } from './workerwork';

const ACK = 1 << 20; // bytes stored between two acknowledgements
const MOST_WAITING = 64 << 20; // bytes not stored yet; senders keep to a quarter of it

/** A file that is sent to us. */
export class Incoming extends Transfer {
  override readonly direction = 'in';
  #work: Work | undefined;
  #received = 0;
  #stored = 0;
  #acked = 0;
  #private: string | undefined; // its name in the private file system
  #kept: Kept | undefined;
  #accepting = false;

  constructor(facts: FileFacts, port: TransferPort) {
    super(facts, port);
  }

  override get savable(): boolean {
    return this.#kept !== undefined;
  }

  override accept(options: AcceptOptions = {}): Promise<void> {
    if (options.all && this.batch) return this.port.answer(this, 'yes', options);
    return this.take(options.sink ?? 'auto', true);
  }

  /** @internal Accepts this one; `ask`: in a click, so that a picker may open. */
  async take(sink: AcceptOptions['sink'] = 'auto', ask = false): Promise<void> {
    if (this.state !== 'offered' || this.#accepting)
      throw new ParleyError('cancelled', 'The file is not on offer any more.');
    this.#accepting = true;
    try {
      const asked = ask ? await askForTarget(this, sink) : undefined;
      this.enter('queued');
      if (this.final || !(await this.turn(this.port.receiving))) throw this.error ?? new ParleyError('cancelled');
      await this.#prepare(asked ?? (await findTarget(this, sink)));
    } catch (error) {
      this.#accepting = false;
      const known = storeError(error);
      // A picker that was closed leaves the file on offer.
      if (known.code !== 'picker_cancelled') this.#give(known);
      throw known;
    }
    this.signal({ type: 'accept' });
  }

  async #prepare(target: Target): Promise<void> {
    const work = startWork();
    try {
      await work.create(target);
      if (target.mode === 'opfs') this.#private = target.name;
      if (!this.final) {
        this.#work = work;
        return;
      }
    } catch (error) {
      work.close();
      throw error;
    }
    await work.abort().catch(() => {}); // what could not be removed is a leftover
    work.close();
    throw this.error ?? new ParleyError('cancelled');
  }

  override reject(options: { all?: boolean } = {}): void {
    if (this.state !== 'offered') return;
    if (options.all && this.batch) void this.port.answer(this, 'no', {});
    else this.port.signal(this.peer, this.id, { type: 'reject' }).catch(() => {}); // gone: then nobody waits for it
    this.end('rejected');
  }

  /** @internal Declined with its batch. */
  rejected(): void {
    if (this.state === 'offered') this.end('rejected');
  }

  override async save(): Promise<void> {
    await this.#kept?.save(this.name);
  }

  override discard(): void {
    super.discard();
    this.#kept?.drop();
  }

  #connect(): void {
    this.enter('connecting');
    this.link = new Link(
      {
        signal: (message) => this.signal(message),
        open: () => this.enter('active'),
        message: (data) => this.#message(data),
        failed: () => {
          // The sender closes as soon as it knows that we have everything.
          if (!this.final) this.fail('peer_unreachable');
        },
      },
      () => this.port.iceServers(),
      false,
    );
  }

  protected override onSignal(signal: FileSignal): void {
    // The sender begins when it is our turn there, which may be long after our yes.
    if (this.state === 'queued' && this.#work && signal.type === 'sdp') this.#connect();
    this.link?.receive(signal);
  }

  #message(data: ArrayBuffer | string): void {
    if (typeof data === 'string') {
      this.channelText(data);
      return;
    }
    if (this.final || !this.#work) return;
    this.#received += data.byteLength;
    if (this.#received > this.size || this.#received - this.#stored > MOST_WAITING) {
      this.#give(new ParleyError('file_corrupt', undefined, true));
      return;
    }
    const length = data.byteLength;
    this.#work.write(data).then(
      () => this.#wrote(length),
      (error) => this.#give(storeError(error)),
    );
  }

  #wrote(length: number): void {
    if (this.final) return;
    this.#stored += length;
    this.progress(this.#stored);
    if (this.#stored - this.#acked < ACK && this.#stored < this.size) return;
    this.#acked = this.#stored;
    this.say({ type: 'ack', bytes: this.#stored });
  }

  protected override onChannel(message: ChannelMessage): void {
    if (message.type === 'done') void this.#finish(message.sha256);
    else if (message.type === 'failed') this.fail('sender_failed');
  }

  async #finish(sha256: string): Promise<void> {
    const work = this.#work;
    if (!work || this.state === 'verifying') return;
    this.enter('verifying');
    try {
      // The worker does one thing after the other: all writes come before this.
      const digest = await work.digest();
      if (this.#received !== this.size || digest !== sha256) {
        this.#give(new ParleyError('file_corrupt', undefined, true));
        return;
      }
      const blob = await work.finish();
      if (this.final) return;
      this.sha256 = digest;
      this.#work = undefined;
      work.close();
      if (blob) this.#kept = new Kept(blob, this.#private, () => this.#forget());
      this.progress(this.size);
      this.say({ type: 'verified' });
      this.end('done');
    } catch (error) {
      this.#give(storeError(error));
    }
  }

  /** Gives up, and says so. */
  #give(fault: ParleyError): void {
    if (this.final) return;
    this.tell({ type: 'failed', code: fault.code });
    this.end('failed', fault);
  }

  #forget(): void {
    this.#kept = undefined;
    this.emit('savable', false);
  }

  protected override async release(): Promise<void> {
    const work = this.#work;
    this.#work = undefined;
    if (!work) return;
    await work.abort().finally(() => work.close());
  }
}

function storeError(error: unknown): ParleyError {
  const name = error instanceof Error ? error.name : '';
  return toError(error, name === 'QuotaExceededError' ? 'disk_full' : 'disk_failed');
}
