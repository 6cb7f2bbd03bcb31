import { ParleyError } from '../errors';
import type { Json } from '../protocol';
import { Incoming } from './incoming';
import { Outgoing } from './outgoing';
import { removeLeftovers } from './privatefiles';
import type { Transfer, TransferPort } from './transfer';
import { WakeLock } from './wakelock';
import { APP, type FileSignal, parseSignal } from './wire';

export interface FilesOwner {
  signal(to: string, data: Json): Promise<void>;
  iceServers(): RTCIceServer[];
  offered(transfer: Transfer): void;
}

const MOST_RUNNING = 16;
const MOST_OFFERED = 32; // offers of others that wait for the user
const KEPT = 100; // transfers remembered after their end

/** The files of a room: those we send and those offered to us. */
export class Files {
  readonly #owner: FilesOwner;
  readonly #transfers: Transfer[] = [];
  readonly #port: TransferPort;
  readonly #wake = new WakeLock();

  /** @internal */
  constructor(owner: FilesOwner) {
    this.#owner = owner;
    this.#port = {
      signal: (to, transfer, message) => this.#signal(to, transfer, message),
      iceServers: () => owner.iceServers(),
      stayAwake: () => this.#wake.hold(),
    };
    void removeLeftovers();
  }

  /** All transfers since the join, the oldest first; ended ones are forgotten after a hundred. */
  get transfers(): readonly Transfer[] {
    return this.#transfers;
  }

  /** Offers a file to a participant, straight from this browser to theirs. Follow the transfer's events. */
  send(file: File, to: string): Transfer {
    if (this.#transfers.filter((t) => !t.final && t.direction === 'out').length >= MOST_RUNNING) {
      throw new ParleyError('too_many_transfers', undefined, true);
    }
    const type = file.type || 'application/octet-stream';
    const facts = { id: crypto.randomUUID(), name: file.name, size: file.size, type, peer: to };
    return this.#keep(new Outgoing(file, facts, this.#port));
  }

  /** @internal Takes a signal from somebody; false if it is not about a file. */
  receive(from: string, data: Json): boolean {
    const parsed = parseSignal(data);
    if (!parsed) return false;
    const { transfer: id, signal } = parsed;
    const known = this.#transfers.find((t) => t.id === id);
    if (known) {
      if (known.peer === from) known.receive(signal);
    } else if (signal.type === 'offer') {
      this.#offered(from, id, signal);
    }
    return true;
  }

  /** @internal */
  left(participant: string): void {
    for (const t of this.#transfers) if (t.peer === participant) t.peerGone();
  }

  /** @internal We are somebody else now: the others' words for our old selves do not reach us. */
  rejoined(): void {
    for (const t of this.#transfers) t.peerGone();
  }

  /** @internal */
  close(): void {
    for (const t of this.#transfers) t.cancel();
    this.#wake.close();
  }

  #offered(from: string, id: string, offer: Extract<FileSignal, { type: 'offer' }>): void {
    if (this.#transfers.filter((t) => !t.final && t.direction === 'in').length >= MOST_OFFERED) {
      this.#signal(from, id, { type: 'reject', busy: true }).catch(() => {}); // gone: then nobody waits for it
      return;
    }
    const facts = { id, name: offer.name, size: offer.size, type: offer.mime, peer: from };
    this.#owner.offered(this.#keep(new Incoming(facts, this.#port)));
  }

  #keep<T extends Transfer>(transfer: T): T {
    this.#transfers.push(transfer);
    const surplus = this.#transfers.length - KEPT;
    const ended = this.#transfers.filter((t) => t.final).slice(0, Math.max(0, surplus));
    for (const t of ended) this.#transfers.splice(this.#transfers.indexOf(t), 1);
    return transfer;
  }

  #signal(to: string, transfer: string, message: FileSignal): Promise<void> {
    return this.#owner.signal(to, { app: APP, transfer, ...message } as unknown as Json);
  }
}
