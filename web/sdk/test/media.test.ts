import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ParleyError } from '../src/errors';
import { Media, type MediaState } from '../src/media';
import type { Request } from '../src/pending';

/** As much of a connection as Media needs; the test says how it does. */
class FakeConnection {
  static all: FakeConnection[] = [];
  connectionState = 'new';
  iceConnectionState = 'new';
  onconnectionstatechange: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  bytes = 0;
  answers: string[] = [];
  restarts = 0;
  signalingState = 'stable';
  sending: unknown[] = []; // what its senders report
  remoteDescription: { sdp: string } | undefined;
  readonly #transceivers: unknown[] = [];

  constructor() {
    FakeConnection.all.push(this);
  }
  addTransceiver(kind: string) {
    const mid = String(this.#transceivers.length);
    const sender = { track: undefined as unknown, getStats: async () => new Map(this.sending.map((s, i) => [i, s])) };
    if (mid === '1') sender.track = {};
    const transceiver = { mid, sender, receiver: { track: { kind } } };
    this.#transceivers.push(transceiver);
    return transceiver;
  }
  getTransceivers() {
    return this.#transceivers;
  }
  createDataChannel() {
    return {};
  }
  async createOffer({ iceRestart }: { iceRestart?: boolean } = {}) {
    if (iceRestart) this.restarts++;
    return { type: 'offer', sdp: 'offer' };
  }
  async setLocalDescription() {}
  async setRemoteDescription({ sdp }: { sdp: string }) {
    this.answers.push(sdp);
    this.remoteDescription = { sdp };
  }
  async getStats() {
    return new Map([['P', { type: 'candidate-pair', bytesReceived: this.bytes }]]);
  }
  close() {
    this.become('closed');
  }
  become(state: string) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const VP8 = { codec: 'VP8' as const, camera: [], screen: [] };
const answer = 'v=0\r\nm=video 9 X 96 98\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:98 VP9/90000\r\n';

function setUp({ expects = false, codec = 'VP8' as 'VP8' | 'VP9', camera = [] as string[] } = {}) {
  const states: MediaState[] = [];
  const faults: string[] = [];
  const requests: Request[] = [];
  let fail: ParleyError | undefined;
  const media = new Media(
    {
      request: async (message) => {
        requests.push(message);
        if (fail) throw fail;
        return { type: 'negotiated', id: 1, media: { sdp: answer } };
      },
      data: () => {},
      writable: () => {},
      state: (state) => states.push(state),
      expects: () => expects,
      changed: () => {},
      fault: (error) => faults.push(error.code),
      silent: () => requests.push({ type: 'silent' }),
      renewed: () => {},
      lost: () => requests.push({ type: 'lost' }),
    },
    { ...VP8, codec, camera: camera.map((rid) => ({ rid })) },
  );
  const connection = () => FakeConnection.all.at(-1)!;
  const join = async () => {
    media.begin();
    await media.offer();
    await media.accept(answer);
    connection().become('connected');
  };
  const setFail = (error: ParleyError | undefined) => {
    fail = error;
  };
  return { media, states, faults, requests, connection, join, fail: setFail };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeConnection.all = [];
  vi.stubGlobal('RTCPeerConnection', FakeConnection);
  vi.stubGlobal('MediaStream', class {});
  vi.stubGlobal('RTCRtpSender', {
    getCapabilities: () => ({ codecs: [{ mimeType: 'video/VP8' }, { mimeType: 'video/VP9' }] }),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('Media', () => {
  it('lets a browser that is short find out whether its network takes more, without the server', async () => {
    const { join, connection, requests } = setUp();
    await join();
    const pc = connection();
    pc.remoteDescription = { sdp: 'v=0\r\nm=video 9 X 96\r\nc=IN IP4 0\r\na=mid:2\r\n' };
    const before = pc.answers.length;
    const pair = { type: 'candidate-pair', nominated: true, availableOutgoingBitrate: 400_000 };
    const picture = { type: 'outbound-rtp', kind: 'video', qualityLimitationReason: 'none' };
    pc.sending = [pair, picture];
    await vi.advanceTimersByTimeAsync(5000);
    expect(pc.answers.length).toBe(before);
    picture.qualityLimitationReason = 'bandwidth';
    await vi.advanceTimersByTimeAsync(4000);
    expect(pc.answers.slice(before).map((sdp) => /b=TIAS:(\d+)/.exec(sdp)?.[1])).toEqual(['20000000', '20001000']);
    expect(requests).toEqual([]);
  });

  it('has slots for what may come next once the first pictures are there', async () => {
    const { media, join, requests } = setUp();
    media.need(1, 4);
    await join();
    await vi.advanceTimersByTimeAsync(1900);
    expect(media.peer?.slots).toHaveLength(1);
    expect(requests).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(media.peer?.slots).toHaveLength(4);
    expect(requests.map((r) => r.type)).toEqual(['negotiate']);
    media.need(4, 9); // at once, now
    await vi.advanceTimersByTimeAsync(0);
    expect(media.peer?.slots).toHaveLength(9);
  });

  it('restarts ICE a moment after the browser says that connectivity is lost', async () => {
    const { states, connection, join, requests } = setUp();
    await join();
    connection().iceConnectionState = 'disconnected';
    connection().oniceconnectionstatechange?.();
    await vi.advanceTimersByTimeAsync(250);
    expect(requests).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(requests).toHaveLength(1);
    expect(connection().restarts).toBe(1);
    connection().become('connected');
    expect(states).toEqual(['connected', 'reconnecting', 'connected']);
  });

  it('says that it failed after three attempts, goes on trying, and says when it works', async () => {
    const { states, faults, connection, join } = setUp();
    await join();
    for (let i = 0; i < 5; i++) {
      connection().become('failed');
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect(states).toEqual(['connected', 'reconnecting', 'failed']);
    expect(faults).toEqual(['media_failed']);
    const tried = connection().restarts;
    connection().become('failed');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(connection().restarts).toBeGreaterThan(tried);
    connection().become('connected');
    expect(states.at(-1)).toBe('connected');
  });

  it('tries at once when a person wants it', async () => {
    const { media, connection, join } = setUp();
    await join();
    media.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection().restarts).toBe(0); // it works
    for (let i = 0; i < 4; i++) {
      connection().become('failed');
      await vi.advanceTimersByTimeAsync(16_000);
    }
    connection().become('failed');
    const tried = connection().restarts;
    media.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection().restarts).toBe(tried + 1);
  });

  it('repairs a path that has gone silent before the browser notices', async () => {
    const { connection, join, states, requests } = setUp({ expects: true });
    await join();
    for (let i = 0; i < 10; i++) {
      connection().bytes += 1000;
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(connection().restarts).toBe(0);
    await vi.advanceTimersByTimeAsync(2100);
    expect(connection().restarts).toBe(1);
    expect(states).toEqual(['connected']);
    expect(requests.map((r) => r.type)).toEqual(['silent', 'negotiate']); // the session looks after its own way, too
  });

  it('tells the server which sizes a small picture has, again when its size changes, and to each connection', async () => {
    const { media, connection, join, requests } = setUp({ camera: ['q', 'h', 'f'] });
    const track = { contentHint: '', getSettings: () => ({ width: 640, height: 480 }) } as unknown as MediaStreamTrack;
    media.using('camera', track);
    expect(requests).toEqual([]); // nobody to tell
    await join();
    expect(requests).toEqual([{ type: 'layers', kind: 'camera', used: ['q', 'h'] }]);
    const look = async (width: number, height: number) => {
      connection().sending = [{ type: 'media-source', kind: 'video', width, height }];
      await vi.advanceTimersByTimeAsync(1000);
      return requests.slice(1).map((r) => r.used);
    };
    expect(await look(480, 640)).toEqual([]);
    expect(media.encodings.camera.wishes.small).toEqual({ width: 480, height: 640 });
    expect(await look(320, 240)).toEqual([['q']]);
    expect(await look(1280, 720)).toEqual([['q'], ['q', 'h', 'f']]);
    expect(media.encodings.camera.wishes.small).toBeUndefined();
    expect(await look(0, 0)).toHaveLength(2);
    await look(320, 240);
    requests.length = 0;
    await join();
    expect(requests.filter((r) => r.type === 'layers')).toEqual([{ type: 'layers', kind: 'camera', used: ['q'] }]);
  });

  it('changes the codec for those who cannot decode it, by one negotiation', async () => {
    const { media, connection, join, requests } = setUp({ codec: 'VP9' });
    await join();
    expect(connection().answers.at(-1)).toContain('X 98 96');
    media.decodes(['VP9', 'VP8']);
    media.decodes(['AV1']);
    await vi.advanceTimersByTimeAsync(0);
    expect(requests).toEqual([]);
    media.decodes(['VP8', 'H264']);
    media.decodes(['VP8']);
    await vi.advanceTimersByTimeAsync(0);
    expect(requests.map((r) => r.type)).toEqual(['negotiate']);
    expect(connection().answers.at(-1)).toContain('X 96 98');
    expect(connection().restarts).toBe(0);
    expect(media.codec).toBe('VP8');
  });

  it('joins anew where the server knows the connection no more', async () => {
    const { media, join, requests, fail } = setUp();
    await join();
    fail(new ParleyError('no_media'));
    media.need(4);
    await vi.advanceTimersByTimeAsync(0);
    expect(requests.map((r) => r.type)).toEqual(['negotiate', 'lost']);
  });

  it('looks no more once it is closed', async () => {
    const { media, connection, join } = setUp({ expects: true });
    await join();
    const looks = vi.spyOn(connection(), 'getStats');
    media.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(looks).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
