import { describe, expect, it } from 'vitest';
import { Credentials } from '../src/credentials';

describe('credentials', () => {
  it('keep the newest of what the server hands out', () => {
    const c = new Credentials('link');
    expect(c.newest).toBe('link');
    expect(c.take({ token: 't1', ice_servers: [{ urls: 'turn:x', username: '1' }] })).toBe(true);
    expect(c.take({})).toBe(false); // a message without any changes nothing
    expect(c.take({ token: 't1', ice_servers: null })).toBe(false);
    expect([c.newest, c.iceServers[0]?.username]).toEqual(['t1', '1']);
    expect(c.take({ ice_servers: [{ urls: 'turn:x', username: '2' }] })).toBe(false);
    expect([c.newest, c.iceServers[0]?.username]).toEqual(['t1', '2']);
  });

  it('join again by the token that the server renewed, and by the link where that is refused', async () => {
    const c = new Credentials('link');
    expect(await c.token()).toBe('link');
    c.accepted();
    c.take({ token: 't1' });
    expect(await c.token()).toBe('t1');
    expect(c.refused('unauthorized')).toBe(true);
    expect(await c.token()).toBe('link');
    expect(c.refused('unauthorized')).toBe(false);
  });

  it('join by the newer token where the session ended with the one it was joined by', async () => {
    const c = new Credentials('link');
    await c.token();
    c.accepted();
    c.take({ token: 't1' });
    expect(c.refused('unauthorized')).toBe(true);
    expect(await c.token()).toBe('t1');
  });

  it('have no other where there is one alone, or none', async () => {
    for (const given of ['link', undefined]) {
      const c = new Credentials(given);
      await c.token();
      expect(c.refused('unauthorized')).toBe(false);
    }
  });

  it('ask a page that makes tokens each time, and use their own while it cannot', async () => {
    let n = 0;
    let away = false;
    const c = new Credentials(() => {
      if (away) throw new Error('away');
      return `page ${++n}`;
    });
    expect([await c.token(), await c.token()]).toEqual(['page 1', 'page 2']);
    c.accepted();
    expect(c.newest).toBe('page 2');
    away = true;
    await expect(c.token()).rejects.toThrow('away');
    c.take({ token: 't1' });
    expect(await c.token()).toBe('t1');
    away = false;
    expect(await c.token()).toBe('page 3');
  });

  it('give up after some refusals in a row', async () => {
    let n = 0;
    const c = new Credentials(() => `page ${++n}`);
    const tries = [];
    for (let i = 0; i < 3; i++) {
      await c.token();
      tries.push(c.refused('unauthorized'));
    }
    expect(tries).toEqual([true, true, false]);
  });
});
