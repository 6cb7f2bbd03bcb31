import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, closeError, ParleyError, SERVER_ERRORS } from '../src/errors';

const testdata = new URL('../../../signaling/testdata/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, testdata), 'utf8'));

describe('tables that mirror the server', () => {
  it('has the same close codes', () => {
    const codes = read('closecodes.json') as { code: number; name: string; retry: boolean }[];
    const ours = Object.entries(CLOSE_CODES).map(([code, name]) => ({ code: Number(code), name }));
    expect(ours).toEqual(codes.filter((c) => c.code >= 4000).map(({ code, name }) => ({ code, name })));
    for (const { code, retry } of codes) if (code >= 4000) expect(closeError(code) === undefined).toBe(retry);
  });

  it('has the same error codes', () => {
    const codes = read('errors.json') as { code: string }[];
    expect([...SERVER_ERRORS]).toEqual(codes.map((c) => c.code));
  });

  it('knows every message the server sends', () => {
    const types = new Set(readdirSync(new URL('server/', testdata)).map((name) => read(`server/${name}`).type));
    const known = [
      'welcome',
      'resumed',
      'negotiated',
      'ok',
      'pong',
      'stats',
      'error',
      'credentials',
      'waiting',
      'admitted',
      'invited',
      'invitations',
      'bans',
    ];
    const events = [
      'joined',
      'left',
      'published',
      'unpublished',
      'updated',
      'speaking',
      'room',
      'message',
      'signal',
      'slots',
      'muted',
      'video',
      'layers',
      'quality',
      'knocking',
      'knock_ended',
      'permissions',
    ];
    expect([...known, ...events]).toEqual(expect.arrayContaining([...types]));
  });

  it('has a sentence for every close code', () => {
    for (const name of Object.values(CLOSE_CODES)) expect(new ParleyError(name).message).toMatch(/^[A-Z].*\.$/);
  });
});
