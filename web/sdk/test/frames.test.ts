import { describe, expect, it } from 'vitest';
import { DataPort } from '../src/data';
import { decodeFrame, encodeFrame } from '../src/frames';

const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
const buffer = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (b) => Number.parseInt(b, 16)).buffer;

describe('data frames', () => {
  it('encodes addressees, topic and payload', () => {
    expect(hex(encodeFrame([], 't', new Uint8Array([1, 2])))).toBe('0001740102');
    expect(hex(encodeFrame(['ab', 'c'], '', new Uint8Array()))).toBe('020261620163' + '00');
    expect(hex(encodeFrame([], 'ü', new Uint8Array([255])))).toBe('0002c3bcff');
  });

  it('refuses names that do not fit', () => {
    expect(() => encodeFrame([], 'x'.repeat(256), new Uint8Array())).toThrow(RangeError);
    expect(() => encodeFrame(['ü'.repeat(128)], '', new Uint8Array())).toThrow(RangeError);
    expect(() => encodeFrame(Array(256).fill('a'), '', new Uint8Array())).toThrow(RangeError);
  });

  it('decodes sender, topic and payload', () => {
    expect(decodeFrame(buffer('0161017462'))).toEqual({ from: 'a', topic: 't', payload: new Uint8Array([0x62]) });
    expect(decodeFrame(buffer('016100'))).toEqual({ from: 'a', topic: '', payload: new Uint8Array() });
  });

  it('refuses what is cut short or not UTF-8', () => {
    for (const bad of ['', '02', '0261', '0161', '016105', '01610274', '01ff00'])
      expect(decodeFrame(buffer(bad))).toBeUndefined();
  });
});

describe('DataPort', () => {
  const channel = () => ({
    readyState: 'open',
    bufferedAmount: 0,
    sent: [] as Uint8Array[],
    send(b: Uint8Array) {
      this.sent.push(b);
    },
  });
  const port = (reliable: unknown, unreliable: unknown) =>
    new DataPort(
      () => ({ reliable, unreliable }) as never,
      () => 16,
    );

  it('sends on the channel asked for', () => {
    const [r, u] = [channel(), channel()];
    const p = port(r, u);
    expect(p.send('t', 'x')).toBe(true);
    expect(p.send('t', 'y', { reliable: false, to: ['a'] })).toBe(true);
    expect(r.sent.map(hex)).toEqual(['00017478']);
    expect(u.sent.map(hex)).toEqual(['010161017479']);
  });

  it('takes no more while too much waits or nothing is open', () => {
    const r = channel();
    r.bufferedAmount = 2 << 20;
    expect(port(r, channel()).send('t', 'x')).toBe(false);
    r.bufferedAmount = 0;
    r.readyState = 'connecting';
    expect(port(r, channel()).send('t', 'x')).toBe(false);
    expect(
      new DataPort(
        () => undefined,
        () => 16,
      ).send('t', 'x'),
    ).toBe(false);
    expect(r.sent).toEqual([]);
  });

  it('refuses what is too big, and sends an empty list to nobody', () => {
    const r = channel();
    expect(() => port(r, r).send('t', 'x'.repeat(14))).toThrow(RangeError);
    expect(port(r, r).send('t', 'x', { to: [] })).toBe(true);
    expect(r.sent).toEqual([]);
  });
});
