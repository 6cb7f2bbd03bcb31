import { decodable } from './codecs';
import type { Json } from './protocol';

// What a participant tells another who sends video that its browser cannot decode: a `signal` message with what it can.

const APP = 'parley.codec';

export function codecWish(decodes: readonly string[] = decodable()): Json {
  return { app: APP, decodes: [...decodes] };
}

/** Reads one; undefined if it is something else. */
export function readCodecWish(data: Json): Json[] | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  return data.app === APP && Array.isArray(data.decodes) ? data.decodes : undefined;
}
