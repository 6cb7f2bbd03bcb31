import { describe, expect, it } from 'vitest';
import { PULSE, Pulse } from '../src/pulse';

/** Looks at a path every half second: `flow` says for each look whether bytes came. Returns the times of repairs, ms. */
function run(
  flow: (look: number) => boolean,
  looks: number,
  expected: (look: number) => boolean = () => true,
): number[] {
  const pulse = new Pulse();
  const repairs: number[] = [];
  let bytes = 0;
  for (let i = 0; i < looks; i++) {
    if (flow(i)) bytes += 100;
    if (pulse.next(i * PULSE, bytes, expected(i))) repairs.push(i * PULSE);
  }
  return repairs;
}

describe('Pulse', () => {
  it('repairs a path that goes silent, and again if that did not help', () => {
    expect(run((i) => i <= 10, 100)).toEqual([6500, 11_500, 21_500, 41_500]);
    expect(run((i) => i <= 10 || (i >= 15 && i <= 25), 32)).toEqual([6500, 14_000]);
  });

  it('leaves a path alone that flows, also with holes of a second', () => {
    expect(run(() => true, 100)).toEqual([]);
    expect(run((i) => i % 3 !== 2, 100)).toEqual([]);
    expect(run((i) => i <= 10 || i >= 13, 30)).toEqual([]);
  });

  it('takes silence for silence where nothing must come, or never came steadily', () => {
    expect(
      run(
        (i) => i <= 10,
        40,
        (i) => i <= 11,
      ),
    ).toEqual([]);
    expect(run((i) => i % 8 === 0, 60)).toEqual([]);
  });

  it('starts anew after a pause', () => {
    const expected = (i: number) => i < 10 || i > 20;
    expect(run((i) => i < 10, 40, expected)).toEqual([]);
  });
});
