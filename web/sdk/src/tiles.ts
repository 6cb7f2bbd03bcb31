import type { Stream, Tile } from './protocol';

/** One element that shows a stream, as far as the server needs to know. Sizes in CSS pixels. */
export interface Shown {
  participant: string;
  stream: Stream;
  width: number;
  height: number;
  visible: boolean;
  /** When it was last seen, milliseconds; for those not visible. */
  hiddenAt: number;
  /** Keeps its picture while the page is hidden: picture-in-picture. */
  floating: boolean;
}

export interface Screen {
  /** Device pixels per CSS pixel. */
  density: number;
  pageHidden: boolean;
}

/** How long a hidden element keeps its stream, milliseconds: scrolling past and back costs nothing. */
export const LINGER = 250;

const GRAIN = 16; // device pixels; sizes are rounded up to these, so that small changes are none

/** The list for `subscribe`: one tile for each stream shown, its largest element counting; screens and large ones first. */
export function tiles(shown: Iterable<Shown>, screen: Screen, now: number, most = 100): Tile[] {
  const byStream = new Map<string, Tile>();
  for (const s of shown) {
    if (!s.visible && now - s.hiddenAt >= LINGER) continue;
    const dark = screen.pageHidden && !s.floating;
    const density = Math.min(screen.density, 2);
    const tile: Tile = {
      participant: s.participant,
      stream: s.stream,
      width: dark ? 0 : round(s.width * density),
      height: dark ? 0 : round(s.height * density),
    };
    const key = `${s.stream} ${s.participant}`;
    const other = byStream.get(key);
    if (!other || area(other) < area(tile)) byStream.set(key, tile);
  }
  const list = [...byStream.values()];
  list.sort((a, b) => rank(a) - rank(b) || area(b) - area(a)); // stable: equal ones stay as they were attached
  return list.slice(0, most);
}

function round(pixels: number): number {
  return Math.min(16_384, Math.ceil(pixels / GRAIN) * GRAIN);
}

function area(tile: Tile): number {
  return tile.width * tile.height;
}

function rank(tile: Tile): number {
  return tile.stream === 'screen' ? 0 : 1;
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
    const now = Date.now();
    const due = Math.max(now + delay, this.#lastFlush + this.every);
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#flush(), due - now);
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
    this.#lastFlush = Date.now();
    const tiles = this.list();
    const text = JSON.stringify(tiles);
    if (text === this.#sent) return;
    this.#sent = text;
    this.send(tiles);
  }
}
