import type { Message } from 'parley-sdk';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { barsFor } from '../src/call/quality';
import { describe as inWords } from '../src/call/tile';
import { endingWords } from '../src/pages/over';
import { presenceLine } from '../src/pages/roompresence';
import { type Card, cardText, piles, pileText } from '../src/state/cards';
import { continues, spoken, unreadAfter } from '../src/state/chat';
import { changes, inOrder, type Person, person, silences } from '../src/state/people';
import {
  forgetTokens,
  inFragment,
  invitationTo,
  keepInvitation,
  localPath,
  parsePath,
  readToken,
  renewToken,
  token,
  tokenFor,
} from '../src/state/route';
import { defaults, parseSettings, visited } from '../src/state/settings';
import { awayLine } from '../src/text/format';

const at = (s: number) => new Date(Date.UTC(2026, 0, 1, 10, 0, s));
const message = (id: string, from: string, s = 0, to?: string): Message => ({
  id,
  from,
  name: from.toUpperCase(),
  text: `text ${id}`,
  at: at(s),
  ...(to ? { to } : {}),
});

describe('tokens', () => {
  const made = (claims: object) => `x.${btoa(JSON.stringify(claims))}.y`;
  const soon = Math.round(Date.now() / 1000) + 600;
  afterEach(() => {
    vi.unstubAllGlobals();
    forgetTokens();
  });

  test('a room is joined by the one that its server renewed, while it lasts', () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('sessionStorage', {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
    });
    const link = made({ room: '*' });
    token.value = link;
    expect(tokenFor('r')).toBe(link);
    renewToken(link); // no news
    expect(kept.size).toBe(0);
    const renewed = made({ room: 'r', exp: soon });
    renewToken(renewed);
    expect(tokenFor('r')).toBe(renewed);
    expect(tokenFor('other')).toBe(link);
    renewToken(made({ room: 'r', exp: soon - 1200 }));
    expect(tokenFor('r')).toBe(link);
  });

  test('storage that is off is no error: memory serves', () => {
    const renewed = made({ room: 'r', exp: soon });
    renewToken(renewed);
    expect(tokenFor('r')).toBe(renewed);
    forgetTokens();
    expect(tokenFor('r')).toBeUndefined();
  });

  test('an invitation is for one room, and gone with the tokens', () => {
    keepInvitation('r', 'AQ');
    expect([invitationTo('r'), invitationTo('other')]).toEqual(['AQ', undefined]);
    keepInvitation('r', '');
    expect(invitationTo('r')).toBeUndefined();
    keepInvitation('r', 'AQ');
    forgetTokens();
    expect(invitationTo('r')).toBeUndefined();
  });
});

describe('route', () => {
  test.each([
    ['/', { page: 'first' }],
    ['/sign-in', { page: 'sign-in' }],
    ['/r/standup', { page: 'room', room: 'standup' }],
    ['/r/standup/', { page: 'room', room: 'standup' }],
    ['/r/stand%2Fup', { page: 'unknown' }],
    ['/r/%zz', { page: 'unknown' }],
    [`/r/${'x'.repeat(65)}`, { page: 'unknown' }],
    ['/r/', { page: 'unknown' }],
    ['/r/.', { page: 'unknown' }],
    ['/r/%2E%2E', { page: 'unknown' }],
    ['/r/...', { page: 'room', room: '...' }],
    ['/r/a..b', { page: 'room', room: 'a..b' }],
    ['/other', { page: 'unknown' }],
  ])('%s', (path, want) => expect(parsePath(path)).toEqual(want));

  test('the token is in the fragment only', () => {
    expect(inFragment('#token=abc.def.ghi', 'token')).toBe('abc.def.ghi');
    expect(inFragment('#a=b&invite=x', 'invite')).toBe('x');
    expect(inFragment('#token=', 'token')).toBeUndefined();
    expect(inFragment('', 'key')).toBeUndefined();
  });

  test.each([
    ['/r/standup', '/r/standup'],
    ['/', '/'],
    [null, '/'],
    ['', '/'],
    ['//evil.example', '/'],
    ['https://evil.example/r/x', '/'],
    ['/\\\\evil.example', '/'],
    ['/r/..', '/'],
    ['/sign-in', '/'],
    ['javascript:alert(1)', '/'],
  ])('after signing in, %s leads to %s', (wanted, leads) => expect(localPath(wanted)).toBe(leads));

  test('claims are read, damage is not an error', () => {
    const body = Buffer.from(JSON.stringify({ room: 'standup', name: 'Zoë', exp: 12, can: ['publish'] })).toString(
      'base64url',
    );
    expect(readToken(`x.${body}.y`)).toEqual({ room: 'standup', name: 'Zoë', expires: 12 });
    for (const bad of [undefined, '', 'a.b', 'a.!!.c', `x.${Buffer.from('5').toString('base64url')}.y`])
      expect(readToken(bad)).toEqual({});
  });
});

describe('settings', () => {
  test('damaged or foreign text gives the defaults', () => {
    for (const text of [null, '', '{', '[]', '5', 'null', '{"name":5,"recent":"x","cameraOn":"no"}']) {
      expect(parseSettings(text)).toEqual(defaults);
    }
  });

  test('what is known is kept', () => {
    expect(parseSettings('{"name":"Ann","recent":["a",5,"b"],"cameraOn":false,"extra":1}')).toEqual({
      ...defaults,
      name: 'Ann',
      recent: ['a', 'b'],
      cameraOn: false,
    });
  });

  test('recent rooms: newest first, once each, six at most', () => {
    expect(visited(['b', 'a'], 'a')).toEqual(['a', 'b']);
    expect(visited(['1', '2', '3', '4', '5', '6'], '7')).toEqual(['7', '1', '2', '3', '4', '5']);
  });
});

describe('people', () => {
  const p = (id: string, s = 0, me = 'x'): Person =>
    person(
      {
        id,
        identity: `${id}@x`,
        name: id.toUpperCase(),
        joinedAt: at(s),
        sources: [
          { kind: 'microphone', muted: true },
          { kind: 'camera', muted: false },
        ],
      },
      me,
    );

  test('sources become states', () => {
    expect(p('a', 0, 'a')).toMatchObject({ me: true, name: 'A', microphone: 'muted', camera: 'live', screen: 'none' });
  });

  test('somebody without a name has their identity, or is a guest', () => {
    const bare = { id: 'a', name: ' ', joinedAt: at(0), sources: [] };
    expect(person({ ...bare, identity: 'a@x' }, '').name).toBe('a@x');
    expect(person({ ...bare, identity: '' }, '').name).toBe('Guest');
  });

  test('the order is that of joining, and firm', () => {
    expect(inOrder([p('c', 5), p('b', 1), p('a', 1)]).map((q) => q.id)).toEqual(['a', 'b', 'c']);
  });

  test('changes leave oneself out', () => {
    expect(changes([p('a'), p('b')], [p('b'), p('c'), p('x', 0, 'x')])).toEqual({ came: ['C'], went: ['A'] });
  });

  const silent = (at: Date | undefined, before?: Person, page = 1000) =>
    person({ id: 'a', identity: '', name: 'A', joinedAt: at0, sources: [], awaySince: at }, 'x', before, {
      page,
      wall: at0.getTime() + 10_000,
    });
  const at0 = at(0);

  test('since when somebody is silent: as seen first, whatever the clocks of others say', () => {
    expect(silent(undefined).awaySince).toBeUndefined();
    const first = silent(new Date(at0.getTime() + 5000));
    expect(first.awaySince).toBe(1000 - 5000);
    expect(silent(new Date(at0.getTime() + 6000), first, 9000).awaySince).toBe(-4000);
    for (const odd of [new Date(at0.getTime() + 60_000), new Date(0), new Date(Number.NaN)])
      expect(silent(odd).awaySince).toBe(1000);
  });

  test('silences and returns are told once, of those who stayed', () => {
    const here = silent(undefined);
    const away = silent(at0);
    expect(silences([here], [away])).toEqual({ lost: ['A'], back: [] });
    expect(silences([away], [away])).toEqual({ lost: [], back: [] });
    expect(silences([away], [here])).toEqual({ lost: [], back: ['A'] });
    expect(silences([], [away])).toEqual({ lost: [], back: [] });
  });

  test('a tile in words', () => {
    expect(inWords(p('a'), false, true)).toBe('A, speaking, microphone off');
    expect(inWords(p('a'), true, false)).toBe('A’s screen');
    expect(inWords({ ...p('a'), awaySince: 1 }, false, false)).toBe('A, not reachable, microphone off');
  });
});

describe('chat', () => {
  const all = [message('1', 'a'), message('2', 'me'), message('3', 'b'), message('4', 'a')];

  test('unread: what others said after the last that was seen', () => {
    expect(unreadAfter(all, '2', 'me')).toBe(2);
    expect(unreadAfter(all, '4', 'me')).toBe(0);
    expect(unreadAfter(all, 'evicted', 'me')).toBe(3);
  });

  test('messages of one person go together for five minutes', () => {
    expect(continues(undefined, message('1', 'a'))).toBe(false);
    expect(continues(message('1', 'a', 0), message('2', 'a', 20))).toBe(true);
    expect(continues(message('1', 'a', 0), message('2', 'a', 301))).toBe(false);
    expect(continues(message('1', 'a'), message('2', 'b'))).toBe(false);
    expect(continues(message('1', 'a'), message('2', 'a', 1, 'me'))).toBe(false);
  });

  test('read out, a long one is cut', () => {
    expect(spoken(message('1', 'a', 0, 'me'))).toBe('A, privately: text 1');
    expect(spoken({ ...message('1', 'a'), text: 'x'.repeat(500) }).length).toBeLessThan(140);
  });
});

describe('file cards', () => {
  const card = (over: Partial<Card>): Card => ({
    id: 'f',
    name: 'a.txt',
    size: 2_000_000,
    incoming: true,
    who: 'Ann',
    peer: 'p',
    state: 'offered',
    bytes: 0,
    speed: 0,
    code: '',
    savable: false,
    ours: false,
    batch: undefined,
    ...over,
  });

  test('an offer names sender and size', () => {
    expect(cardText(card({})).line).toBe('Ann wants to send you this, 2 MB');
  });

  test('cancelled: says by whom', () => {
    expect(cardText(card({ state: 'cancelled', ours: true })).line).toBe('Cancelled, 2 MB from Ann');
    expect(cardText(card({ state: 'cancelled' })).line).toBe('Ann cancelled it or left, 2 MB');
  });

  test('moving: progress, speed, time left', () => {
    const t = cardText(card({ state: 'active', bytes: 500_000, speed: 500_000 }));
    expect(t).toMatchObject({ line: '500 KB of 2 MB from Ann', progress: 0.25, figures: '500 KB/s, 3 s left' });
    expect(cardText(card({ state: 'active' })).figures).toBe('');
  });

  test('ends', () => {
    expect(cardText(card({ state: 'done', incoming: false }))).toMatchObject({
      line: 'Delivered to Ann, 2 MB',
      tone: 'done',
    });
    expect(cardText(card({ state: 'failed', code: 'disk_full' }))).toMatchObject({
      tone: 'failed',
      progress: undefined,
    });
    expect(cardText(card({ state: 'rejected', incoming: false })).line).toBe('Ann declined');
  });

  test('its turn comes later', () => {
    expect(cardText(card({ state: 'queued' })).line).toBe('2 MB from Ann: waiting its turn');
  });

  test('a busy receiver did not decline', () => {
    const text = cardText(card({ state: 'rejected', incoming: false, code: 'peer_busy' }));
    expect(text).toMatchObject({ line: expect.stringMatching(/Try again later/), tone: 'failed' });
  });

  test('an empty file is whole from the start', () => {
    expect(cardText(card({ state: 'active', size: 0 })).progress).toBe(1);
  });
});

describe('piles', () => {
  const one = (n: number, over: Partial<Card> = {}): Card => ({
    id: `f${n}`,
    name: `IMG_${n}.jpg`,
    size: 1_000_000,
    incoming: true,
    who: 'Ann',
    peer: 'p',
    state: 'offered',
    bytes: 0,
    speed: 0,
    code: '',
    savable: false,
    ours: false,
    batch: { id: 'b', count: 4, size: 4_000_000 },
    ...over,
  });
  const text = (...cards: Card[]) => {
    const all = piles(cards);
    expect(all).toHaveLength(1);
    return pileText(all[0] as (typeof all)[0]);
  };

  test('what was sent together is one, others stay alone', () => {
    const cards = [one(1), one(2, { batch: undefined }), one(3), one(4, { peer: 'q' })];
    expect(piles(cards).map((p) => p.cards.map((c) => c.id))).toEqual([['f1', 'f3'], ['f2'], ['f4']]);
  });

  test('the first offer names all of it', () => {
    expect(text(one(1))).toMatchObject({ title: '4 files', line: 'Ann wants to send you these, 4 MB' });
  });

  test('how far it is, in all', () => {
    const moving = text(
      one(1, { state: 'done', bytes: 1_000_000 }),
      one(2, { state: 'active', bytes: 500_000, speed: 500_000 }),
    );
    expect(moving).toMatchObject({ line: '1 of 4 received from Ann', progress: 0.375, figures: '500 KB/s, 1 s left' });
    expect(text(one(1, { state: 'done' })).line).toBe('1 of 4 received from Ann');
  });

  test('the end names what did not come', () => {
    const all = [1, 2, 3, 4].map((n) => one(n, { state: 'done' }));
    expect(text(...all)).toMatchObject({ line: 'Received from Ann, 4 MB', tone: 'done' });
    all[1] = one(2, { state: 'failed', code: 'peer_unreachable' });
    expect(text(...all)).toMatchObject({ line: '3 of 4 received. Not received: IMG_2.jpg', tone: 'failed' });
  });

  test('one file to many names the people, many to one the files, many to many both', () => {
    const out = (n: number, over: Partial<Card>) => one(n, { incoming: false, state: 'done', ...over });
    const minutes = (n: number, who: string, over: Partial<Card> = {}) =>
      out(n, { name: 'm.pdf', peer: who, who, ...over });
    expect(text(minutes(1, 'Ann'), minutes(2, 'Bob', { state: 'rejected' }))).toMatchObject({
      title: 'm.pdf',
      line: '1 of 2 delivered. Not to: Bob',
    });
    expect(text(minutes(1, 'Ann', { state: 'offered' }), minutes(2, 'Bob')).line).toBe(
      '1 of 2 delivered to Ann and Bob, 1 waits for a yes',
    );
    expect(text(out(1, {}), out(2, { state: 'failed', code: 'file_gone' })).line).toBe(
      '1 of 2 delivered. Not sent: IMG_2.jpg',
    );
    const many = [
      out(1, {}),
      out(1, { peer: 'q', who: 'Bob' }),
      out(2, {}),
      out(2, { peer: 'q', who: 'Bob', state: 'cancelled' }),
    ];
    expect(text(...many)).toMatchObject({ title: '2 files', line: '3 of 4 delivered. Not sent: IMG_2.jpg (Bob)' });
  });
});

describe('words', () => {
  test('presence', () => {
    const [ann, bob] = [{ name: 'Ann' }, { name: 'Bob' }];
    expect(presenceLine([], false)).toBe('Nobody is in it now.');
    expect(presenceLine([ann], false)).toBe('Ann is in it now.');
    expect(presenceLine([ann, bob], true)).toBe('Ann and Bob were in it a moment ago.');
    const carl = { name: 'Carl', away: true };
    expect(presenceLine([ann, carl, bob], false)).toBe('Ann and Bob are in it now. Carl is not reachable.');
    expect(presenceLine([carl], false)).toBe('Carl is not reachable.');
    expect(presenceLine([carl], true)).toBe('Carl was in it a moment ago.');
  });

  test('how long somebody has been silent', () => {
    const now = new Date(2026, 10, 30, 14, 3, 30);
    expect(awayLine(12.4, now)).toBe('Not reachable for 12 s');
    expect(awayLine(90, now)).toMatch(/^Not reachable since \D*0?(14|2)\D02/);
  });

  test('endings', () => {
    expect(endingWords({ code: 'left', message: '', joined: true }).title).toBe('You left the room');
    expect(endingWords({ code: 'removed', message: '', joined: true }).retry).toBe(false);
  });

  test('bars', () => {
    expect([undefined, 1, 2, 3, 4, 5].map(barsFor)).toEqual([0, 1, 1, 2, 3, 3]);
  });
});
