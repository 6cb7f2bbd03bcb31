// Where tiles go: pure geometry, in CSS pixels. Nothing here knows about people or the DOM.

export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  x: number;
  y: number;
}

export interface GridOptions {
  /** Space between tiles, px. */
  gap: number;
  /** Narrowest shape (width / height) a tile may take. */
  minAspect: number;
  /** Widest shape (width / height) a tile may take. */
  maxAspect: number;
}

const defaults: GridOptions = { gap: 8, minAspect: 1, maxAspect: 16 / 9 };

/** The options for a stage of this shape: on a tall one, portrait tiles waste less. */
export function gridOptions(stage: Size): GridOptions {
  const narrow = Math.min(stage.width, stage.height) < 600;
  return { ...defaults, gap: narrow ? 6 : 10, minAspect: stage.height > stage.width ? 0.65 : 1 };
}

interface Cell extends Size {
  cols: number;
  rows: number;
}

function cellFor(n: number, cols: number, stage: Size, o: GridOptions): Cell {
  const rows = Math.ceil(n / cols);
  let width = (stage.width - o.gap * (cols - 1)) / cols;
  let height = (stage.height - o.gap * (rows - 1)) / rows;
  if (width > height * o.maxAspect) width = height * o.maxAspect;
  if (width < height * o.minAspect) height = width / o.minAspect;
  return { cols, rows, width: Math.max(0, width), height: Math.max(0, height) };
}

/** The number of columns whose tiles are the largest; of equals, the one with the fewest holes. */
export function bestCell(n: number, stage: Size, o: GridOptions = defaults): Cell {
  let best = cellFor(n, 1, stage, o);
  for (let cols = 2; cols <= n; cols++) {
    const cell = cellFor(n, cols, stage, o);
    const gain = cell.width * cell.height - best.width * best.height;
    const holes = cell.cols * cell.rows - best.cols * best.rows;
    if (gain > 1 || (gain > -1 && holes < 0)) best = cell;
  }
  return best;
}

/** Rectangles for n tiles, in reading order, centred on the stage; a short last row is centred too. */
export function gridRects(n: number, stage: Size, o: GridOptions = gridOptions(stage)): Rect[] {
  if (n <= 0) return [];
  const cell = bestCell(n, stage, o);
  const top = (stage.height - cell.rows * cell.height - (cell.rows - 1) * o.gap) / 2;
  const rects: Rect[] = [];
  for (let row = 0; row < cell.rows; row++) {
    const inRow = Math.min(cell.cols, n - row * cell.cols);
    const left = (stage.width - inRow * cell.width - (inRow - 1) * o.gap) / 2;
    for (let col = 0; col < inRow; col++) {
      rects.push(
        whole({
          x: left + col * (cell.width + o.gap),
          y: top + row * (cell.height + o.gap),
          width: cell.width,
          height: cell.height,
        }),
      );
    }
  }
  return rects;
}

/** How many tiles fit before they get too small to recognise a face; never fewer than 2, at most 25. */
export function capacity(stage: Size, o: GridOptions = gridOptions(stage)): number {
  const smallest = Math.min(stage.width, stage.height) < 600 ? 104 : 168;
  for (let n = 25; n > 2; n--) {
    const cell = bestCell(n, stage, o);
    if (Math.min(cell.width, cell.height * 1.4) >= smallest) return n;
  }
  return 2;
}

export interface Focus {
  /** The large picture. */
  main: Rect;
  /** The small ones beside it, in order. */
  strip: Rect[];
}

/**
 * One large picture and small ones: in a column on the right of a wide stage; on a tall one the picture is as high as
 * its aspect (width / height) asks for, and the small ones share what is left below.
 */
export function focusRects(others: number, stage: Size, aspect: number): Focus {
  if (others <= 0) return { main: whole({ x: 0, y: 0, ...stage }), strip: [] };
  const gap = gridOptions(stage).gap;
  if (!isWide(stage)) return tallFocus(others, stage, aspect);
  const tile = stripTile(stage);
  const used = others * (tile.height + gap) - gap;
  const top = Math.max(0, (stage.height - used) / 2);
  const strip: Rect[] = [];
  for (let i = 0; i < others; i++) {
    strip.push(whole({ x: stage.width - tile.width, y: top + i * (tile.height + gap), ...tile }));
  }
  return { main: whole({ x: 0, y: 0, width: stage.width - tile.width - gap, height: stage.height }), strip };
}

/** How many small tiles there is room for beside a focused picture. */
export function stripCapacity(stage: Size, aspect: number): number {
  if (!isWide(stage)) return capacity(below(stage, aspect), restOptions);
  const gap = gridOptions(stage).gap;
  return Math.max(1, Math.floor((stage.height + gap) / (stripTile(stage).height + gap)));
}

const restOptions: GridOptions = { gap: 6, minAspect: 0.8, maxAspect: 16 / 9 };

function isWide(stage: Size): boolean {
  return stage.width > stage.height;
}

function tallMain(stage: Size, aspect: number): number {
  return Math.min(stage.width / aspect, stage.height * 0.62);
}

// Two small ones in a row are at most 0.8 of the large one's height, and what is over is left empty around both.
function tallFocus(others: number, stage: Size, aspect: number): Focus {
  const high = tallMain(stage, aspect);
  const room = below(stage, aspect);
  const rest = { ...room, height: Math.min(room.height, Math.ceil(others / 2) * high * 0.8) };
  const top = (room.height - rest.height) / 2;
  const strip = gridRects(others, rest, restOptions).map((r) => ({ ...r, y: r.y + top + high + restOptions.gap }));
  return { main: whole({ x: 0, y: top, width: stage.width, height: high }), strip: strip.map(whole) };
}

function below(stage: Size, aspect: number): Size {
  return { width: stage.width, height: stage.height - tallMain(stage, aspect) - restOptions.gap };
}

function stripTile(stage: Size): Size {
  const width = clamp(stage.width * 0.18, 112, 240);
  return { width, height: Math.min((width * 9) / 16, stage.height) };
}

/** Two people: the other fills the stage, oneself is a small picture in a corner. */
export function pairRects(stage: Size): { other: Rect; self: Rect } {
  const gap = 12;
  const tall = stage.height > stage.width;
  const other = gridRects(1, stage, { gap: 0, minAspect: tall ? 0.6 : 4 / 3, maxAspect: 2.4 })[0] as Rect;
  const width = Math.round(tall ? clamp(stage.width * 0.28, 88, 180) : clamp(stage.width * 0.18, 120, 240));
  const height = Math.round(tall ? (width * 4) / 3 : (width * 9) / 16);
  return {
    other,
    self: {
      x: other.x + other.width - width - gap,
      y: other.y + other.height - height - gap,
      width,
      height,
    },
  };
}

function clamp(v: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, v));
}

function whole(r: Rect): Rect {
  return { x: Math.round(r.x), y: Math.round(r.y), width: Math.floor(r.width), height: Math.floor(r.height) };
}
