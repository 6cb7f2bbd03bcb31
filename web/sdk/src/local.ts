import {
  type CameraOptions,
  type CapturedScreen,
  captureCamera,
  captureMicrophone,
  captureScreen,
  type ScreenOptions,
} from './capture';
import { ParleyError } from './errors';
import type { Reply, Request } from './pending';
import { KINDS, type Kind } from './protocol';

export interface LocalOwner {
  sender(kind: Kind): RTCRtpSender | undefined;
  request(message: Request): Promise<Reply>;
  changed(kind: Kind): void;
  /** The track that is sent from now on, with what its content asks for. */
  using(kind: Kind, track: MediaStreamTrack): void;
  fault(error: ParleyError): void;
}

/** What we send of one kind. */
export interface LocalSource {
  /** Undefined while nothing is captured: camera off, or never started. */
  readonly track: MediaStreamTrack | undefined;
  /** Whether others see or hear it. */
  readonly on: boolean;
}

interface State {
  track: MediaStreamTrack | undefined;
  deviceId: string | undefined;
  owned: boolean; // captured by us, so ours to stop
  published: boolean;
  muted: boolean;
  unwatch: () => void; // ends following the track's own end
  work: Promise<unknown>; // changes of one kind happen one after the other
}

const NOTHING: LocalSource = { track: undefined, on: false };

function stop({ video, audio }: CapturedScreen): void {
  video.stop();
  audio?.stop();
}

/** Our own microphone, camera and screen: what is captured, published and muted. */
export class Local {
  readonly #owner: LocalOwner;
  readonly #states = new Map<Kind, State>();
  #asked = 0; // calls of screen()
  #answered = 0; // the latest of them that took effect
  #sharing: Promise<void> = Promise.resolve();

  constructor(owner: LocalOwner) {
    this.#owner = owner;
  }

  get(kind: Kind): LocalSource {
    const state = this.#states.get(kind);
    return state ? { track: state.track, on: state.published && !state.muted } : NOTHING;
  }

  microphone(on: boolean, options: { deviceId?: string } = {}): Promise<void> {
    return this.#do('microphone', async (state) => {
      if (!on) return this.#setMuted('microphone', state, true);
      const same = !options.deviceId || options.deviceId === state.deviceId;
      if (state.track?.readyState !== 'live' || !same) {
        await this.#use('microphone', state, await captureMicrophone(options), true, options.deviceId);
      }
      await this.#announce('microphone', state);
    });
  }

  /** Off lets go of the device, so that its light goes out. */
  camera(on: boolean, options: CameraOptions = {}): Promise<void> {
    return this.#do('camera', async (state) => {
      if (!on) {
        await this.#setMuted('camera', state, true);
        return;
      }
      const same = !options.facing && (!options.deviceId || options.deviceId === state.deviceId);
      if (state.track?.readyState !== 'live' || !same) {
        const deviceId = options.deviceId ?? (options.facing ? undefined : state.deviceId);
        if (options.facing && state.owned) state.track?.stop(); // phones open one camera at a time
        await this.#use('camera', state, await captureAgain(options, deviceId), true, undefined);
      }
      await this.#announce('camera', state);
    });
  }

  /** A share is one thing: its picture and its sound come, are replaced and end together. */
  async screen(on: boolean, options: ScreenOptions = {}): Promise<void> {
    const mine = ++this.#asked;
    if (!on) {
      this.#answered = mine;
      return this.#share(() => this.#unshare());
    }
    // The picker needs the click that led here: it comes before anything that waits.
    const share = await captureScreen(options);
    if (mine < this.#answered) {
      stop(share);
      throw new ParleyError('picker_cancelled', 'Meanwhile something else was shared, or sharing was ended.', true);
    }
    this.#answered = mine;
    return this.#share(() => this.#replaceShare(share));
  }

  publish(kind: Kind, track: MediaStreamTrack): Promise<void> {
    return this.#publish(kind, track, false);
  }

  unpublish(kind: Kind): Promise<void> {
    return this.#do(kind, async (state) => {
      if (!state.published && !state.track) return;
      const published = state.published;
      this.#drop(kind, state);
      state.published = false;
      this.#owner.changed(kind);
      if (published) await this.#request({ type: 'unpublish', kind });
    });
  }

  mute(kind: Kind, muted: boolean): Promise<void> {
    return this.#do(kind, async (state) => {
      if (!state.published) throw new ParleyError('no_such_source', `The ${kind} is not on.`);
      if (muted) await this.#setMuted(kind, state, true);
      else await this.#announce(kind, state);
    });
  }

  /** A moderator muted it: the server has done its part. */
  muted(kind: Kind): void {
    void this.#do(kind, async (state) => this.#silence(kind, state)).catch(() => {}); // cannot fail: nothing is asked
  }

  /** After a rejoin: the new connection and session get what the old ones had. */
  republish(): void {
    for (const [kind, state] of this.#states) {
      if (!state.published) continue;
      state.published = false;
      const again = this.#do(kind, async () => {
        await this.#send(kind, state.muted ? undefined : state.track);
        await this.#request({ type: 'publish', kind, muted: state.muted });
        state.published = true;
        this.#owner.changed(kind);
      });
      again.catch((error) => this.#owner.fault(error));
    }
  }

  /** Lets go of every device of ours. */
  close(): void {
    for (const kind of KINDS) {
      const state = this.#states.get(kind);
      if (state?.track) this.#drop(kind, state);
    }
    this.#states.clear();
  }

  /** Changes of the share happen one after the other. */
  #share(change: () => Promise<void>): Promise<void> {
    const done = this.#sharing.then(change);
    this.#sharing = done.catch(() => {});
    return done;
  }

  /** What fails in half is undone whole: nothing that was captured goes on. */
  async #replaceShare(share: CapturedScreen): Promise<void> {
    const sound = share.audio ? this.#publish('screen_audio', share.audio, true) : this.unpublish('screen_audio'); // that of what was shared before
    const halves = await Promise.allSettled([this.#publish('screen', share.video, true), sound]);
    const failed = halves.find((half) => half.status === 'rejected');
    if (!failed) return;
    stop(share);
    await this.#unshare().catch(() => {}); // the reason is the first failure
    throw failed.reason;
  }

  async #unshare(): Promise<void> {
    await Promise.all([this.unpublish('screen'), this.unpublish('screen_audio')]);
  }

  #publish(kind: Kind, track: MediaStreamTrack, owned: boolean): Promise<void> {
    return this.#do(kind, async (state) => {
      await this.#use(kind, state, track, owned, undefined);
      await this.#announce(kind, state);
    });
  }

  /** Makes `track` the one that is sent, in place of any before. */
  async #use(
    kind: Kind,
    state: State,
    track: MediaStreamTrack,
    owned: boolean,
    deviceId: string | undefined,
  ): Promise<void> {
    const before = state.track;
    if (before && before !== track) {
      state.unwatch();
      if (state.owned) before.stop();
    }
    if (kind === 'screen' && track.contentHint === '') track.contentHint = 'detail';
    this.#owner.using(kind, track);
    state.track = track;
    state.owned = owned;
    state.deviceId = deviceId ?? track.getSettings().deviceId;
    state.unwatch();
    const ended = () => this.#ended(kind, state, track);
    track.addEventListener('ended', ended); // not onended: that is the page's, where the track is
    state.unwatch = () => track.removeEventListener('ended', ended);
    if (state.published && !state.muted) await this.#send(kind, track);
    this.#owner.changed(kind);
  }

  /** Publishes, or unmutes what is published. */
  async #announce(kind: Kind, state: State): Promise<void> {
    if (!state.track) throw new ParleyError('no_such_source', `The ${kind} is not on.`);
    if (state.published && !state.muted) return;
    state.track.enabled = true;
    const message = state.published ? { type: 'mute', kind, muted: false } : { type: 'publish', kind };
    const before = { published: state.published, muted: state.muted };
    state.published = true;
    state.muted = false;
    this.#owner.changed(kind);
    try {
      await Promise.all([this.#send(kind, state.track), this.#request(message)]);
    } catch (error) {
      Object.assign(state, before);
      if (!before.published) this.#drop(kind, state);
      else this.#silence(kind, state);
      this.#owner.changed(kind);
      throw error;
    }
  }

  async #setMuted(kind: Kind, state: State, muted: true): Promise<void> {
    if (!state.published || state.muted) return;
    this.#silence(kind, state);
    await this.#request({ type: 'mute', kind, muted });
  }

  /** Sends nothing any more; a camera of ours is let go, a microphone stays open so that speaking again is instant. */
  #silence(kind: Kind, state: State): void {
    state.muted = true;
    if (kind === 'camera' && state.owned) {
      this.#drop(kind, state);
    } else {
      if (state.track) state.track.enabled = false;
      void this.#send(kind, undefined);
    }
    this.#owner.changed(kind);
  }

  #drop(kind: Kind, state: State): void {
    state.unwatch();
    if (state.owned) state.track?.stop();
    state.track = undefined;
    void this.#send(kind, undefined);
  }

  /** The track ended by itself: unplugged, or the browser's own button stopped the sharing. */
  #ended(kind: Kind, state: State, track: MediaStreamTrack): void {
    if (state.track !== track) return;
    if (kind === 'screen' || kind === 'screen_audio') {
      const ended = this.#share(async () => {
        if (state.track === track) await (kind === 'screen' ? this.#unshare() : this.unpublish(kind));
      });
      ended.catch((error) => this.#owner.fault(error));
      return;
    }
    const lost = this.#do(kind, async () => {
      if (state.track !== track) return;
      await this.#setMuted(kind, state, true);
      this.#drop(kind, state);
      this.#owner.changed(kind);
    });
    lost.then(
      () => this.#owner.fault(new ParleyError('no_device', `The ${kind} was unplugged or taken away. Choose another.`)),
      (error) => this.#owner.fault(error),
    );
  }

  #do(kind: Kind, work: (state: State) => Promise<unknown> | undefined): Promise<void> {
    let state = this.#states.get(kind);
    if (!state) {
      state = {
        track: undefined,
        deviceId: undefined,
        owned: false,
        published: false,
        muted: false,
        unwatch: () => {},
        work: Promise.resolve(),
      };
      this.#states.set(kind, state);
    }
    const mine = state;
    const done = mine.work.then(() => work(mine)).then(() => {});
    mine.work = done.catch(() => {}); // the caller has the error; the next change starts from what there is
    return done;
  }

  /** Puts the track on the wire. A connection that was closed meanwhile is being replaced: republish() follows. */
  async #send(kind: Kind, track: MediaStreamTrack | undefined): Promise<void> {
    try {
      await this.#owner.sender(kind)?.replaceTrack(track ?? null);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
    }
  }

  /** A request whose session was lost has not failed: the rejoin publishes what is on. */
  async #request(message: Request): Promise<void> {
    try {
      await this.#owner.request(message);
    } catch (error) {
      if (!(error instanceof ParleyError && error.code === 'session_gone')) throw error;
    }
  }
}

/** The camera that is asked for, or was used before; where that one is gone and nobody asked for it, any. */
async function captureAgain(options: CameraOptions, deviceId: string | undefined): Promise<MediaStreamTrack> {
  try {
    return await captureCamera({ ...options, deviceId });
  } catch (error) {
    const gone = error instanceof ParleyError && error.code === 'no_device';
    if (!gone || !deviceId || options.deviceId) throw error;
    return captureCamera(options);
  }
}
