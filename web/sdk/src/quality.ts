import type { StreamStats } from './stats';

/** 5: excellent, 4: good, 3: fair, 2: poor, 1: bad. */
export type Quality = 1 | 2 | 3 | 4 | 5;

/** A score of the server's, kept in bounds; undefined where it is none. */
export function score(value: unknown): Quality | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return Math.min(5, Math.max(1, Math.round(value))) as Quality;
}

/**
 * How good a participant's sound and picture arrive, from 5 (nothing lost) to 1 (hardly usable): the worst of loss,
 * standing pictures and round trip over their streams. Undefined while nothing flows.
 */
export function quality(streams: readonly StreamStats[]): Quality | undefined {
  const flowing = streams.filter((s) => s.bitrate > 0);
  if (flowing.length === 0) return undefined;
  let worst = 5;
  for (const s of flowing) {
    worst = Math.min(worst, grade(s.loss ?? 0, [0.01, 0.04, 0.1, 0.25]));
    worst = Math.min(worst, grade(s.frozen ?? 0, [0.02, 0.1, 0.25, 0.5]));
    worst = Math.min(worst, grade(s.rtt ?? 0, [200, 400, 700, 1500]));
  }
  return worst as Quality;
}

function grade(value: number, limits: readonly number[]): number {
  const passed = limits.filter((limit) => value >= limit).length;
  return 5 - passed;
}
