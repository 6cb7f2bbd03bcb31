import { afterEach, describe, expect, it, vi } from 'vitest';
import { access, enter, signIn } from '../src/access';
import { Credentials } from '../src/credentials';
import { Door } from '../src/door';
import type { SessionEvent } from '../src/protocol';

const bob = { id: 'k1', identity: 'bob', name: 'Bob', guest: true, since: '2026-11-21T10:00:00Z', like: 'p1' };

describe('who waits', () => {
  it('is told once, from the list of the room and the events after it', () => {
    const log: string[] = [];
    const door = new Door({
      request: async () => ({ type: 'ok', id: 1 }),
      emit: (event, value) => log.push(`${event} ${JSON.stringify(value).includes('Bob')}`),
    });
    door.replace([bob]);
    expect(door.waiting).toEqual([{ ...bob, since: new Date(bob.since) }]);
    const knocking = { type: 'knocking', position: 'e.2', knock: bob } as SessionEvent;
    expect(door.event(knocking)).toBe(true);
    expect(log).toEqual([]); // known already
    const over = { type: 'knock_ended', position: 'e.3', knock: 'k1', reason: 'admitted' } as SessionEvent;
    door.event(over);
    door.event(over);
    door.event(knocking);
    expect(log).toEqual(['knock_ended true', 'knocking true']);
    expect(door.event({ type: 'speaking', position: 'e.4', participants: [] })).toBe(false);
    door.replace(undefined);
    expect(door.waiting).toEqual([]);
  });
});

describe('getting in', () => {
  afterEach(() => vi.unstubAllGlobals());

  const answers = (status: number, body: unknown) => {
    const asked: [string, RequestInit | undefined][] = [];
    vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
      asked.push([url, init]);
      return new Response(status === 204 ? null : JSON.stringify(body), { status });
    });
    return asked;
  };

  it('asks what holds', async () => {
    const asked = answers(200, { open: 'hosts', knock: true, sign_in: ['oidc'], oidc_name: 'Example' });
    expect(await access({ url: 'https://x/sub/' })).toMatchObject({
      open: 'hosts',
      knock: true,
      signIn: ['oidc'],
      oidcName: 'Example',
    });
    expect(asked[0]?.[0]).toBe('https://x/sub/v1/access');
  });

  it('exchanges an invitation', async () => {
    const asked = answers(200, {
      token: 't',
      token_ttl: 3600,
      can: ['publish'],
      knock: true,
      guest: true,
      identity: 'g',
    });
    expect(await enter({ url: 'https://x', room: 'a', invite: 'i' })).toMatchObject({
      token: 't',
      knock: true,
      guest: true,
      host: false,
    });
    expect(asked[0]?.[1]?.body).toBe('{"invite":"i"}');
    await expect(enter({ url: 'https://x', room: '..' })).rejects.toMatchObject({ code: 'bad_room' });
  });

  it('says why not, and when again', async () => {
    answers(429, { error: { code: 'too_many_tries', message: 'wait', retry_ms: 4000 } });
    await expect(signIn({ url: 'https://x', passphrase: 'p' })).rejects.toMatchObject({
      code: 'too_many_tries',
      retryMs: 4000,
      retry: true,
    });
    answers(502, 'not ours');
    await expect(enter({ url: 'https://x', room: 'a' })).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a token that has ended', () => {
  it('is replaced by a new one of the page, which the next join uses', async () => {
    let made = 0;
    const c = new Credentials('link', async () => `made ${++made}`);
    expect(await c.token()).toBe('link');
    c.take({ token: 'renewed' });
    expect(await c.token()).toBe('renewed');
    expect(c.refused('unauthorized')).toBe(true);
    expect(await c.token()).toBe('made 1');
    c.accepted();
    expect(await c.token()).toBe('made 1');
    expect([c.refused('unauthorized'), c.refused('unauthorized'), c.refused('unauthorized')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
