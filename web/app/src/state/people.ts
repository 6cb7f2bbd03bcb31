// The people in a call, as the pages show them.

export type DeviceState = 'none' | 'muted' | 'live';

export interface Person {
  id: string;
  name: string;
  me: boolean;
  /** Milliseconds since 1970. */
  joinedAt: number;
  microphone: DeviceState;
  camera: DeviceState;
  screen: DeviceState;
}

/** What of a participant is needed to show one; the SDK's Participant has it. */
export interface ParticipantLike {
  id: string;
  identity: string;
  name: string;
  joinedAt: Date;
  sources: readonly { kind: string; muted: boolean }[];
}

/** One participant as a person. */
export function person(p: ParticipantLike, me: string): Person {
  const device = (kind: string): DeviceState => {
    const source = p.sources.find((s) => s.kind === kind);
    if (!source) return 'none';
    return source.muted ? 'muted' : 'live';
  };
  return {
    id: p.id,
    name: p.name.trim() || p.identity || 'Guest',
    me: p.id === me,
    joinedAt: p.joinedAt.getTime() || 0,
    microphone: device('microphone'),
    camera: device('camera'),
    screen: device('screen'),
  };
}

/** Everybody in the order of joining; two who joined together are told apart by their ids, so the order is firm. */
export function inOrder(people: readonly Person[]): Person[] {
  return [...people].sort((a, b) => a.joinedAt - b.joinedAt || (a.id < b.id ? -1 : 1));
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
