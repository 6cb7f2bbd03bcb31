import type { Json } from '../protocol';
import { Batches } from './batches';
import { Incoming } from './incoming';
import { Outbox } from './outbox';
import { Outgoing } from './outgoing';
import { removeLeftovers } from './privatefiles';
import type { AcceptOptions, Transfer, TransferPort } from './transfer';
import { Turns } from './turns';
import { WakeLock } from './wakelock';
import { APP, type Batch, type FileSignal, parseSignal } from './wire';

export interface FilesOwner {
  signal(to: string, data: Json): Promise<void>;
  iceServers(): RTCIceServer[];
  offered(transfer: Transfer): void;
  /** Messages that the server takes of us a second, if it says so. */
  messagesPerSecond(): number | undefined;
}

// What runs at once; what was asked for beyond that waits in turn. How much the user asks for has no bound.
const SENDING = 16;
const RECEIVING = 8;
const MOST_QUESTIONS = 32; // offers and batches of others that wait for the user: more are declined as "busy"
const MOST_OFFERED = 10_000; // files in them
const KEPT = 100; // transfers remembered after their end

/** The files of a room: those we send and those offered to us. */
export class Files {
  readonly #owner: FilesOwner;
  readonly #transfers = new Map<string, Transfer>();
  readonly #port: TransferPort;
  readonly #outbox: Outbox;
  readonly #batches = new Batches();
  readonly #wake = new WakeLock();

  /** @internal */
  constructor(owner: FilesOwner) {
    this.#owner = owner;
    this.#outbox = new Outbox(() => owner.messagesPerSecond());
    this.#port = {
      signal: (to, transfer, message) => this.#outbox.add(() => this.#signal(to, transfer, message)),
      offer: (transfer, message) => this.#offer(transfer, message),
      answer: (transfer, answer, options) => this.#answer(transfer, answer, options),
      sending: new Turns(SENDING),
      receiving: new Turns(RECEIVING),
      iceServers: () => owner.iceServers(),
      stayAwake: () => this.#wake.hold(),
    };
    void removeLeftovers();
  }

  /** All transfers since the join, the oldest first; ended ones with nothing to save are forgotten after a hundred. */
  get transfers(): readonly Transfer[] {
    return [...this.#transfers.values()];
  }

  /** Offers a file to a participant, straight from this browser to theirs. Follow the transfer's events. */
  send(file: File, to: string): Transfer {
    this.#forget();
    return this.#send(file, to, undefined);
  }

  /**
   * Offers files to participants, one transfer for each file and each of them. Everybody is asked once. Any number may be
   * given: so many run at once, the others wait in turn.
   */
  sendAll(files: readonly File[], to: readonly string[]): Transfer[] {
    this.#forget();
    const size = files.reduce((sum, file) => sum + file.size, 0);
    const batch = { id: crypto.randomUUID(), count: files.length, size };
    return files.flatMap((file) => to.map((peer) => this.#send(file, peer, batch)));
  }

  /** @internal Takes a signal from somebody; false if it is not about a file. */
  receive(from: string, data: Json): boolean {
    const parsed = parseSignal(data);
    if (!parsed) return false;
    const { transfer: id, signal } = parsed;
    const known = this.#transfers.get(id);
    if (known?.peer === from) {
      for (const t of signal.type === 'reject' && signal.all ? this.#together(known) : [known]) t.receive(signal);
    } else if (!known && signal.type === 'offer') {
      this.#offered(from, id, signal);
    }
    return true;
  }

  /** @internal */
  left(participant: string): void {
    for (const t of this.#transfers.values()) if (t.peer === participant) t.peerGone();
  }

  /** @internal We are somebody else now: the others' words for our old selves do not reach us. */
  rejoined(): void {
    for (const t of this.#transfers.values()) t.peerGone();
  }

  /** @internal The room is left: what runs ends, and what was not saved is removed. */
  close(): void {
    for (const t of this.#transfers.values()) t.discard();
    this.#outbox.close();
    this.#wake.close();
  }

  #send(file: File, to: string, batch: Batch | undefined): Transfer {
    const type = file.type || 'application/octet-stream';
    const facts = { id: crypto.randomUUID(), name: file.name, size: file.size, type, peer: to, batch };
    return this.#keep(new Outgoing(file, facts, this.#port));
  }

  #offer(transfer: Transfer, message: FileSignal): Promise<void> {
    const send = () => this.#signal(transfer.peer, transfer.id, message);
    return this.#outbox.add(send, true, () => !transfer.final);
  }

  #offered(from: string, id: string, offer: Extract<FileSignal, { type: 'offer' }>): void {
    const answer = offer.batch && this.#batches.offered(from, offer.batch, offer.size);
    const batch = answer && offer.batch; // what was not announced is a question of its own
    const facts = { id, name: offer.name, size: offer.size, type: offer.mime, peer: from, batch };
    if (answer !== 'yes' && (answer === 'no' || !this.#mayAsk(from, batch))) {
      const reject: FileSignal = { type: 'reject', busy: answer !== 'no' };
      this.#port.signal(from, id, reject).catch(() => {}); // gone: then nobody waits for it
      return;
    }
    this.#forget();
    const transfer = this.#keep(new Incoming(facts, this.#port));
    this.#owner.offered(transfer);
    if (answer === 'yes') transfer.take().catch(() => {}); // its state tells
  }

  /** Whether the user may be asked one thing more. */
  #mayAsk(from: string, batch: Batch | undefined): boolean {
    const open = this.#offers();
    const questions = new Set(open.map((t) => (t.batch ? `${t.peer} ${t.batch.id}` : t.id)));
    if (batch && questions.has(`${from} ${batch.id}`)) return open.length < MOST_OFFERED;
    return questions.size < MOST_QUESTIONS && open.length < MOST_OFFERED;
  }

  /** One answer to a batch. The promise is about the transfer that was named; what comes of the others, their states tell. */
  async #answer(transfer: Transfer, answer: 'yes' | 'no', options: AcceptOptions): Promise<void> {
    if (!transfer.batch) return;
    this.#batches.answer(transfer.peer, transfer.batch, answer);
    const together = this.#together(transfer);
    const open = this.#offers().filter((t) => together.includes(t));
    if (answer === 'no') {
      const { peer, id } = transfer;
      this.#port.signal(peer, id, { type: 'reject', all: true }).catch(() => {}); // gone: then nobody waits for it
      for (const t of open) if (t !== transfer) t.rejected();
      return;
    }
    const sink = options.sink === 'picker' ? 'auto' : options.sink;
    const begun = open.map((t) => [t, t.take(sink)] as const);
    for (const [t, started] of begun) if (t !== transfer) started.catch(() => {});
    await begun.find(([t]) => t === transfer)?.[1];
  }

  /** The transfers that were offered together with one, by and to the same. */
  #together(one: Transfer): Transfer[] {
    if (!one.batch) return [one];
    const { batch, peer, direction } = one;
    return this.transfers.filter((t) => t.batch?.id === batch.id && t.peer === peer && t.direction === direction);
  }

  /** What waits for the user's answer. */
  #offers(): Incoming[] {
    return this.transfers.filter((t) => t instanceof Incoming).filter((t) => t.state === 'offered');
  }

  #keep<T extends Transfer>(transfer: T): T {
    this.#transfers.set(transfer.id, transfer);
    return transfer;
  }

  #forget(): void {
    const surplus = this.#transfers.size - KEPT;
    if (surplus < 1) return;
    const ended = this.transfers.filter((t) => t.final && !t.savable);
    for (const t of ended.slice(0, surplus)) this.#transfers.delete(t.id);
  }

  #signal(to: string, transfer: string, message: FileSignal): Promise<void> {
    return this.#owner.signal(to, { app: APP, transfer, ...message } as unknown as Json);
  }
}
