import { describe, expect, it } from 'vitest';
import { APP, cleanName, parseChannel, parseSignal } from '../src/files/wire';
import type { Json } from '../src/protocol';

const signal = (fields: { [key: string]: Json }) => parseSignal({ app: APP, transfer: '12345678', ...fields });

describe('file signals', () => {
  it('reads each kind', () => {
    expect(signal({ type: 'offer', name: 'a.txt', size: 3, mime: 'text/plain' })).toEqual({
      transfer: '12345678',
      signal: { type: 'offer', name: 'a.txt', size: 3, mime: 'text/plain' },
    });
    expect(signal({ type: 'accept' })?.signal).toEqual({ type: 'accept' });
    expect(signal({ type: 'sdp', kind: 'offer', sdp: 'v=0' })?.signal).toEqual({
      type: 'sdp',
      kind: 'offer',
      sdp: 'v=0',
    });
    expect(signal({ type: 'ice', candidates: Array(1000).fill({}) })?.signal).toMatchObject({
      candidates: { length: 64 },
    });
  });

  it('ignores what is malformed or somebody else’s', () => {
    for (const bad of [
      null,
      1,
      'x',
      [],
      {},
      { app: 'other', transfer: '12345678', type: 'accept' },
      { app: APP, transfer: '../x', type: 'accept' },
    ] as Json[]) {
      expect(parseSignal(bad)).toBeUndefined();
    }
    expect(signal({ type: 'offer', name: 'a', size: -1 })).toBeUndefined();
    expect(signal({ type: 'offer', name: 'a', size: 1.5 })).toBeUndefined();
    expect(signal({ type: 'offer', size: 1 })).toBeUndefined();
    expect(signal({ type: 'sdp', kind: 'pranswer', sdp: '' })).toBeUndefined();
    expect(signal({ type: 'explode' })).toBeUndefined();
  });

  it('makes names harmless', () => {
    expect(cleanName('../../etc/passwd')).toBe('passwd');
    expect(cleanName('C:\\x\\y.exe')).toBe('y.exe');
    expect(cleanName('a\u0000b\u202etxt.exe')).toBe('abtxt.exe');
    expect(cleanName('..hidden')).toBe('hidden');
    expect(cleanName(' \n ')).toBe('file');
    expect(cleanName('x'.repeat(500))).toHaveLength(200);
    expect(cleanName('Überblick (1).pdf')).toBe('Überblick (1).pdf');
    expect(signal({ type: 'offer', name: 'a', size: 1, mime: 'text/html; x' })?.signal).toMatchObject({
      mime: 'application/octet-stream',
    });
  });
});

describe('texts of the file channel', () => {
  it('reads each kind and ignores the rest', () => {
    expect(parseChannel('{"type":"done","sha256":"ab"}')).toEqual({ type: 'done', sha256: 'ab' });
    expect(parseChannel('{"type":"ack","bytes":7}')).toEqual({ type: 'ack', bytes: 7 });
    expect(parseChannel('{"type":"verified"}')).toEqual({ type: 'verified' });
    expect(parseChannel('{"type":"failed","code":5}')).toEqual({ type: 'failed', code: '5' });
    for (const bad of ['', 'null', '[]', '{"type":"done"}', '{"type":"ack","bytes":"7"}', '{"type":"x"}'])
      expect(parseChannel(bad)).toBeUndefined();
  });
});
