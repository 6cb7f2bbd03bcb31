import type { Kind, Metadata, Stream, WireParticipant, WireSource } from './protocol';
import type { Quality } from './quality';

/** One published track, as everybody in the room knows it. */
export interface Source {
  readonly id: string;
  readonly kind: Kind;
  readonly muted: boolean;
}

/** Somebody in the room. A value: a change makes a new one, so `===` tells whether something changed. */
export class Participant {
  readonly id: string;
  /** From the token; one identity may be in the room more than once. */
  readonly identity: string;
  readonly name: string;
  readonly joinedAt: Date;
  readonly metadata: Metadata;
  readonly sources: readonly Source[];
  /** Since when their browser has not answered: the network is gone, or the machine sleeps. Undefined: it does. */
  readonly awaySince: Date | undefined;
  /** They may moderate. The server says so: no name can imitate it, nor `guest`. */
  readonly moderator: boolean;
  /** They came by an invitation, or were let in. */
  readonly guest: boolean;
  /** Of a guest: the id of a moderator whose name looks the same. */
  readonly like: string | undefined;
  /** How good the server finds their connection: 5 (excellent) to 1 (bad). 5 until it says something else. */
  readonly quality: Quality;

  /** @internal */
  constructor(wire: WireParticipant, quality: Quality = 5) {
    this.quality = quality;
    this.id = wire.id;
    this.identity = wire.identity ?? '';
    this.name = wire.name ?? '';
    this.joinedAt = new Date(wire.joined_at ?? 0);
    this.metadata = wire.metadata ?? {};
    this.sources = wire.sources ?? [];
    this.moderator = wire.moderator === true;
    this.guest = wire.guest === true;
    this.like = wire.like;
    this.awaySince = wire.away ? new Date(wire.away_since ?? 0) : undefined;
  }

  /** Whether they cannot be reached at the moment. Their place is kept for them for a while. */
  get away(): boolean {
    return this.awaySince !== undefined;
  }

  /** The source of that kind, if it is published. */
  source(kind: Kind): Source | undefined {
    return this.sources.find((s) => s.kind === kind);
  }

  /** Whether the kind is published and not muted. */
  live(kind: Kind): boolean {
    return this.source(kind)?.muted === false;
  }

  /** Whether anything of the stream is published. */
  has(stream: Stream): boolean {
    const kinds: Kind[] = stream === 'camera' ? ['camera', 'microphone'] : ['screen', 'screen_audio'];
    return kinds.some((kind) => this.source(kind));
  }

  /** @internal */
  withSources(sources: readonly WireSource[]): Participant {
    return new Participant({ ...this.wire(), sources: [...sources] }, this.quality);
  }

  /** @internal */
  withQuality(quality: Quality): Participant {
    return new Participant(this.wire(), quality);
  }

  /** @internal */
  wire(): WireParticipant {
    const { id, identity, name, metadata, sources } = this;
    const away = this.away && { away: true, away_since: this.awaySince?.toISOString() };
    const { moderator, guest, like } = this;
    const joined_at = this.joinedAt.toISOString();
    return { id, identity, name, joined_at, metadata, sources: [...sources], moderator, guest, like, ...away };
  }
}
