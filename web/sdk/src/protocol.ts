// The wire protocol's shapes (docs/protocol.md): JSON as it crosses the WebSocket and the presence feeds.

export type Kind = 'microphone' | 'camera' | 'screen' | 'screen_audio';
export type Stream = 'camera' | 'screen';
export type Permission =
  | 'join'
  | 'publish'
  | 'subscribe'
  | 'message'
  | 'moderate'
  | 'invite'
  | 'update'
  | 'watch'
  | 'list';
export type LeaveReason = 'left' | 'timeout' | 'removed' | 'ended' | 'replaced' | 'expired';
export type ModerateAction = 'mute' | 'remove' | 'lock' | 'unlock' | 'end' | 'admit' | 'decline' | 'unban';
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Metadata = { [key: string]: Json };

export const KINDS: readonly Kind[] = ['microphone', 'camera', 'screen', 'screen_audio'];

export interface WireSource {
  id: string;
  kind: Kind;
  muted: boolean;
}

export interface WireParticipant {
  id: string;
  identity?: string;
  name?: string;
  joined_at?: string;
  metadata?: Metadata | null;
  sources?: WireSource[] | null;
  /** Their browser does not answer; absent while it does. */
  away?: boolean;
  away_since?: string;
  moderator?: boolean;
  guest?: boolean;
  like?: string;
}

export interface WireKnock {
  id: string;
  identity: string;
  name: string;
  guest?: boolean;
  since: string;
  like?: string;
}

export interface Snapshot {
  room: string;
  position: string;
  locked?: boolean;
  participants?: WireParticipant[] | null;
  /** Those who knock; for those who may moderate. */
  waiting?: WireKnock[] | null;
}

export interface WireMessage {
  position: string;
  from: string;
  name?: string;
  text: string;
  at: string;
  to?: string;
}

/** What one slot carries; sources are ids or null. */
export interface WireSlot {
  slot: number;
  participant: string | null;
  stream: Stream | null;
  video: string | null;
  audio: string | null;
}

export interface Tile {
  participant: string;
  stream: Stream;
  width: number;
  height: number;
  /** Comes before others when the network is short. */
  pinned?: boolean;
}

/** Why a received video is what it is. */
export type Reason = 'best' | 'size' | 'bandwidth' | 'switching' | 'silent' | 'paused' | 'muted' | 'hidden' | 'codec';

/** A slot whose video was asked for and does not flow. */
export interface WireHeld {
  slot: number;
  state: 'paused';
  reason: Reason;
}

/** What the server knows of how it sends to us and what it gets of us. Rates are bit/s, times milliseconds. */
export interface WireStats {
  downlink?: {
    estimate_bps?: number;
    sent_bps?: number;
    loss_percent?: number;
    rtt_ms?: number;
    queue_ms?: number;
    state?: string;
    source?: string;
  };
  slots?: WireSlotStats[] | null;
  uplink?: { kind: Kind; layers?: WireLayerStats[] | null }[] | null;
}

export interface WireSlotStats {
  slot: number;
  video?: string | null;
  codec?: string;
  rid?: string;
  spatial?: number;
  temporal?: number;
  width?: number;
  height?: number;
  fps?: number;
  bps?: number;
  target_bps?: number;
  reason?: Reason;
}

export interface WireLayerStats {
  rid?: string;
  active?: boolean;
  wanted?: boolean;
  width?: number;
  height?: number;
  fps?: number;
  bps?: number;
  loss_percent?: number;
}

/** The offer, with what each of its media sections is for. */
export interface MediaOffer {
  sdp: string;
  send: { mid: string; kind: Kind }[];
  slots: { audio: string; video: string }[];
}

/** The server's limits, as far as clients need them. */
export interface Limits {
  message_bytes?: number;
  messages_per_second?: number;
  participants?: number;
  publications?: number;
  slots?: number;
  tiles?: number;
  name_chars?: number;
  metadata_bytes?: number;
  text_bytes?: number;
  signal_bytes?: number;
  data_bytes?: number;
  [name: string]: number | undefined;
}

/** What is renewed before it ends. */
export interface Renewal {
  token?: string;
  /** Seconds. */
  token_ttl?: number;
  ice_servers?: RTCIceServer[] | null;
  ice_ttl?: number;
  /** Seconds until the session ends with its token, where the server enforces that. */
  session_ttl?: number;
}

export interface Welcome extends Renewal {
  type: 'welcome';
  id: number;
  session: string;
  secret: string;
  participant: string;
  can?: Permission[] | null;
  room: Snapshot;
  messages?: WireMessage[] | null;
  media?: { sdp: string };
  limits?: Limits;
  ping_seconds?: number;
  resume_seconds?: number;
}

export interface Resumed extends Renewal {
  type: 'resumed';
  id: number;
  position: string;
  room?: Snapshot;
  messages?: WireMessage[] | null;
  slots?: WireSlot[] | null;
}

export type KnockOutcome = 'admitted' | 'declined' | 'left' | 'timeout';

/** Events that change what a room looks like from outside: sessions and presence feeds carry them alike. */
export type RoomEvent =
  | { type: 'joined'; position: string; participant: WireParticipant }
  | { type: 'left'; position: string; participant: string; reason?: LeaveReason }
  | { type: 'published'; position: string; participant: string; source: WireSource }
  | { type: 'unpublished'; position: string; participant: string; source: string }
  | { type: 'updated'; position: string; participant: WireParticipant }
  | { type: 'speaking'; position: string; participants: string[] }
  | { type: 'room'; position: string; locked: boolean };

export type SessionEvent =
  | RoomEvent
  | ({ type: 'message' } & WireMessage)
  | { type: 'signal'; position: string; from: string; data: Json }
  | { type: 'knocking'; position: string; knock: WireKnock }
  | { type: 'knock_ended'; position: string; knock: string; reason: KnockOutcome; by?: string }
  | { type: 'permissions'; position: string; can?: Permission[] | null; waiting?: WireKnock[] | null }
  | { type: 'slots'; position: string; slots: WireSlot[] }
  | { type: 'muted'; position: string; kind: Kind; by: string }
  | { type: 'video'; position: string; slots: WireHeld[] | null }
  | { type: 'layers'; position: string; kind: Kind; wanted: string[] | null; max_bps?: Record<string, number> }
  | { type: 'quality'; position: string; participants: { [id: string]: number } };

/** The stream a kind of source belongs to. */
export function streamOf(kind: Kind): Stream {
  return kind === 'camera' || kind === 'microphone' ? 'camera' : 'screen';
}
