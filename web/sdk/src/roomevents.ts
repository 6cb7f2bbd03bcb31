import type { DataPort } from './data';
import type { DoorEvents } from './door';
import type { ParleyError } from './errors';
import type { Files } from './files/files';
import type { Transfer } from './files/transfer';
import type { Waiting } from './knocking';
import type { MediaState } from './media';
import type { Json, Kind, Metadata, Permission, Reason, Stream, WireMessage } from './protocol';
import type { Quality } from './quality';
import type { ModelEvents } from './roommodel';
import type { CodecChoice, LayerChoice } from './sending';
import type { SessionState } from './sessionowner';
import type { Token } from './url';

export type RoomState = SessionState;
export type RoomData = Pick<DataPort, 'send'>;
export type RoomFiles = Pick<Files, 'send' | 'sendAll' | 'transfers'>;

export interface ConnectOptions {
  /** The server, such as https://call.example.org; default: where the page came from. */
  url?: string;
  /** 1 to 64 characters of A-Z a-z 0-9 . _ ~ - and neither `.` nor `..` */
  room: string;
  /**
   * Where the server wants one. A function is asked again when the session has to be joined anew; in place of a string the server's
   * newest token is used then, so that a call goes on when its link has expired.
   */
  token?: Token;
  name?: string;
  /** Only where the server wants no token. */
  identity?: string;
  metadata?: Metadata;
  /** False: take part without sound and picture. Default true. */
  media?: boolean;
  /** How many streams to be ready for, if the page knows; otherwise the server is asked. */
  slots?: number;
  /** The codec of the video that we send; where this browser or somebody's in the room has it not, another. Default `auto`. */
  codec?: CodecChoice;
  /** How the camera's sizes are sent: `simulcast`, or `svc` with VP9 and AV1 where the browser can. Default `auto`: svc there. */
  layers?: LayerChoice;
  /** False: pictures do not follow the size and visibility of their elements (see attach()). Default true. */
  adaptive?: boolean;
  /** Device pixels per CSS pixel that pictures should have; default 1, and 2 on screens that have more than 2. */
  density?: number;
  /** Ask to be let in at once, as `enter()` says that we must. Else it is asked where the server says so and `onWaiting` is given. */
  knock?: boolean;
  /** We wait to be let in: the promise of connect() ends when we are, or are declined. Called again when that changes. */
  onWaiting?(waiting: Waiting): void;
  /** Makes another token, as `enter()` does, when a later join finds that ours has ended: after a long sleep, say. */
  renew?(): Promise<string | undefined>;
  /** Gives the join up. */
  signal?: AbortSignal;
}

export interface Message {
  /** Unique in the room. */
  readonly id: string;
  /** A participant's id, who may have left. */
  readonly from: string;
  readonly name: string;
  readonly text: string;
  readonly at: Date;
  /** Only for a private message: the addressee's id. */
  readonly to?: string;
}

export function toMessage(wire: WireMessage): Message {
  return {
    id: wire.position,
    from: wire.from,
    name: wire.name ?? '',
    text: wire.text,
    at: new Date(wire.at),
    to: wire.to,
  };
}

export interface RoomEvents extends ModelEvents, DoorEvents {
  state: RoomState;
  message: Message;
  /** A moderator muted one of our sources. */
  muted: { kind: Kind; by: string };
  /** Our own capture changed: started, stopped, muted, lost. */
  local: { kind: Kind };
  /** The server renewed our token: see Room.token. */
  credentials: { token: string | undefined };
  /** What we may do has changed: see Room.can. */
  permissions: ReadonlySet<Permission>;
  /** We were out, and are in again: joined anew, as the server was restarted, or as we were gone for too long. */
  rejoined: { restarted: boolean };
  data: { from: string; topic: string; payload: Uint8Array; reliable: boolean };
  /** data.send() may work (again). */
  writable: undefined;
  /** Another participant's message to us alone, that is not about files. */
  signal: { from: string; data: Json };
  /** Somebody wants to send us a file. */
  file: Transfer;
  /** The tracks that show a participant's stream changed. */
  trackchange: { participant: string; stream: Stream };
  /** The server holds a participant's video back, or (reason undefined) lets it flow again. */
  paused: { participant: string; stream: Stream; reason: Reason | undefined };
  quality: { participant: string; level: Quality };
  /** The connection that carries sound and picture came, went, or cannot be had. */
  media: MediaState;
  /** True: the browser keeps the sound off until startAudio() is called in a click. False: it plays. */
  audioBlocked: boolean;
  /** Something failed that no promise carries. The room goes on. */
  error: ParleyError;
  /** The room is over: with the reason, or without one after leave(). */
  closed: ParleyError | undefined;
}
