import type { Reason, Stream, WireHeld } from './protocol';

/** Which stream a slot carries, as far as Held needs to know. */
export interface Carries {
  readonly participant: string | null;
  readonly stream: Stream | null;
}

export interface HeldChange {
  participant: string;
  stream: Stream;
  /** Undefined: it flows (again). */
  reason: Reason | undefined;
}

interface Entry {
  slot: number;
  reason: Reason;
  /** The stream that it was said of; undefined while the slot map that names it has not come. */
  key: string | undefined;
}

/** The streams whose video the server holds back, though a tile asks for it. */
export class Held {
  #entries: Entry[] = [];
  #reasons = new Map<string, Reason>();

  reason(participant: string, stream: Stream): Reason | undefined {
    return this.#reasons.get(`${stream} ${participant}`);
  }

  /** Takes the server's whole list; returns what changed. */
  take(list: readonly WireHeld[], slots: readonly Carries[]): HeldChange[] {
    this.#entries = list.map(({ slot, reason }) => ({ slot, reason, key: key(slots[slot]) }));
    return this.#settle();
  }

  /** The slots carry other streams now: what was said of those before is void. */
  remap(slots: readonly Carries[]): HeldChange[] {
    for (const entry of this.#entries) entry.key ??= key(slots[entry.slot]);
    this.#entries = this.#entries.filter((entry) => entry.key === key(slots[entry.slot]));
    return this.#settle();
  }

  #settle(): HeldChange[] {
    const before = this.#reasons;
    this.#reasons = new Map();
    for (const { key, reason } of this.#entries) if (key) this.#reasons.set(key, reason);
    return [...new Set([...before.keys(), ...this.#reasons.keys()])]
      .filter((key) => before.get(key) !== this.#reasons.get(key))
      .map((key) => {
        const space = key.indexOf(' ');
        const stream = key.slice(0, space) as Stream;
        return { stream, participant: key.slice(space + 1), reason: this.#reasons.get(key) };
      });
  }
}

function key(slot: Carries | undefined): string | undefined {
  return slot?.participant && slot.stream ? `${slot.stream} ${slot.participant}` : undefined;
}
