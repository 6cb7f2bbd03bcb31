// Which tiles there are and where: joins people, pins and screens with the geometry. Pure.
import type { Person } from '../state/people';
import { capacity, focusRects, gridRects, pairRects, type Rect, type Size, stripCapacity } from './grid';
import { seats } from './seats';

export type Role = 'main' | 'grid' | 'strip' | 'floating';

export interface Tile {
  /** The person's id, with "/screen" behind it for a screen. */
  key: string;
  person: string;
  stream: 'camera' | 'screen';
  role: Role;
  rect: Rect;
}

export interface Plan {
  tiles: Tile[];
  /** The tile that stands for everybody without one. */
  others: { people: string[]; rect: Rect } | undefined;
  /** Who of the others has a tile: to be handed in again the next time. */
  seated: string[];
}

export interface PlanInput {
  people: readonly Person[];
  pinned: string | undefined;
  speaking: readonly string[];
  lastSpoke: ReadonlyMap<string, number>;
  seated: readonly string[];
  stage: Size;
}

export function screenKey(id: string): string {
  return `${id}/screen`;
}

/** The key of a stream's tile. */
export function tileKey(id: string, stream: 'camera' | 'screen'): string {
  return stream === 'screen' ? screenKey(id) : id;
}

/** The person and stream behind a tile's key. */
export function keyParts(key: string): [string, 'camera' | 'screen'] {
  return key.endsWith('/screen') ? [key.slice(0, -'/screen'.length), 'screen'] : [key, 'camera'];
}

/** Lays out a call. Nothing to lay out on a stage without a size. */
export function plan(input: PlanInput): Plan {
  if (input.stage.width < 1 || input.stage.height < 1)
    return { tiles: [], others: undefined, seated: [...input.seated] };
  const focus = focused(input);
  if (focus) return focusPlan(input, focus);
  const [a, b] = input.people;
  if (input.people.length === 2 && a && b && a.me !== b.me) return pairPlan(input, a.me ? a : b, a.me ? b : a);
  return gridPlan(input);
}

// The pinned tile, else somebody's screen. One's own screen is never shown: it would show itself in itself.
function focused(input: PlanInput): string | undefined {
  const keys = new Set<string>();
  for (const p of input.people) {
    keys.add(p.id);
    if (!p.me && p.screen !== 'none') keys.add(screenKey(p.id));
  }
  if (input.pinned && keys.has(input.pinned)) return input.pinned;
  return [...keys].find((key) => key.endsWith('/screen'));
}

function pairPlan(input: PlanInput, me: Person, other: Person): Plan {
  const rects = pairRects(input.stage);
  return {
    tiles: [camera(other.id, 'main', rects.other), camera(me.id, 'floating', rects.self)],
    others: undefined,
    seated: [other.id],
  };
}

function gridPlan(input: PlanInput): Plan {
  const all = input.people.length;
  const fit = capacity(input.stage);
  const overflow = all > fit;
  const me = input.people.find((p) => p.me);
  const places = (overflow ? fit - 1 : all) - (me ? 1 : 0);
  const seated = seat(input, places);
  const shown = me ? [...seated, me.id] : seated;
  const rects = gridRects(shown.length + (overflow ? 1 : 0), input.stage);
  return {
    tiles: shown.map((id, i) => camera(id, 'grid', rects[i] as Rect)),
    others: overflow ? { people: without(input, shown), rect: rects[shown.length] as Rect } : undefined,
    seated,
  };
}

function focusPlan(input: PlanInput, focus: string): Plan {
  const [id, screen] = focus.split('/') as [string, string?];
  const others = input.people.filter((p) => !p.me && (screen || p.id !== id));
  const me = input.people.find((p) => p.me && (screen || p.id !== id));
  const screens = input.people.filter((p) => !p.me && p.screen !== 'none' && screenKey(p.id) !== focus);
  const all = others.length + screens.length + (me ? 1 : 0);
  const aspect = screen ? 1.5 : 0.9;
  const fit = stripCapacity(input.stage, aspect);
  const overflow = all > fit;
  const kept = screens.slice(0, Math.max(0, fit - 1));
  const places = Math.max(0, (overflow ? fit - 1 : all) - kept.length - (me ? 1 : 0));
  const seated = seat({ ...input, people: others }, places);
  const rects = focusRects(overflow ? fit : all, input.stage, aspect);
  const tiles: Tile[] = [
    { key: focus, person: id, stream: screen ? 'screen' : 'camera', role: 'main', rect: rects.main },
  ];
  const add = (person: string, stream: Tile['stream']) => {
    const rect = rects.strip[tiles.length - 1];
    if (rect)
      tiles.push({ key: stream === 'screen' ? screenKey(person) : person, person, stream, role: 'strip', rect });
  };
  for (const p of kept) add(p.id, 'screen');
  for (const p of seated) add(p, 'camera');
  if (me && (!overflow || fit > 1)) add(me.id, 'camera');
  const last = rects.strip[tiles.length - 1];
  const left = without(
    { ...input, people: others },
    tiles.filter((t) => t.stream === 'camera').map((t) => t.person),
  );
  return { tiles, others: overflow && last ? { people: left, rect: last } : undefined, seated };
}

function seat(input: PlanInput, places: number): string[] {
  return seats({
    seated: input.seated,
    everybody: input.people.filter((p) => !p.me).map((p) => p.id),
    speaking: input.speaking,
    lastSpoke: input.lastSpoke,
    places: Math.max(0, places),
  });
}

function without(input: PlanInput, shown: readonly string[]): string[] {
  return input.people.filter((p) => !shown.includes(p.id)).map((p) => p.id);
}

function camera(id: string, role: Role, rect: Rect): Tile {
  return { key: id, person: id, stream: 'camera', role, rect };
}
