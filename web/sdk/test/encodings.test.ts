import { describe, expect, it } from 'vitest';
import { Encodings, keeps, NO_WISHES, shape, type Wishes } from '../src/encodings';

const three: RTCRtpEncodingParameters[] = ['q', 'h', 'f'].map((rid) => ({ rid, active: true }));
const active = (list: { rid?: string; active?: boolean }[]) =>
  list
    .filter((e) => e.active)
    .map((e) => e.rid)
    .join('');

describe('shape', () => {
  it('sends what somebody watches', () => {
    expect(active(shape(three, NO_WISHES))).toBe('qhf');
    expect(active(shape(three, { ...NO_WISHES, wanted: ['q', 'f'] }))).toBe('qf');
    expect(active(shape(three, { ...NO_WISHES, wanted: [] }))).toBe('');
  });

  it('knows one layer without a rid: watched or not', () => {
    expect(shape([{ active: true }], { ...NO_WISHES, wanted: [] })).toEqual([{ active: false }]);
    expect(shape([{ active: false }], { ...NO_WISHES, wanted: [''] })).toEqual([{ active: true }]);
  });

  it('sheds the largest size first, then frames', () => {
    expect(active(shape(three, { ...NO_WISHES, strain: 1 }))).toBe('qh');
    expect(shape(three, { ...NO_WISHES, strain: 1 })[0]).not.toHaveProperty('maxFramerate');
    expect(shape(three, { ...NO_WISHES, strain: 2 }).map((e) => [e.active, e.maxFramerate])).toEqual([
      [true, 15],
      [true, 15],
      [false, 15],
    ]);
    expect(shape([{ active: true }], { ...NO_WISHES, strain: 1 })).toEqual([{ active: true, maxFramerate: 20 }]);
  });

  it('sends a smaller picture rather than none', () => {
    expect(active(shape(three, { ...NO_WISHES, wanted: ['f'], strain: 1 }))).toBe('h');
    expect(active(shape(three, { ...NO_WISHES, wanted: ['q'], strain: 2 }))).toBe('q');
    expect(active(shape(three, { ...NO_WISHES, wanted: [], strain: 2 }))).toBe('');
  });

  it('codes a layer with what all who watch it can take, within reason', () => {
    const planned = new Map([
      ['q', 150_000],
      ['h', 500_000],
      ['f', 0],
    ]);
    const rates = (most: Record<string, number> | undefined) =>
      shape(three, { ...NO_WISHES, most }, planned).map((e) => e.maxBitrate);
    expect(rates(undefined)).toEqual([150_000, 500_000, undefined]);
    expect(rates({ h: 270_000.4, f: 1 })).toEqual([150_000, 270_000, undefined]);
    expect(rates({ h: 1, q: 1e9 })).toEqual([150_000, 175_000, undefined]);
  });

  for (const [size, want] of [
    [undefined, ['q 4 150', 'h 2 500', 'f 1 1700']],
    [{ width: 800, height: 448 }, ['q 2 219', 'h 1 740']],
    [{ width: 640, height: 480 }, ['q 2 191', 'h 1 647']],
    [{ width: 640, height: 360 }, ['q 2 148', 'h 1 502']],
    [{ width: 360, height: 640 }, ['q 2 148', 'h 1 502']], // turned
    [{ width: 320, height: 240 }, ['q 1 191']],
  ] as const) {
    it(`sends the whole of a picture of ${size ? `${size.width} by ${size.height}` : 'ample size'}`, () => {
      const planned = new Map([
        ['q', 150_000],
        ['h', 500_000],
        ['f', 1_700_000],
      ]);
      const said = (e: RTCRtpEncodingParameters) =>
        `${e.rid} ${e.scaleResolutionDownBy} ${Math.round((e.maxBitrate ?? 0) / 1000)}`;
      const sent = (wishes: Partial<Wishes>) =>
        shape(three, { ...NO_WISHES, small: size, ...wishes }, planned)
          .filter((e) => e.active)
          .map(said);
      expect(sent({})).toEqual(want);
      expect(sent({ wanted: ['q', 'h', 'f'] })).toEqual(want);
      expect(sent({ wanted: ['f'] })).toEqual(want.slice(-1)); // said before the server knew
    });
  }

  it('leaves a single encoding as it is, however small the picture', () => {
    expect(shape([{ active: true, maxBitrate: 5 }], { ...NO_WISHES, small: { width: 160, height: 90 } })).toEqual([
      { active: true, maxBitrate: 5 },
    ]);
  });

  it('takes a limit of frames away again', () => {
    const [first] = shape([{ rid: 'q', active: true, maxFramerate: 15 }], NO_WISHES);
    expect(first).toEqual({ rid: 'q', active: true });
  });
});

describe('keeps', () => {
  it('gives up what the content can do without', () => {
    expect(['motion', 'detail', 'text', ''].map(keeps)).toEqual(['framerate', 'resolution', 'resolution', undefined]);
  });
});

/** A sender that remembers, and refuses what it is told to. */
function fakeSender(refuses = false, negotiated = three) {
  const calls: Record<string, unknown>[] = [];
  let parameters: Record<string, unknown> = { transactionId: 't', encodings: structuredClone(negotiated) };
  const sender = {
    getParameters: () => structuredClone(parameters),
    setParameters: async (p: Record<string, unknown>) => {
      if (refuses && p.degradationPreference) throw new TypeError('unknown');
      calls.push(p);
      parameters = p;
    },
  };
  return { calls, sender: sender as unknown as RTCRtpSender };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('Encodings', () => {
  it('leaves the sender alone until there is a wish, and does not repeat itself', async () => {
    const { calls, sender } = fakeSender();
    const encodings = new Encodings(() => sender);
    encodings.apply();
    encodings.wish({ wanted: undefined });
    await settled();
    expect(calls).toEqual([]);
    encodings.wish({ wanted: ['q'] });
    encodings.wish({ wanted: ['q'] });
    encodings.wish({ strain: 1 });
    await settled();
    expect(calls).toHaveLength(2);
    expect(active(calls[1]!.encodings as typeof three)).toBe('q');
  });

  it('knows the planned rate after it was changed', async () => {
    const { calls, sender } = fakeSender(false, [{ rid: 'q', active: true, maxBitrate: 500_000 }]);
    const encodings = new Encodings(() => sender);
    encodings.wish({ most: { q: 300_000 } });
    await settled();
    encodings.wish({ most: undefined });
    await settled();
    const rate = (i: number) => (calls[i]!.encodings as typeof three)[0]!.maxBitrate;
    expect([rate(0), rate(1)]).toEqual([300_000, 500_000]);
  });

  it('tells a new connection what the old one knew', async () => {
    const first = fakeSender();
    const second = fakeSender();
    let sender = first.sender;
    const encodings = new Encodings(() => sender);
    encodings.wish({ keep: 'resolution' });
    await settled();
    sender = second.sender;
    encodings.apply();
    await settled();
    expect(second.calls[0]).toMatchObject({ degradationPreference: 'maintain-resolution' });
  });

  it('does without a preference that the browser refuses', async () => {
    const { calls, sender } = fakeSender(true);
    const encodings = new Encodings(() => sender);
    encodings.wish({ keep: 'framerate', wanted: ['h'] });
    await settled();
    expect(calls).toHaveLength(1);
    expect(calls[0]).not.toHaveProperty('degradationPreference');
    expect(active(calls[0]!.encodings as typeof three)).toBe('h');
  });
});
