// Who gets a tile when not everybody fits, without making tiles jump about.

export interface SeatInput {
  /** Ids that had a tile a moment ago, in their order. */
  seated: readonly string[];
  /** Everybody who could have one, in the order of joining. */
  everybody: readonly string[];
  /** Who speaks now, the loudest first. */
  speaking: readonly string[];
  /** Time each last spoke (ms, any epoch); absent: never. */
  lastSpoke: ReadonlyMap<string, number>;
  /** How many tiles there are. */
  places: number;
}

/**
 * The ids to seat. Whoever has a seat keeps it in its place; newcomers take free ones; a speaker without a seat takes
 * the one of whoever has been silent longest.
 */
export function seats(input: SeatInput): string[] {
  const present = new Set(input.everybody);
  const kept = input.seated.filter((id) => present.has(id));
  const out = kept.slice(0, input.places);
  for (const id of input.everybody) {
    if (out.length >= input.places) break;
    if (!out.includes(id)) out.push(id);
  }
  for (const id of input.speaking.slice(0, input.places)) {
    if (!present.has(id) || out.includes(id)) continue;
    const quiet = quietest(out, input);
    if (quiet >= 0) out[quiet] = id;
  }
  return out;
}

function quietest(seated: readonly string[], input: SeatInput): number {
  let found = -1;
  let oldest = Number.POSITIVE_INFINITY;
  for (let i = seated.length - 1; i >= 0; i--) {
    const id = seated[i] as string;
    if (input.speaking.includes(id)) continue;
    const at = input.lastSpoke.get(id) ?? -1;
    if (at < oldest) {
      oldest = at;
      found = i;
    }
  }
  return found;
}
