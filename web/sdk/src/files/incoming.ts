import { type ErrorCode, ParleyError } from '../errors';
import { download } from './download';
import { Link } from './link';
import { chooseTarget } from './target';
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
  #blob: Blob | undefined;
  #accepting = false;

  constructor(facts: FileFacts, port: TransferPort) {
    super(facts, port);
  }

  override get savable(): boolean {
    return this.#blob !== undefined;
  }

  override async accept(options: AcceptOptions = {}): Promise<void> {
    if (this.state !== 'offered' || this.#accepting)
      throw new ParleyError('cancelled', 'The file is not on offer any more.');
    this.#accepting = true;
    const work = startWork();
    try {
      const target = await chooseTarget(this, options.sink ?? 'auto');
      await work.create(target);
    } catch (error) {
      work.close();
      this.#accepting = false;
      const known = storeError(error);
      // A picker that was closed leaves the file on offer.
      if (known.code !== 'picker_cancelled') {
        this.tell({ type: 'failed', code: known.code });
        this.end('failed', known);
      }
      throw known;
    }
    if (this.final) {
      await work.abort().catch(() => {});
      work.close();
      throw this.error ?? new ParleyError('cancelled');
    }
    this.#work = work;
    this.enter('connecting');
    this.#connect();
    this.signal({ type: 'accept' });
  }

  override reject(): void {
    if (this.state !== 'offered') return;
    this.port.signal(this.peer, this.id, { type: 'reject' }).catch(() => {}); // gone: then nobody waits for it
    this.end('rejected');
  }

  override async save(): Promise<void> {
    if (this.#blob) download(this.#blob, this.name);
  }

  #connect(): void {
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
      this.#give('file_corrupt');
      return;
    }
    const length = data.byteLength;
    this.#work.write(data).then(
      () => this.#wrote(length),
      (error) => this.#give(storeError(error).code, error),
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
    else if (message.type === 'failed') this.fail('file_changed');
  }

  async #finish(sha256: string): Promise<void> {
    const work = this.#work;
    if (!work || this.state === 'verifying') return;
    this.enter('verifying');
    try {
      // The worker does one thing after the other: all writes come before this.
      const digest = await work.digest();
      if (this.#received !== this.size || digest !== sha256) {
        this.#give('file_corrupt');
        return;
      }
      this.#blob = await work.finish();
      if (this.final) return;
      this.sha256 = digest;
      this.#work = undefined;
      work.close();
      this.progress(this.size);
      this.say({ type: 'verified' });
      this.end('done');
    } catch (error) {
      this.#give(storeError(error).code, error);
    }
  }

  /** Gives up, and says so. */
  #give(code: ErrorCode, cause?: unknown): void {
    if (this.final) return;
    this.tell({ type: 'failed', code });
    this.fail(code, cause);
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
