import { describe, expect, it } from 'vitest';
import { StrainGauge } from '../src/strain';

/** Looks every two seconds from `from` for `seconds`; returns the levels seen, without repetition. */
function run(gauge: StrainGauge, from: number, seconds: number, limited: boolean): number[] {
  const levels: number[] = [];
  for (let t = from; t < from + seconds; t += 2) {
    const level = gauge.next(t * 1000, limited);
    if (levels.at(-1) !== level) levels.push(level);
  }
  return levels;
}

describe('StrainGauge', () => {
  it('lets short peaks pass and steps down when strain lasts', () => {
    const gauge = new StrainGauge();
    expect(run(gauge, 0, 5, true)).toEqual([0]);
    expect(run(gauge, 6, 2, false)).toEqual([0]);
    expect(run(gauge, 8, 5, true)).toEqual([0]);
    expect(run(gauge, 14, 60, true)).toEqual([1, 2]);
  });

  it('steps up one by one after half a minute of ease', () => {
    const gauge = new StrainGauge();
    run(gauge, 0, 30, true);
    expect(run(gauge, 30, 28, false)).toEqual([2]);
    expect(run(gauge, 58, 70, false)).toEqual([2, 1, 0]);
  });

  it('waits longer each time a step up was too early', () => {
    const gauge = new StrainGauge();
    let now = 0;
    run(gauge, now, 8, true);
    now += 8;
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const from = now;
      while (gauge.next(now * 1000, false) === 1) now += 2;
      waits.push(now - from);
      while (gauge.next(now * 1000, true) === 0) now += 2;
      now += 2;
    }
    expect(waits).toEqual([30, 60, 120, 240, 240]);
  });
});
