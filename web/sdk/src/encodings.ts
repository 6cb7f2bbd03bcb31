import { rate, type Size, used } from './sizes';
import type { Strain } from './strain';

/** What decides about the encodings of one video line. */
export interface Wishes {
  /** The layers somebody watches, by rid; undefined: not told, so all. A line without rids has one layer: watched or not. */
  wanted: readonly string[] | undefined;
  /** Bit/s that fit the networks of all who watch a layer, by rid; absent: as planned. */
  most: Readonly<Record<string, number>> | undefined;
  strain: Strain;
  /** The picture's size, where it is too small for all encodings. */
  small: Size | undefined;
  /** What to give up first; undefined: the browser decides. */
  keep: 'resolution' | 'framerate' | undefined;
}

export const NO_WISHES: Wishes = { wanted: undefined, most: undefined, strain: 0, small: undefined, keep: undefined };

const SLOWER = [undefined, 20, 12] as const; // frames a second at a strain of 0, 1, 2 where there is one size
const SLOWER_LAYERS = [undefined, undefined, 15] as const; // and where the largest size is given up first

const LEAST = 0.35; // of a layer's planned rate: with less, the size below looks better

type Encoding = Pick<
  RTCRtpEncodingParameters,
  'rid' | 'active' | 'maxFramerate' | 'maxBitrate' | 'scaleResolutionDownBy'
>;

/**
 * The encodings, the smallest size first, as the wishes would have them. Planned are the bit/s of each as it was negotiated, by
 * rid; of an encoding without, no rate is changed. Pure.
 */
export function shape<T extends Encoding>(
  encodings: readonly T[],
  { wanted, most, strain, small }: Wishes,
  planned: ReadonlyMap<string, number> = new Map(),
): T[] {
  const count = used(small, encodings.length);
  const watches = (e: T) => !wanted || (e.rid ? wanted.includes(e.rid) : wanted.length > 0);
  // Who wants a size that is not used gets the largest that is.
  const watched = encodings.map(
    (e, i) => i < count && (watches(e) || (i === count - 1 && encodings.slice(i).some(watches))),
  );
  const top = watched.lastIndexOf(true);
  if (strain > 0 && top > 0) {
    watched[top] = false;
    if (!watched.includes(true)) watched[top - 1] = true; // a smaller picture rather than none
  }
  const fps = (encodings.length > 1 ? SLOWER_LAYERS : SLOWER)[strain];
  return encodings.map((e, i) => {
    const next = { ...e, active: watched[i]! };
    if (fps === undefined) delete next.maxFramerate;
    else next.maxFramerate = fps;
    if (encodings.length > 1) next.scaleResolutionDownBy = 2 ** Math.max(0, count - 1 - i);
    const full = small && count < encodings.length ? fitting(i, count, small, planned) : planned.get(e.rid ?? '');
    if (full) next.maxBitrate = Math.round(Math.min(full, Math.max(most?.[e.rid ?? ''] ?? full, LEAST * full)));
    return next;
  });
}

/** The bit/s of the encoding i of so many, of a small picture. */
function fitting(i: number, count: number, { width, height }: Size, planned: ReadonlyMap<string, number>): number {
  const scale = 2 ** Math.max(0, count - 1 - i);
  return rate({ width: width / scale, height: height / scale }, Math.max(...planned.values()));
}

/** What a track with that content hint should keep when something must go. */
export function keeps(contentHint: string): Wishes['keep'] {
  if (contentHint === 'motion') return 'framerate';
  return contentHint === 'detail' || contentHint === 'text' ? 'resolution' : undefined;
}

/** Keeps the encodings of one sender as they should be. */
export class Encodings {
  #wishes = NO_WISHES;
  #work: Promise<void> = Promise.resolve();
  #touched = false; // what was never changed is the browser's
  readonly #planned = new WeakMap<RTCRtpSender, Map<string, number>>(); // rates before we changed any

  constructor(private readonly sender: () => RTCRtpSender | undefined) {}

  get wishes(): Wishes {
    return this.#wishes;
  }

  wish(change: Partial<Wishes>): void {
    const next = { ...this.#wishes, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.#wishes)) return;
    this.#wishes = next;
    this.#touched = true;
    this.apply();
  }

  /** Applies the wishes: after they changed, and to a new connection's sender. One change after the other. */
  apply(): void {
    if (!this.#touched) return;
    this.#work = this.#work.then(() => this.#apply());
  }

  async #apply(): Promise<void> {
    const sender = this.sender();
    if (typeof sender?.getParameters !== 'function') return;
    const { keep } = this.#wishes;
    if (await this.#set(sender, keep ? `maintain-${keep}` : 'balanced')) return;
    await this.#set(sender, undefined); // some browsers refuse a degradationPreference
  }

  async #set(sender: RTCRtpSender, degradationPreference: RTCDegradationPreference | undefined): Promise<boolean> {
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return true; // nothing negotiated yet: called again then
    let planned = this.#planned.get(sender);
    if (!planned) {
      planned = new Map(parameters.encodings.map((e) => [e.rid ?? '', e.maxBitrate ?? 0]));
      this.#planned.set(sender, planned);
    }
    const encodings = shape(parameters.encodings, this.#wishes, planned);
    try {
      await sender.setParameters({
        ...parameters,
        encodings,
        ...(degradationPreference && { degradationPreference }),
      });
      return true;
    } catch {
      return false; // closed meanwhile, or the browser does not take it: it sends what it sent
    }
  }
}
