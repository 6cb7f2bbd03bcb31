import { ParleyError } from '../errors';
import { Flow } from './flow';
import { Link } from './link';
import { readError, unreadable } from './readable';
import { type FileFacts, Transfer, type TransferPort } from './transfer';
import type { ChannelMessage, FileSignal } from './wire';
import type { Work } from './work';
import { startWork } from './workerwork';

/** A file that we send. */
export class Outgoing extends Transfer {
  override readonly direction = 'out';
  readonly #file: Blob;
  #work: Work | undefined;
  #flow: Flow | undefined;

  constructor(file: Blob, facts: FileFacts, port: TransferPort) {
    super(facts, port);
    this.#file = file;
    void this.#offer();
  }

  override accept(): Promise<void> {
    return Promise.reject(new ParleyError('forbidden', 'Only the receiver can accept a file.'));
  }

  override reject(): void {
    this.cancel();
  }

  override async save(): Promise<void> {}

  protected override onSignal(signal: FileSignal): void {
    if (signal.type === 'accept' && this.state === 'offered') void this.#begin();
    else if (signal.type === 'reject' && this.state === 'offered') {
      this.end('rejected', new ParleyError(signal.busy ? 'peer_busy' : 'rejected', undefined, true));
    } else this.link?.receive(signal);
  }

  /** Nobody is asked about what cannot be read. */
  async #offer(): Promise<void> {
    const fault = await unreadable(this.#file);
    if (fault) this.end('failed', fault);
    if (this.final) return;
    const { name, size, type: mime, batch } = this;
    const offer: FileSignal = { type: 'offer', name, size, mime, ...(batch && batch.count > 1 && { batch }) };
    this.port.offer(this, offer).catch((error) => this.unsent(error));
  }

  async #begin(): Promise<void> {
    this.enter('queued');
    if (!(await this.turn(this.port.sending))) return;
    const fault = await unreadable(this.#file); // it may have gone since it was offered
    if (fault) this.#give(fault);
    else if (!this.final) this.#connect();
  }

  #connect(): void {
    this.enter('connecting');
    this.link = new Link(
      {
        signal: (message) => this.signal(message),
        open: () => void this.#send(),
        message: (data) => this.#message(data),
        failed: () => this.fail('peer_unreachable'),
      },
      () => this.port.iceServers(),
      true,
    );
  }

  async #send(): Promise<void> {
    const link = this.link;
    if (!link || this.final) return;
    this.enter('active');
    const work = startWork();
    this.#work = work;
    const flow = new Flow(link.channel, { chunk: Math.min(64 << 10, link.mostBytes) });
    this.#flow = flow;
    try {
      await work.read(this.#file);
      let next = work.next();
      for (let block = await next; block; block = await next) {
        next = work.next(); // read on while this one is sent
        next.catch(() => {}); // thrown where it is awaited
        if (!(await flow.send(block))) return;
      }
      if (flow.sent !== this.size) throw new ParleyError('file_changed');
      const sha256 = await work.digest();
      this.sha256 = sha256;
      this.say({ type: 'done', sha256 });
      this.enter('verifying');
    } catch (error) {
      this.#give(readError(error));
    }
  }

  /** Gives up, and says so. */
  #give(fault: ParleyError): void {
    if (this.final) return;
    this.tell({ type: 'failed', code: fault.code });
    this.end('failed', fault);
  }

  #message(data: ArrayBuffer | string): void {
    // The receiver's words are few; bytes from it would be out of place.
    if (typeof data === 'string') this.channelText(data);
  }

  protected override onChannel(message: ChannelMessage): void {
    if (message.type === 'ack') {
      this.#flow?.ack(message.bytes);
      if (this.#flow) this.progress(this.#flow.acked);
    } else if (message.type === 'verified' && this.state === 'verifying') {
      this.progress(this.size);
      this.end('done');
    } else if (message.type === 'failed') {
      this.fail(message.code === 'file_corrupt' ? 'file_corrupt' : 'peer_failed');
    }
  }

  protected override async release(): Promise<void> {
    this.#flow?.stop();
    this.#work?.close();
  }
}
