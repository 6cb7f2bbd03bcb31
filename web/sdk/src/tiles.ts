import type { Stream, Tile } from './protocol';
import { now } from './time';

/** One element that shows a stream, as far as the server needs to know. Sizes in CSS pixels. */
export interface Shown {
  participant: string;
  stream: Stream;
  /** False: always the best picture there is, whatever the element's size and whether it can be seen. */
  adaptive: boolean;
  /** Comes first when the network is short. */
  pinned: boolean;
  width: number;
  height: number;
  visible: boolean;
  /** When it was last seen, milliseconds; for those not visible. */
  hiddenAt: number;
  /** In a window of its own, picture-in-picture, which stays while the page is hidden: that window's size, or null. */
  floating: { width: number; height: number } | null;
}

export interface Screen {
  /** Device pixels per CSS pixel that a picture should have: see density(). */
  density: number;
  pageHidden: boolean;
}

/** How long a hidden element keeps its stream, milliseconds: scrolling past and back costs nothing. */
export const LINGER = 100;

/**
 * How sharp pictures should be on a screen of so many device pixels per CSS pixel. Faces gain little from the second pixel,
 * which costs four times the bits: 1, and 2 on the small screens of phones, which have more than 2.
 */
export function density(ratio: number): number {
  return ratio > 2 ? 2 : 1;
}

const BEST = 4096; // pixels wide and high: more than any layer has

const GRAIN = 16; // device pixels; sizes are rounded up to these, so that small changes are none

/**
 * The list for `subscribe`: one tile for each stream shown, its largest element counting; pinned ones first, then screens,
 * then large ones.
 */
export function tiles(shown: Iterable<Shown>, screen: Screen, now: number, most = 100): Tile[] {
  const byStream = new Map<string, Tile>();
  for (const s of shown) {
    if (s.adaptive && !s.floating && !s.visible && now - s.hiddenAt >= LINGER) continue;
    const { width, height } = size(s, screen);
    const tile: Tile = { participant: s.participant, stream: s.stream, width, height };
    const key = `${s.stream} ${s.participant}`;
    const other = byStream.get(key);
    if (s.pinned || other?.pinned) tile.pinned = true;
    if (!other || area(other) < area(tile)) byStream.set(key, tile);
    else if (tile.pinned) other.pinned = true;
  }
  const list = [...byStream.values()];
  list.sort((a, b) => rank(a) - rank(b) || area(b) - area(a)); // stable: equal ones stay as they were attached
  return list.slice(0, most);
}

function size(s: Shown, screen: Screen): { width: number; height: number } {
  if (!s.adaptive) return { width: BEST, height: BEST };
  if (!s.floating && screen.pageHidden) return { width: 0, height: 0 };
  const { width, height } = s.floating ?? s;
  return { width: round(width * screen.density), height: round(height * screen.density) };
}

function round(pixels: number): number {
  return Math.min(16_384, Math.ceil(pixels / GRAIN) * GRAIN);
}

function area(tile: Tile): number {
  return tile.width * tile.height;
}

function rank(tile: Tile): number {
  return (tile.pinned ? 0 : 2) + (tile.stream === 'screen' ? 0 : 1);
}

/**
 * Sends the list at most every `every` milliseconds: the first change at once (after the current task, so that what is
 * attached together goes together), later ones together when the time is over. Equal lists are not sent twice.
 */
export class TileSender {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;
  #lastFlush = -Infinity;
  #sent = '[]';

  constructor(
    private readonly list: () => Tile[],
    private readonly send: (tiles: Tile[]) => void,
    private readonly every = 100,
  ) {}

  /** Something changed; `delay` milliseconds from now it counts. */
  schedule(delay = 0): void {
    const at = now();
    const due = Math.max(at + delay, this.#lastFlush + this.every);
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#flush(), due - at);
  }

  /** Forgets what was sent, because the server did, and sends it anew. */
  reset(): void {
    this.#sent = '[]';
    this.schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    this.#lastFlush = now();
    const tiles = this.list();
    const text = JSON.stringify(tiles);
    if (text === this.#sent) return;
    this.#sent = text;
    this.send(tiles);
  }
}
