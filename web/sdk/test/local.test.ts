import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ParleyError } from '../src/errors';
import { Local } from '../src/local';
import type { Request } from '../src/pending';

class FakeTrack extends EventTarget {
  enabled = true;
  readyState = 'live';
  contentHint = '';
  onended: (() => void) | null = null;

  constructor(
    readonly kind: string,
    readonly name: string,
  ) {
    super();
  }
  getSettings() {
    return { deviceId: this.name };
  }
  stop() {
    this.readyState = 'ended';
  }
}

function setUp() {
  const log: string[] = [];
  const sent: Record<string, string | null> = {};
  const faults: string[] = [];
  const used: string[] = [];
  let refuse: ParleyError | undefined;
  let only: string | undefined;
  const local = new Local({
    sender: (kind) =>
      ({
        replaceTrack: async (track: { name: string } | null) => {
          sent[kind] = track?.name ?? null;
        },
      }) as unknown as RTCRtpSender,
    request: async (message: Request) => {
      log.push([message.type, message.kind, message.muted].filter((x) => x !== undefined).join(' '));
      if (refuse && (!only || message.kind === only)) throw refuse;
      return { type: 'ok', id: 1 };
    },
    changed: () => {},
    using: (kind, track) => used.push(`${kind} ${track.contentHint}`),
    fault: (error) => faults.push(error.code),
  });
  return {
    local,
    log,
    sent,
    faults,
    used,
    refuse: (e: ParleyError | undefined, kind?: string) => {
      refuse = e;
      only = kind;
    },
  };
}

let captured: FakeTrack[];
beforeEach(() => {
  captured = [];
  const capture = (kind: string) => {
    const track = new FakeTrack(kind, `${kind}${captured.length}`);
    captured.push(track);
    return {
      getVideoTracks: () => (kind === 'video' ? [track] : []),
      getAudioTracks: () => (kind === 'audio' ? [track] : []),
    };
  };
  vi.stubGlobal('navigator', {
    mediaDevices: {
      getUserMedia: async (c: MediaStreamConstraints) => capture(c.video ? 'video' : 'audio'),
      getDisplayMedia: async (options: DisplayMediaStreamOptions) => {
        const picture = capture('video');
        return options.audio ? { ...picture, getAudioTracks: capture('audio').getAudioTracks } : picture;
      },
    },
  });
});

const track = (name: string) => new FakeTrack('video', name) as unknown as MediaStreamTrack;

describe('Local', () => {
  it('publishes the microphone once and mutes it after', async () => {
    const { local, log, sent } = setUp();
    await local.microphone(true);
    expect(sent.microphone).toBe('audio0');
    await local.microphone(false);
    expect(sent.microphone).toBeNull();
    expect(captured[0]).toMatchObject({ enabled: false, readyState: 'live' });
    expect(local.get('microphone')).toMatchObject({ on: false });
    await local.microphone(true);
    expect(log).toEqual(['publish microphone', 'mute microphone true', 'mute microphone false']);
    expect(captured).toHaveLength(1);
    expect(captured[0]?.enabled).toBe(true);
  });

  it('lets go of the camera when it is off, and opens it again', async () => {
    const { local, log, sent } = setUp();
    await local.camera(true);
    await local.camera(false);
    expect(captured[0]?.readyState).toBe('ended');
    expect(local.get('camera').track).toBeUndefined();
    await local.camera(true);
    expect(sent.camera).toBe('video1');
    expect(log).toEqual(['publish camera', 'mute camera true', 'mute camera false']);
  });

  it('does what is asked in order, however fast', async () => {
    const { local, log } = setUp();
    await Promise.all([local.camera(true), local.camera(false), local.camera(true), local.camera(true)]);
    expect(log).toEqual(['publish camera', 'mute camera true', 'mute camera false']);
    expect(local.get('camera').on).toBe(true);
    expect(captured.filter((t) => t.readyState === 'live')).toHaveLength(1);
  });

  it('takes any camera where the one it had is gone, but not in place of one that is asked for', async () => {
    const { local, sent } = setUp();
    await local.camera(true);
    await local.camera(false);
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (c) => {
      const { deviceId } = (c?.video ?? {}) as MediaTrackConstraints;
      if (deviceId) throw new DOMException('gone', 'NotFoundError');
      return ask(c);
    };
    await local.camera(true);
    expect(sent.camera).toBe('video1');
    await expect(local.camera(true, { deviceId: 'other' })).rejects.toMatchObject({ code: 'no_device' });
    expect(local.get('camera').on).toBe(true);
  });

  it('changes the device without publishing anew', async () => {
    const { local, log, sent } = setUp();
    await local.camera(true);
    await local.camera(true, { deviceId: 'other' });
    expect(sent.camera).toBe('video1');
    expect(captured[0]?.readyState).toBe('ended');
    expect(log).toEqual(['publish camera']);
  });

  it('undoes a publish that was refused', async () => {
    const { local, sent, refuse } = setUp();
    refuse(new ParleyError('forbidden'));
    await expect(local.camera(true)).rejects.toMatchObject({ code: 'forbidden' });
    expect(local.get('camera')).toEqual({ track: undefined, on: false });
    expect(captured[0]?.readyState).toBe('ended');
    expect(sent.camera).toBeNull();
    refuse(undefined);
    await local.camera(true);
    expect(local.get('camera').on).toBe(true);
  });

  it('publishes again what was on after a rejoin, muted where it was', async () => {
    const { local, log, sent } = setUp();
    await local.camera(true);
    await local.microphone(true);
    await local.microphone(false);
    log.length = 0;
    sent.camera = null;
    local.republish();
    await local.camera(true); // after the republish, in turn
    expect(log).toEqual(['publish camera false', 'publish microphone true']);
    expect(sent.camera).toBe('video0');
    expect(local.get('microphone').on).toBe(false);
  });

  it('does not fail when the session was lost meanwhile', async () => {
    const { local, refuse } = setUp();
    refuse(new ParleyError('session_gone'));
    await local.camera(true);
    expect(local.get('camera').on).toBe(true);
  });

  it('tells what the content of a screen asks for', async () => {
    const { local, used } = setUp();
    await local.screen(true);
    await local.screen(true, { content: 'motion' });
    expect(used).toEqual(['screen detail', 'screen motion']);
  });

  it('replaces a share whole: its sound goes where the next has none', async () => {
    const { local, log, sent } = setUp();
    await local.screen(true, { audio: true });
    expect(sent).toEqual({ screen: 'video0', screen_audio: 'audio1' });
    await local.screen(true);
    expect(sent).toEqual({ screen: 'video2', screen_audio: null });
    expect(captured.map((t) => t.readyState)).toEqual(['ended', 'ended', 'live']);
    expect(log.filter((line) => line.startsWith('unpublish'))).toEqual(['unpublish screen_audio']);
    expect(local.get('screen_audio')).toEqual({ track: undefined, on: false });
    await local.screen(true, { audio: true });
    expect(sent).toEqual({ screen: 'video3', screen_audio: 'audio4' });
  });

  for (const kind of [undefined, 'screen', 'screen_audio']) {
    it(`lets go of all that was captured where ${kind ?? 'the share'} is refused`, async () => {
      const { local, sent, refuse } = setUp();
      refuse(new ParleyError('forbidden'), kind);
      await expect(local.screen(true, { audio: true })).rejects.toMatchObject({ code: 'forbidden' });
      expect(captured.map((t) => t.readyState)).toEqual(['ended', 'ended']);
      expect(Object.values(sent)).toEqual([null, null]);
      expect([local.get('screen').on, local.get('screen_audio').on]).toEqual([false, false]);
    });
  }

  it('shares what was asked for last, however the pickers end', async () => {
    const { local, sent } = setUp();
    const pickers: (() => void)[] = [];
    const { mediaDevices } = navigator;
    const pick = mediaDevices.getDisplayMedia.bind(mediaDevices);
    mediaDevices.getDisplayMedia = async (options) => {
      await new Promise<void>((resolve) => pickers.push(resolve));
      return pick(options);
    };
    const first = local.screen(true, { audio: true });
    const second = local.screen(true);
    pickers[1]?.();
    await second;
    pickers[0]?.();
    await expect(first).rejects.toMatchObject({ code: 'picker_cancelled' });
    expect(sent.screen).toBe('video0');
    expect(captured.map((t) => t.readyState)).toEqual(['live', 'ended', 'ended']);
    const third = local.screen(true, { audio: true });
    await local.screen(false);
    pickers[2]?.();
    await expect(third).rejects.toMatchObject({ code: 'picker_cancelled' });
    expect(captured.every((t) => t.readyState === 'ended')).toBe(true);
  });

  it('replaces a share that has ended meanwhile', async () => {
    const { local, sent } = setUp();
    await local.screen(true, { audio: true });
    const next = local.screen(true);
    captured[0]?.stop();
    captured[0]?.dispatchEvent(new Event('ended'));
    await next;
    await vi.waitFor(() => expect(sent).toEqual({ screen: 'video2', screen_audio: null }));
    expect(local.get('screen').on).toBe(true);
  });

  it('ends the screen share when the browser does', async () => {
    const { local, log } = setUp();
    await local.screen(true);
    expect(captured[0]?.contentHint).toBe('detail');
    captured[0]?.dispatchEvent(new Event('ended'));
    await vi.waitFor(() => expect(log).toEqual(['publish screen', 'unpublish screen']));
    expect(local.get('screen').on).toBe(false);
  });

  it("leaves the page's own track to the page", async () => {
    const { local } = setUp();
    const own = new FakeTrack('video', 'canvas');
    const mine = () => {};
    own.onended = mine;
    await local.publish('camera', own as unknown as MediaStreamTrack);
    await local.mute('camera', true);
    await local.mute('camera', false);
    await local.unpublish('camera');
    await local.publish('camera', own as unknown as MediaStreamTrack);
    local.close();
    expect([own.readyState, own.onended, own.enabled]).toEqual(['live', mine, true]);
  });

  it('tells when a device is gone', async () => {
    const { local, log, faults } = setUp();
    await local.camera(true);
    captured[0]?.dispatchEvent(new Event('ended'));
    await vi.waitFor(() => expect(faults).toEqual(['no_device']));
    expect(log.at(-1)).toBe('mute camera true');
    expect(local.get('camera').track).toBeUndefined();
  });

  it('obeys a moderator without asking back', async () => {
    const { local, log, sent } = setUp();
    await local.microphone(true);
    local.muted('microphone');
    await vi.waitFor(() => expect(local.get('microphone').on).toBe(false));
    expect(sent.microphone).toBeNull();
    expect(log).toEqual(['publish microphone']);
    await local.microphone(true);
    expect(log.at(-1)).toBe('mute microphone false');
  });

  it('leaves tracks of the page alone', async () => {
    const { local } = setUp();
    const mine = track('mine') as unknown as FakeTrack;
    await local.publish('camera', mine as unknown as MediaStreamTrack);
    await local.mute('camera', true);
    expect(mine.readyState).toBe('live');
    await local.mute('camera', false);
    await local.unpublish('camera');
    expect(mine.readyState).toBe('live');
    await expect(local.mute('camera', true)).rejects.toMatchObject({ code: 'no_such_source' });
  });

  it('lets go of its devices at the end', async () => {
    const { local } = setUp();
    await local.camera(true);
    await local.microphone(true);
    local.close();
    expect(captured.map((t) => t.readyState)).toEqual(['ended', 'ended']);
  });
});
