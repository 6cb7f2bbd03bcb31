// The people in a call, as the pages show them.

export type DeviceState = 'none' | 'muted' | 'live';

export interface Person {
  id: string;
  /** Whose it is, over all comings and goings: what an avatar's colour hangs on. */
  identity: string;
  name: string;
  /** Set by the server; a name cannot imitate them. */
  moderator: boolean;
  guest: boolean;
  /** The id of the moderator whose name this guest's looks like. */
  like: string | undefined;
  me: boolean;
  /** Milliseconds since 1970. */
  joinedAt: number;
  microphone: DeviceState;
  camera: DeviceState;
  screen: DeviceState;
  /** Since when this person's browser has not answered, by the page's clock (performance.now); undefined: it does. */
  awaySince: number | undefined;
}

/** What of a participant is needed to show one; the SDK's Participant has it. */
export interface ParticipantLike {
  id: string;
  identity: string;
  name: string;
  joinedAt: Date;
  sources: readonly { kind: string; muted: boolean }[];
  awaySince?: Date | undefined;
  moderator?: boolean;
  guest?: boolean;
  like?: string | undefined;
}

const mostAway = 600_000; // ms that a server's word about a silence is believed: clocks differ

/** The two clocks: of the page, which runs evenly, and on the wall, in which others' times are told. */
export interface Now {
  page: number;
  wall: number;
}

const clocks = (): Now => ({ page: performance.now(), wall: Date.now() });

/** Since when somebody is away: as we saw first, else as the server says, where that can be. */
function awaySince(p: ParticipantLike, before: Person | undefined, now: Now): number | undefined {
  if (!p.awaySince) return undefined;
  if (before?.awaySince !== undefined) return before.awaySince;
  const silent = now.wall - p.awaySince.getTime();
  return now.page - (silent >= 0 && silent < mostAway ? silent : 0);
}

/** One participant as a person. */
export function person(p: ParticipantLike, me: string, before?: Person, now = clocks()): Person {
  const device = (kind: string): DeviceState => {
    const source = p.sources.find((s) => s.kind === kind);
    if (!source) return 'none';
    return source.muted ? 'muted' : 'live';
  };
  return {
    id: p.id,
    identity: p.identity || p.id,
    moderator: p.moderator ?? false,
    guest: p.guest ?? false,
    like: p.like,
    name: p.name.trim() || p.identity || 'Guest',
    me: p.id === me,
    joinedAt: p.joinedAt.getTime() || 0,
    microphone: device('microphone'),
    camera: device('camera'),
    screen: device('screen'),
    awaySince: p.id === me ? undefined : awaySince(p, before, now),
  };
}

/** Everybody in the order of joining; two who joined together are told apart by their ids, so the order is firm. */
export function inOrder(people: readonly Person[]): Person[] {
  return [...people].sort((a, b) => a.joinedAt - b.joinedAt || (a.id < b.id ? -1 : 1));
}

/** Who cannot be reached any more, and who can again, among those who stayed. */
export function silences(before: readonly Person[], after: readonly Person[]): { lost: string[]; back: string[] } {
  const was = new Map(before.map((p) => [p.id, p.awaySince !== undefined]));
  return {
    lost: after.filter((p) => p.awaySince !== undefined && was.get(p.id) === false).map((p) => p.name),
    back: after.filter((p) => p.awaySince === undefined && was.get(p.id) === true).map((p) => p.name),
  };
}

/** Who came and who went between two lists, for the live region. Ids only tell people apart; names are returned. */
export function changes(before: readonly Person[], after: readonly Person[]): { came: string[]; went: string[] } {
  const had = new Set(before.map((p) => p.id));
  const has = new Set(after.map((p) => p.id));
  return {
    came: after.filter((p) => !had.has(p.id) && !p.me).map((p) => p.name),
    went: before.filter((p) => !has.has(p.id) && !p.me).map((p) => p.name),
  };
}
