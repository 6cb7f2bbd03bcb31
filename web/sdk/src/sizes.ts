// Which sizes of a picture are sent. A browser leaves the last encodings out where the picture is small, and would so leave out the
// whole picture: of a small one fewer encodings are used, and the last of these is always the whole.

export interface Size {
  readonly width: number;
  readonly height: number;
}

const AMPLE = 960 * 540; // pixels from which on Chromium sends three encodings,
const FAIR = 480 * 270; // and two

const PLANNED = 1280 * 720; // pixels of the picture that encodings are planned for
const STEEPNESS = 0.88; // a quarter of the pixels takes 0.3 of the bits

/** How many of `most` encodings a picture of that size has use for. */
export function used(size: Size | undefined, most: number): number {
  if (!size) return most;
  const pixels = size.width * size.height;
  return Math.min(most, pixels >= AMPLE ? 3 : pixels >= FAIR ? 2 : 1);
}

/** The bit/s for the whole of a small picture, of what was planned for a large one. */
export function rate(size: Size, planned: number): number {
  return Math.round(planned * Math.min(1, ((size.width * size.height) / PLANNED) ** STEEPNESS));
}

/** The size of the picture that is sent, by the browser's figures of one sender. */
export function sourceSize(report: Iterable<unknown>): Size | undefined {
  for (const s of report as Iterable<Record<string, unknown>>) {
    const { type, width, height } = s;
    if (type === 'media-source' && typeof width === 'number' && typeof height === 'number' && width * height > 0)
      return { width, height };
  }
  return undefined;
}

/** And by the track, where that tells. */
export function trackSize(track: MediaStreamTrack | null | undefined): Size | undefined {
  const { width, height } = track?.getSettings?.() ?? {};
  return width && height ? { width, height } : undefined;
}
