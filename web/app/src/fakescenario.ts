// What the invented server plays: read from a query string.
import type { MediaState, Permission, RoomState } from 'parley-sdk';
import { type DoorScenario, doorScenario } from './fakedoor';

export interface Scenario {
  path: string;
  join: boolean;
  people: number;
  screen: boolean;
  chat: boolean;
  files: boolean;
  /** Files that were sent together. */
  batches: boolean;
  panel: string;
  state: RoomState;
  can: Permission[];
  locked: boolean;
  blocked: boolean;
  /** A code: connecting fails with it. */
  fail: string;
  /** A code: the room closes with it after the join. */
  close: string;
  /** A code: devices fail with it. */
  device: string;
  unsupported: boolean;
  camera: boolean;
  /** So many seconds the first has not been reachable; 0: all are. */
  away: number;
  /** Somebody's video is held back. */
  paused: boolean;
  media: MediaState;
  /** Moderators and guests, one of them called like somebody else. */
  marks: boolean;
  /** We become the moderator. */
  promote: boolean;
  /** So many seconds the connection has been away. */
  lost: number;
  door: DoorScenario;
}

/** Reads a scenario from a query string. */
export function scenario(q: URLSearchParams): Scenario {
  return {
    path: q.get('path') ?? '/',
    join: q.has('join'),
    people: Number(q.get('people') ?? 2),
    screen: q.has('screen'),
    chat: q.has('chat'),
    files: q.has('files'),
    batches: q.has('batches'),
    panel: q.get('panel') ?? '',
    state: (q.get('state') ?? 'connected') as RoomState,
    can: (q.get('can') ?? 'publish,subscribe,message').split(',') as Permission[],
    locked: q.has('locked'),
    blocked: q.has('blocked'),
    fail: q.get('fail') ?? '',
    close: q.get('close') ?? '',
    device: q.get('device') ?? '',
    unsupported: q.has('unsupported'),
    camera: q.get('camera') !== '0',
    paused: q.has('paused'),
    away: Number(q.get('away') ?? 0),
    media: (q.get('media') ?? 'connected') as MediaState,
    marks: q.has('marks'),
    promote: q.has('promote'),
    lost: Number(q.get('lost') ?? 0),
    door: doorScenario(q),
  };
}
