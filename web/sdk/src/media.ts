import { Climb, shortage } from './climb';
import { fallback, sendable } from './codecs';
import { Encodings, keeps } from './encodings';
import { ParleyError } from './errors';
import { decodeFrame, type Frame } from './frames';
import { Peer } from './peer';
import type { Reply, Request } from './pending';
import type { Kind, MediaOffer, WireSlot } from './protocol';
import { PULSE, Pulse } from './pulse';
import type { SendPlan } from './sending';
import { type Size, sourceSize, trackSize, used } from './sizes';
import { type SlotChange, Slots } from './slots';
import { now } from './time';

/**
 * The connection that carries sound and picture. `failed`: several attempts in a row found no way; it goes on trying.
 * `none`: the room was joined without media.
 */
export type MediaState = 'none' | 'connecting' | 'connected' | 'reconnecting' | 'failed';

export interface MediaOwner {
  request(message: Request): Promise<Reply>;
  data(frame: Frame, reliable: boolean): void;
  writable(): void;
  state(state: MediaState): void;
  /** Whether something must be coming: somebody's sound, or the server's word on what we send. */
  expects(): boolean;
  /** Streams whose tracks changed. */
  changed(changes: SlotChange[]): void;
  fault(error: ParleyError): void;
  /** Nothing comes any more, though it must: the way to the server may be gone. */
  silent(): void;
  /** A reply carries what it may. */
  renewed(reply: Reply): void;
  /** The server has given this connection up: only a new join brings another. */
  lost(): void;
}

const LOOK = 300; // ms between two looks at what is sent
const IDLE = 3; // times longer while all is well
const DISCONNECTED = 300; // ms before ICE is restarted; browsers take 5 s without an answer to say that they are disconnected
const CONNECT = 12_000; // ms a negotiated connection may take
const SETTLE = 2000; // ms after the first connection, in which the first pictures come
const HOPELESS = 3; // failed restarts in a row after which the page is told
const RESTARTS = [0, 1000, 2000, 4000, 8000, 15_000]; // ms before the restart that follows so many failed ones

/** The media connection of a room: its negotiations one after the other, its slots, and its recovery. */
export class Media {
  peer: Peer | undefined;
  readonly slots = new Slots();
  readonly encodings = {
    camera: new Encodings(() => this.peer?.sender('camera')),
    screen: new Encodings(() => this.peer?.sender('screen')),
  };
  state: MediaState = 'connecting';
  readonly #plan: SendPlan;
  readonly #owner: MediaOwner;
  #slotCount = 1;
  #soon = 1;
  #settled = false; // the connection has stood for a while
  #settling: ReturnType<typeof setTimeout> | undefined;
  #pendingMap: readonly WireSlot[] | undefined; // a map that names slots which are not negotiated yet
  #accepted = false; // the server answered the first offer: later ones may follow
  #negotiating: Promise<void> | undefined;
  #wantRestart = false;
  #wantOffer = false; // something else changed that only a negotiation brings about
  #restarts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: RTCPeerConnectionState = 'new';
  #closed = false;
  #used: number; // the sizes of the camera's picture that are sent,
  #usedTold: number; // and that the server knows of
  #wantMeasure = false; // what our network takes
  readonly #climb = new Climb();
  #looked = 0;
  readonly #watcher: ReturnType<typeof setInterval>;
  readonly #pulse = new Pulse();
  readonly #beat: ReturnType<typeof setInterval>;

  constructor(owner: MediaOwner, plan: SendPlan) {
    this.#owner = owner;
    this.#plan = { ...plan };
    this.#used = this.#usedTold = plan.camera.length;
    this.#beat = setInterval(() => void this.#listen(), PULSE);
    this.#watcher = setInterval(() => void this.#look(), LOOK);
  }

  /** What we send video in, as far as it depends on us. */
  get codec(): string {
    return this.#plan.codec;
  }

  /** Makes a new connection. The one from before is closed: the server has forgotten it. */
  begin(): void {
    if (this.#closed) throw new ParleyError('closed'); // a join that was given up while it waited
    this.peer?.close();
    this.#accepted = false;
    this.#usedTold = this.#plan.camera.length;
    this.#wantRestart = false;
    this.#wantOffer = false;
    this.#settled = false;
    clearTimeout(this.#settling);
    this.#pulse.reset();
    this.#watch('new');
    if (this.state === 'connected') this.#tell('reconnecting');
    const peer = new Peer(this.#slotCount, this.#plan, {
      connection: (state) => peer === this.peer && this.#watch(state),
      data: (buffer, reliable) => {
        const frame = decodeFrame(buffer);
        if (frame) this.#owner.data(frame, reliable);
      },
      writable: () => this.#owner.writable(),
    });
    this.peer = peer;
    this.#pendingMap = undefined;
    this.slots.lines(peer.slots, true);
  }

  /** Makes the new connection's first offer. */
  async offer(): Promise<MediaOffer> {
    const peer = this.peer;
    if (!peer) throw new ParleyError('closed');
    peer.grow(this.#slotCount);
    this.slots.lines(peer.slots, false);
    return peer.offer();
  }

  /** Takes the answer to the first offer. */
  async accept(sdp: string): Promise<void> {
    const peer = this.peer;
    if (!peer) return;
    this.#arm(CONNECT);
    await this.#run(() => peer.answer(sdp, this.#plan.codec));
    this.#accepted = true;
    this.#tellUsed();
    for (const encodings of [this.encodings.camera, this.encodings.screen]) encodings.apply();
    this.#next();
  }

  /** Makes sure that there are slots for so many streams; `soon`: for so many a while after the connection stands. */
  need(slots: number, soon = slots): void {
    this.#soon = soon;
    const count = this.#settled ? Math.max(slots, soon) : slots;
    if (count <= this.#slotCount) return;
    this.#slotCount = count;
    this.#next();
  }

  /** That track is sent from now on. */
  using(kind: Kind, track: MediaStreamTrack): void {
    if (kind === 'camera') this.#sized(trackSize(track));
    if (kind === 'camera' || kind === 'screen') this.encodings[kind].wish({ keep: keeps(track.contentHint) });
  }

  /** The camera's picture has that size now. */
  #sized(size: Size | undefined): void {
    if (!size) return;
    const most = this.#plan.camera.length;
    const count = used(size, most);
    this.encodings.camera.wish({ small: count < most ? size : undefined });
    this.#used = count;
    this.#tellUsed();
  }

  /** Tells the server which sizes there are: the others are not missing. */
  #tellUsed(): void {
    if (!this.#accepted || this.#used === this.#usedTold) return;
    this.#usedTold = this.#used;
    const rids = this.#plan.camera.slice(0, this.#used).map((e) => e.rid ?? '');
    // What fails is told again to the next connection; until then viewers are told that a size is silent.
    this.#owner.request({ type: 'layers', kind: 'camera', used: rids }).catch(() => {});
  }

  /** Tries now, whatever the patience that is left: a person wants it. */
  retry(): void {
    if (!this.#accepted || this.#state === 'connected') return;
    this.#restarts = 0;
    this.#wantRestart = true;
    this.#next();
  }

  /** Somebody in the room decodes only those codecs: sends all in one that they have, if there is one. */
  decodes(theirs: readonly unknown[]): void {
    if (theirs.includes(this.#plan.codec)) return;
    const codec = fallback(sendable(), theirs);
    if (!codec || codec === this.#plan.codec) return;
    this.#plan.codec = codec;
    this.#wantOffer = true;
    this.#next();
  }

  /** Takes the server's slot map. */
  map(map: readonly WireSlot[]): void {
    // The map after a growth may overtake the reply that makes its slots real.
    this.#pendingMap = map.some((s) => s.slot >= this.slots.slots.length) ? map : undefined;
    this.#owner.changed(this.slots.apply(map));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#settling);
    clearInterval(this.#beat);
    clearInterval(this.#watcher);
    this.#owner.changed(this.slots.apply([]));
    this.peer?.close();
    this.peer = undefined;
  }

  /** Starts what is to be negotiated, one negotiation at a time. */
  #next(): void {
    const peer = this.peer;
    if (!peer || !this.#accepted || this.#negotiating) return;
    if (!this.#wantRestart && !this.#wantOffer && peer.slots.length >= this.#slotCount) {
      this.#measure(peer);
      return;
    }
    const restart = this.#wantRestart;
    this.#wantRestart = false;
    this.#wantOffer = false;
    this.#run(() => this.#negotiate(peer, restart)).then(
      () => this.#next(),
      (error) => this.#failed(peer, restart, error),
    );
  }

  async #negotiate(peer: Peer, restart: boolean): Promise<void> {
    peer.grow(this.#slotCount);
    const media = await peer.offer(restart);
    const reply = await this.#owner.request({ type: 'negotiate', media });
    if (peer !== this.peer) return;
    this.#owner.renewed(reply);
    await peer.answer(reply.media?.sdp ?? '', this.#plan.codec);
    this.slots.lines(peer.slots, false);
    if (this.#pendingMap) this.map(this.#pendingMap);
    if (restart) this.#arm(CONNECT);
  }

  #measure(peer: Peer): void {
    if (!this.#wantMeasure) return;
    this.#wantMeasure = false;
    this.#run(() => peer.measure()).then(
      () => this.#next(),
      () => this.#next(), // closed meanwhile, or refused: it sends what it sent
    );
  }

  async #look(): Promise<void> {
    const peer = this.peer;
    if (!peer || this.#state !== 'connected' || (this.#looked++ % IDLE !== 0 && !this.#climb.short)) return;
    let found: ReturnType<typeof shortage>;
    let size: Size | undefined;
    try {
      const camera = await peer.sent('camera');
      size = sourceSize(camera);
      found = shortage([...camera, ...(await peer.sent('screen'))]);
    } catch {
      return; // closed meanwhile
    }
    if (peer !== this.peer) return;
    this.#sized(size ?? trackSize(peer.sender('camera').track));
    if (!found) return;
    this.#wantMeasure = this.#climb.next(now(), found.estimate, found.short);
    this.#next();
  }

  #failed(peer: Peer, restart: boolean, error: unknown): void {
    if (peer !== this.peer) return;
    const lost = error instanceof ParleyError && (error.code === 'session_gone' || error.code === 'closed');
    if (lost) return; // a rejoin brings a new connection
    if (error instanceof ParleyError && error.code === 'no_media') {
      this.#owner.lost();
      return;
    }
    this.#owner.fault(toFault(error));
    if (restart) this.#later();
  }

  #run(step: () => Promise<void>): Promise<void> {
    const running = step().finally(() => {
      if (this.#negotiating === running) this.#negotiating = undefined;
    });
    this.#negotiating = running;
    return running;
  }

  /** Follows the connection's state: lost connectivity leads to an ICE restart, patiently repeated. */
  #watch(state: RTCPeerConnectionState): void {
    this.#state = state;
    clearTimeout(this.#timer);
    if (state === 'connected') {
      this.#restarts = 0;
      this.#settle();
      this.#tell('connected');
    } else if (state === 'disconnected') {
      this.#arm(DISCONNECTED);
    } else if (state === 'failed') {
      this.#later();
    } else if (state === 'connecting') {
      this.#arm(CONNECT);
    }
  }

  /** Once pictures are there, there is time for the slots that may be needed next. */
  #settle(): void {
    if (this.#settled) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      this.#settled = true;
      this.need(this.#soon);
    }, SETTLE);
  }

  #arm(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#state !== 'connected' || this.peer?.pc.iceConnectionState === 'disconnected') this.#later();
    }, delay);
  }

  /** A path that has gone silent is replaced while the browser still waits for it; nothing is lost if it comes back. */
  async #listen(): Promise<void> {
    const peer = this.peer;
    if (!peer || this.#state !== 'connected' || this.#negotiating) return;
    const bytes = this.#owner.expects() ? await peer.bytesReceived() : 0;
    if (peer !== this.peer || bytes === undefined) return;
    if (!this.#pulse.next(now(), bytes, this.#owner.expects())) return;
    this.#owner.silent(); // the repair is asked for by the same way
    this.#wantRestart = true;
    this.#next();
  }

  #later(): void {
    const delay = RESTARTS[Math.min(this.#restarts, RESTARTS.length - 1)]!;
    this.#restarts++;
    if (this.#restarts === HOPELESS) this.#owner.fault(new ParleyError('media_failed', undefined, true));
    this.#tell(this.#restarts >= HOPELESS ? 'failed' : 'reconnecting');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#wantRestart = true;
      this.#next();
    }, delay);
  }

  #tell(state: MediaState): void {
    // What failed stays failed until it works: the attempts in between are no news.
    if (this.state === state || (this.state === 'failed' && state !== 'connected')) return;
    this.state = state;
    this.#owner.state(state);
  }
}

/** What the page is told of a negotiation that failed. */
export function toFault(error: unknown): ParleyError {
  return error instanceof ParleyError
    ? error
    : new ParleyError('media_failed', undefined, true, undefined, { cause: error });
}
