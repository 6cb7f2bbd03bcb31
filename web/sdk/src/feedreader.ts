import type { ParleyError } from './errors';
import type { RoomEvent, Snapshot } from './protocol';
import type { Token } from './url';

/** What a feed needs of its reader, and tells it. */
export interface FeedReader {
  readonly url: string;
  readonly token: Token;
  position(): string | undefined;
  /** All that is known, as a snapshot; undefined before the first. */
  state(): Snapshot | undefined;
  snapshot(snapshot: Snapshot): void;
  event(event: RoomEvent): void;
  /** Connected, or not. */
  live(live: boolean): void;
  /** Trying again would not help. */
  fatal(error: ParleyError): void;
}
