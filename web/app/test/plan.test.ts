import { describe, expect, test } from 'vitest';
import { type PlanInput, plan, screenKey } from '../src/layout/plan';
import { seats } from '../src/layout/seats';
import type { Person } from '../src/state/people';

function people(n: number, screens: number[] = []): Person[] {
  return Array.from({ length: n }, (_, i) => ({
    id: `p${i}`,
    identity: `p${i}`,
    name: `P${i}`,
    moderator: false,
    guest: false,
    like: undefined,
    me: i === n - 1,
    joinedAt: i,
    microphone: 'live' as const,
    camera: 'live' as const,
    awaySince: undefined,
    screen: screens.includes(i) ? ('live' as const) : ('none' as const),
  }));
}

function input(over: Partial<PlanInput> = {}): PlanInput {
  return {
    people: people(4),
    pinned: undefined,
    speaking: [],
    lastSpoke: new Map(),
    seated: [],
    stage: { width: 1400, height: 800 },
    ...over,
  };
}

const keys = (i: PlanInput) => plan(i).tiles.map((t) => `${t.key}:${t.role}`);

describe('plan', () => {
  test('alone: one tile', () => {
    expect(keys(input({ people: people(1) }))).toEqual(['p0:grid']);
  });

  test('two: the other large, oneself floating', () => {
    expect(keys(input({ people: people(2) }))).toEqual(['p0:main', 'p1:floating']);
  });

  test('more: a grid, oneself last', () => {
    expect(keys(input())).toEqual(['p0:grid', 'p1:grid', 'p2:grid', 'p3:grid']);
  });

  test('a shared screen is large, everybody beside it', () => {
    expect(keys(input({ people: people(4, [1]) }))).toEqual([
      'p1/screen:main',
      'p0:strip',
      'p1:strip',
      'p2:strip',
      'p3:strip',
    ]);
  });

  test('a second screen is a small one', () => {
    expect(keys(input({ people: people(4, [0, 1]) }))).toContain('p1/screen:strip');
  });

  test('the own screen is not shown to oneself', () => {
    expect(keys(input({ people: people(3, [2]) }))).toEqual(['p0:grid', 'p1:grid', 'p2:grid']);
  });

  test('a pin wins over a screen', () => {
    const p = plan(input({ people: people(4, [1]), pinned: 'p2' }));
    expect(p.tiles[0]).toMatchObject({ key: 'p2', role: 'main' });
    expect(p.tiles.map((t) => t.key)).toContain(screenKey('p1'));
  });

  test('a pin on somebody who left is no pin', () => {
    expect(plan(input({ pinned: 'gone' })).tiles[0]?.role).toBe('grid');
  });

  test('whoever does not fit is counted, and nobody is lost or doubled', () => {
    for (const stage of [
      { width: 1400, height: 800 },
      { width: 380, height: 730 },
      { width: 760, height: 330 },
    ]) {
      for (const n of [3, 8, 26, 40]) {
        for (const pinned of [undefined, 'p0']) {
          const p = plan(input({ people: people(n), stage, pinned }));
          const shown = p.tiles.map((t) => t.person);
          expect(new Set(shown).size).toBe(shown.length);
          expect([...shown, ...(p.others?.people ?? [])].sort()).toEqual(
            people(n)
              .map((q) => q.id)
              .sort(),
          );
        }
      }
    }
  });

  test('no tiles before the stage has a size', () => {
    expect(plan(input({ stage: { width: 0, height: 0 } })).tiles).toEqual([]);
  });
});

describe('seats', () => {
  const base = {
    seated: ['a', 'b', 'c'],
    everybody: ['a', 'b', 'c', 'd', 'e'],
    speaking: [],
    lastSpoke: new Map(),
    places: 3,
  };

  test('whoever sits stays', () => {
    expect(seats({ ...base, seated: ['c', 'a', 'e'] })).toEqual(['c', 'a', 'e']);
  });

  test('a free seat goes to the first in line', () => {
    expect(seats({ ...base, seated: ['b', 'gone', 'c'] })).toEqual(['b', 'c', 'a']);
  });

  test('a speaker takes the place of the one silent longest, others do not move', () => {
    const lastSpoke = new Map([
      ['a', 10],
      ['b', 5],
      ['c', 20],
    ]);
    expect(seats({ ...base, speaking: ['e'], lastSpoke })).toEqual(['a', 'e', 'c']);
  });

  test('a speaker never takes the place of another speaker', () => {
    expect(seats({ ...base, speaking: ['a', 'b', 'c', 'd'] })).toEqual(['a', 'b', 'c']);
  });

  test('no more seats than places', () => {
    expect(seats({ ...base, places: 2 })).toEqual(['a', 'b']);
    expect(seats({ ...base, places: 0, speaking: ['d'] })).toEqual([]);
  });
});
