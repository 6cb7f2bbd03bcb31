import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Gaps } from '../src/time';

// Where the wall clock may be read: what is shown with its date, and how a gap is told.
const WALL = new Map([
  ['sdk/src/session.ts', 1],
  ['sdk/src/room.ts', 1],
  ['app/src/state/route.ts', 1], // a token's end, as its claims have it
  ['app/src/call/stats.tsx', 1],
  ['app/src/state/stats.ts', 1],
  ['app/src/call/away.tsx', 1],
  ['app/src/state/people.ts', 1], // since when somebody is silent, as the server tells it
  ['app/src/fake.ts', 3],
  ['app/src/fakestats.ts', 1],
  ['app/src/fakedoor.ts', 4],
  ['app/src/state/invite.ts', 1], // an invitation's end, as the server tells it
  ['app/src/call/invite.tsx', 2], // the same, as a date
]);

describe('the wall clock', () => {
  it('measures no duration: it is read only where named here', () => {
    const found = new Map<string, number>();
    for (const folder of ['sdk/src', 'app/src']) {
      const root = new URL(`../../${folder}/`, import.meta.url);
      for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
        if (!/\.tsx?$/.test(name)) continue;
        const reads = readFileSync(new URL(name, root), 'utf8').match(/\bDate\.now\b|\bnew Date\(\)/g);
        if (reads) found.set(`${folder}/${name}`, reads.length);
      }
    }
    const more = [...found].filter(([file, reads]) => reads > (WALL.get(file) ?? 0));
    expect(more).toEqual([]);
  });
});

describe('gaps', () => {
  /** What Gaps says of ticks at those times, [now, wall]. */
  const told = (...ticks: [number, number][]) => {
    const gaps = new Gaps();
    return ticks.map(([now, wall]) => gaps.next(now, wall));
  };

  it('are none while both clocks go on', () => {
    expect(told([0, 900_000], [1000, 901_000], [2100, 902_090], [6000, 906_000])).toEqual([false, false, false, false]);
  });

  it('are seen where the monotonic clock stood still during sleep', () => {
    expect(told([0, 0], [1000, 61_000], [2000, 62_000])).toEqual([false, true, false]);
  });

  it('are seen where it went on', () => {
    expect(told([0, 0], [60_000, 60_000], [61_000, 61_000])).toEqual([false, true, false]);
  });

  it('are taken for such when the wall clock is set, once', () => {
    expect(told([0, 300_000], [1000, 1000], [2000, 2000])).toEqual([false, true, false]);
  });
});
