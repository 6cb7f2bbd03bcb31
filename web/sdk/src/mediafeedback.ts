import { codecWish, readCodecWish } from './codecwish';
import { ParleyError } from './errors';
import { Held, type HeldChange } from './held';
import type { Media } from './media';
import type { Participant } from './participant';
import type { Reply, Request } from './pending';
import type { Json, Reason, SessionEvent, Stream, WireStats } from './protocol';
import { expectsMedia } from './slothint';
import { StrainGauge } from './strain';
import { now } from './time';

export interface MediaFeedbackOwner {
  request(message: Request): Promise<Reply>;
  /** Asks for something whose failure only the error event tells. */
  tell(message: Request): void;
  paused(change: HeldChange): void;
}

const STATS_PATIENCE = 2000; // ms; without the server's part of the figures, the browser's are given

/** What the server, other participants and our own encoders say of how media flows, and what follows from that. */
export class MediaFeedback {
  readonly #held = new Held();
  readonly #strain = new StrainGauge();
  readonly #wished = new Set<string>(); // whom we told what we can decode
  #asksStats = true; // until the server says that it does not know the question

  constructor(
    private readonly media: Media | undefined,
    private readonly owner: MediaFeedbackOwner,
  ) {}

  /** Why a stream's video is held back; undefined: it is not. */
  reason(participant: string, stream: Stream): Reason | undefined {
    return this.#held.reason(participant, stream);
  }

  /**
   * Takes events that carry the whole of something: taking one twice does no harm, and missing one would. False: it is
   * another event.
   */
  event(event: SessionEvent): boolean {
    switch (event.type) {
      case 'slots':
        this.media?.map(event.slots);
        return true;
      case 'video':
        this.#changed(this.#held.take(event.slots ?? [], this.media?.slots.slots ?? []));
        return true;
      case 'layers':
        if (event.kind === 'camera' || event.kind === 'screen') {
          this.media?.encodings[event.kind].wish({ wanted: event.wanted ?? [], most: event.max_bps });
        }
        return true;
      default:
        return false;
    }
  }

  /** The slots carry other streams. */
  remapped(): void {
    this.#changed(this.#held.remap(this.media?.slots.slots ?? []));
  }

  /** State was replaced: nothing is known to be held. After a new join (`anew`) nothing is known of layers either. */
  reset(anew: boolean): void {
    this.#changed(this.#held.take([], []));
    if (!anew) return;
    this.#asksStats = true;
    this.#wished.clear();
    for (const kind of ['camera', 'screen'] as const)
      this.media?.encodings[kind].wish({ wanted: undefined, most: undefined });
  }

  /** Takes another participant's message; false if it is not about codecs. */
  signal(data: Json): boolean {
    const decodes = readCodecWish(data);
    if (decodes) this.media?.decodes(decodes);
    return decodes !== undefined;
  }

  /** Whether packets must be coming now. */
  expects(me: Participant, participants: ReadonlyMap<string, Participant>): boolean {
    const sends = me.live('camera') && this.media?.encodings.camera.wishes.wanted?.length !== 0;
    return expectsMedia(sends, participants, this.media?.slots.slots ?? []);
  }

  /** An encoder of ours is limited by the CPU, or none is: sheds load, and takes it on again. */
  strained(limited: boolean): void {
    const strain = this.#strain.next(now(), limited);
    this.media?.encodings.camera.wish({ strain });
  }

  /** The server's part of the figures; undefined where it does not answer (in time). */
  async serverStats(): Promise<WireStats | undefined> {
    if (!this.media || !this.#asksStats) return undefined;
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, STATS_PATIENCE));
    try {
      return await Promise.race([this.owner.request({ type: 'stats' }), late]);
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'unknown_type') this.#asksStats = false;
      return undefined; // the browser's own figures are good without
    }
  }

  #changed(changes: readonly HeldChange[]): void {
    for (const change of changes) {
      this.owner.paused(change);
      if (change.reason !== 'codec' || this.#wished.has(change.participant)) continue;
      this.#wished.add(change.participant);
      this.owner.tell({ type: 'signal', to: change.participant, data: codecWish() });
    }
  }
}
