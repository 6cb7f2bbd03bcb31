import { describe, expect, test } from 'vitest';
import { bytes, elapsed, hue, initials, names, shortly, span, speed, timeLeft, until } from '../src/text/format';
import { linkify } from '../src/text/linkify';
import { cleanRoom, roomFault, roomPattern, secretBits, secretRoom, suggestRoom } from '../src/text/roomname';

describe('numbers for people', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [1400, '1.4 KB'],
    [999_600, '1 MB'],
    [48_200_000, '48.2 MB'],
    [123_456_789, '123 MB'],
    [5_000_000_000, '5 GB'],
    [-1, '0 B'],
  ])('bytes(%d)', (n, want) => expect(bytes(n)).toBe(want));

  test('speed', () => expect(speed(2_100_000)).toBe('2.1 MB/s'));

  test.each([
    [0.2, '1 s left'],
    [59, '59 s left'],
    [125, '2 min left'],
    [4200, '1 h 10 min left'],
    [Number.POSITIVE_INFINITY, ''],
    [Number.NaN, ''],
  ])('timeLeft(%d)', (s, want) => expect(timeLeft(s)).toBe(want));

  test.each([
    [7, '0:07'],
    [754, '12:34'],
    [3723, '1:02:03'],
    [-5, '0:00'],
  ])('elapsed(%d)', (s, want) => expect(elapsed(s)).toBe(want));

  test.each([
    ['Ann Lee', 'AL'],
    ['bob', 'B'],
    ['Anna Maria von Trapp', 'AT'],
    ['  ', '?'],
    ['🙂 (guest)', 'G'],
    ['李 明', '李明'],
  ])('initials(%s)', (name, want) => expect(initials(name)).toBe(want));

  test('spans and waits', () => {
    expect([60, 3600, 86_400, 604_800, 5400].map(span)).toEqual([
      '1 minute',
      '1 hour',
      '24 hours',
      '7 days',
      '2 hours',
    ]);
    expect([0, 39_100, 99_000, 130_000].map(shortly)).toEqual(['1 s', '40 s', '99 s', '3 min']);
  });

  test('when something ends', () => {
    const now = new Date(2026, 11, 1, 23, 50);
    const at = (days: number) => until(new Date(2026, 11, 1 + days, 23, 55), now);
    expect(at(0)).toMatch(/^today, /);
    expect(until(new Date(2026, 11, 2, 0, 5), now)).toMatch(/^tomorrow, /);
    expect(at(6)).toMatch(/7/);
    expect(until(new Date(Number.NaN), now)).toBe('');
  });

  test('names', () => {
    expect(names([])).toBe('');
    expect(names(['Ann'])).toBe('Ann');
    expect(names(['Ann', 'Bob'])).toBe('Ann and Bob');
    expect(names(['Ann', 'Bob', 'Cy'])).toBe('Ann, Bob and Cy');
    expect(names(['Ann', 'Bob', 'Cy', 'Di'])).toBe('Ann, Bob and 2 others');
  });

  test('hue stays the same and spreads', () => {
    expect(hue('p1')).toBe(hue('p1'));
    expect(new Set(Array.from({ length: 20 }, (_, i) => hue(`p${i}`))).size).toBeGreaterThan(15);
  });
});

describe('links', () => {
  const hrefs = (s: string) => linkify(s).flatMap((p) => (p.href ? [p.href] : []));

  test('joined, the pieces are the text again', () => {
    for (const s of ['', 'no link', 'a https://x.org b', 'https://x.org', 'https://x.org/(a) (see https://y.org/b).']) {
      expect(
        linkify(s)
          .map((p) => p.text)
          .join(''),
      ).toBe(s);
    }
  });

  test('the end of a sentence is not part of it', () => {
    expect(hrefs('See https://x.org/a, (or https://y.org/b_(c)).')).toEqual(['https://x.org/a', 'https://y.org/b_(c)']);
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', 'ftp://x.org', 'http://', 'https:/x'])('%s is no link', (s) => {
    expect(hrefs(s)).toEqual([]);
  });

  test('quotes and angle brackets end it', () => {
    expect(hrefs('<a href="https://x.org/">')).toEqual(['https://x.org/']);
  });
});

describe('room names', () => {
  test('suggestions are allowed names', () => {
    for (let i = 0; i < 200; i++) expect(suggestRoom()).toMatch(roomPattern);
    expect(suggestRoom(() => 0.9999)).toMatch(roomPattern);
    expect(roomFault(suggestRoom())).toBe('');
  });

  test('a secret name holds 64 bits of chance at least, all of them used', () => {
    expect(secretBits).toBeGreaterThanOrEqual(64);
    const names = Array.from({ length: 400 }, () => secretRoom());
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) {
      expect(name).toMatch(roomPattern);
      expect(name).toMatch(/^[a-z]{5}(-[a-z]{5}){3}$/);
    }
    // Each of the twenty letters takes all of its values: 16 consonants, 5 vowels.
    for (let i = 0; i < 23; i++) {
      const seen = new Set(names.map((n) => n[i]));
      expect(seen.size).toBe(i % 6 === 5 ? 1 : i % 6 === 1 || i % 6 === 3 ? 5 : 16);
    }
    expect(secretRoom(() => 0.9999)).toBe('zuzuz-zuzuz-zuzuz-zuzuz');
  });

  test('names that an address cannot carry are refused', () => {
    for (const name of ['.', '..']) expect(roomFault(name)).toMatch(/leads nowhere/);
    for (const name of ['', 'a b']) expect(roomFault(name)).toMatch(/Give the room a name/);
    for (const name of ['...', 'a..b', '.a']) expect(roomFault(name)).toBe('');
  });

  test.each([
    ['stand up', 'stand-up'],
    ['https://call.example.org/r/standup#token=x', 'standup'],
    ['https://call.example.org/r/stand%20up', 'stand-up'],
    ['Büro', 'Buro'],
    ['a/b?c', 'abc'],
    ['%', ''],
    ['x'.repeat(80), 'x'.repeat(64)],
  ])('cleanRoom(%s)', (typed, want) => expect(cleanRoom(typed)).toBe(want));
});
