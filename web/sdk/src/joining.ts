import { ParleyError } from './errors';
import type { MediaOffer, Metadata } from './protocol';
import type { ConnectOptions } from './roomevents';
import { slotHint } from './slothint';
import { slotStep } from './steps';

/** What a join needs of the media connection. */
export interface OffersMedia {
  /** Makes a new connection, in place of the one before. */
  begin(): void;
  need(slots: number): void;
  offer(): Promise<MediaOffer>;
}

/** Makes the fields of each join: the first one, and those after a session was lost. */
export class Joining {
  #count = 0;
  #change: { name?: string; metadata?: Metadata } = {};

  constructor(
    private readonly options: ConnectOptions,
    private readonly media: OffersMedia | undefined,
    private readonly token: () => Promise<string | undefined>,
    private readonly hint: typeof slotHint = slotHint,
  ) {}

  /** What update() changed since: a later join says that. */
  changed({ name, metadata }: { name?: string; metadata?: Metadata }): void {
    if (name !== undefined) this.#change.name = name;
    if (metadata !== undefined) this.#change.metadata = metadata;
  }

  /** What a knock says of us: all but the media, which nobody needs who is not in. */
  async knock(): Promise<Record<string, unknown>> {
    const { identity, name, metadata } = this.options;
    return { token: await this.token(), identity, name, metadata, ...this.#change };
  }

  /**
   * The fields, with a new media connection's offer. Of joins that overlap, because one still waits for its token, only the
   * last gets that far: an earlier one would close the connection that the later one has just made.
   */
  async fields(): Promise<Record<string, unknown>> {
    const mine = ++this.#count;
    const latest = () => {
      if (mine !== this.#count) throw new ParleyError('closed');
    };
    const { url, room, identity, name, metadata, slots } = this.options;
    const token = await this.token();
    latest();
    const fields = { token, identity, name, metadata, ...this.#change };
    if (!this.media) return fields;
    const counting = slots ? slotStep(slots) : this.hint(url, room, token);
    this.media.begin(); // which takes browsers some 15 ms, while the server counts
    const count = await counting;
    latest();
    this.media.need(count);
    const media = await this.media.offer();
    latest();
    return { ...fields, media };
  }
}
