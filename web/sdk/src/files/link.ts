import type { FileSignal } from './wire';

export interface LinkOwner {
  signal(message: FileSignal): void;
  open(): void;
  message(data: ArrayBuffer | string): void;
  /** It will not come (back). */
  failed(): void;
}

const CONNECT = 30_000; // ms that a first connection may take
const DISCONNECTED = 4000; // ms without connectivity before ICE is restarted
const RESTARTS = 4;
const GATHER = 30; // ms over which candidates are collected into one message

/** A connection of two browsers with one data channel. The side that sends the file offers. */
export class Link {
  readonly channel: RTCDataChannel;
  readonly #pc: RTCPeerConnection;
  readonly #owner: LinkOwner;
  readonly #offers: boolean;
  #candidates: RTCIceCandidateInit[] = [];
  #early: RTCIceCandidateInit[] = []; // came before the description they belong to
  #gather: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #restarts = 0;
  #opened = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    owner: LinkOwner,
    private readonly iceServers: () => RTCIceServer[],
    offers: boolean,
  ) {
    this.#owner = owner;
    this.#offers = offers;
    this.#pc = new RTCPeerConnection({ iceServers: iceServers() });
    // Negotiated by both sides: it exists, with its handlers, before the first byte can arrive.
    this.channel = this.#pc.createDataChannel('file', { negotiated: true, id: 0 });
    this.channel.binaryType = 'arraybuffer';
    this.channel.onmessage = (event: MessageEvent) => owner.message(event.data);
    this.channel.onopen = () => {
      this.#opened = true;
      clearTimeout(this.#timer);
      owner.open();
    };
    this.channel.onclose = () => owner.failed();
    this.#pc.onicecandidate = ({ candidate }) => candidate && this.#found(candidate.toJSON());
    this.#pc.onconnectionstatechange = () => this.#watch();
    this.#timer = setTimeout(() => owner.failed(), CONNECT);
    if (offers) this.#enqueue(() => this.#offer(false));
  }

  /** Bytes that one message may have. */
  get mostBytes(): number {
    return this.#pc.sctp?.maxMessageSize || 64 << 10;
  }

  receive(message: FileSignal): void {
    if (message.type === 'sdp') this.#enqueue(() => this.#described(message.kind, message.sdp));
    else if (message.type === 'ice') this.#enqueue(() => this.#add(message.candidates));
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#gather);
    this.channel.onmessage = null;
    this.channel.onopen = null;
    this.channel.onclose = null;
    this.channel.onbufferedamountlow = null;
    this.#pc.onicecandidate = null;
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  async #offer(iceRestart: boolean): Promise<void> {
    await this.#pc.setLocalDescription(await this.#pc.createOffer({ iceRestart }));
    this.#owner.signal({ type: 'sdp', kind: 'offer', sdp: this.#pc.localDescription?.sdp ?? '' });
  }

  async #described(kind: 'offer' | 'answer', sdp: string): Promise<void> {
    if ((kind === 'answer') !== this.#offers) return; // out of turn
    await this.#pc.setRemoteDescription({ type: kind, sdp });
    if (kind === 'offer') {
      await this.#pc.setLocalDescription();
      this.#owner.signal({ type: 'sdp', kind: 'answer', sdp: this.#pc.localDescription?.sdp ?? '' });
    }
    await this.#add(this.#early.splice(0));
  }

  async #add(candidates: RTCIceCandidateInit[]): Promise<void> {
    if (!this.#pc.remoteDescription) {
      this.#early.push(...candidates);
      return;
    }
    for (const candidate of candidates) {
      // One that this browser cannot use, or that belongs to before a restart, costs nothing but itself.
      await this.#pc.addIceCandidate(candidate).catch(() => {});
    }
  }

  #found(candidate: RTCIceCandidateInit): void {
    this.#candidates.push(candidate);
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      this.#owner.signal({ type: 'ice', candidates: this.#candidates.splice(0) });
    }, GATHER);
  }

  #watch(): void {
    const state = this.#pc.connectionState;
    if (state === 'connected' && this.#opened) {
      clearTimeout(this.#timer);
      this.#restarts = 0;
    } else if (state === 'disconnected' && this.#opened) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#restart(), DISCONNECTED);
    } else if (state === 'failed') {
      this.#restart();
    }
  }

  /** The offering side restarts ICE; the other waits for it, and gives up some time later. */
  #restart(): void {
    clearTimeout(this.#timer);
    if (++this.#restarts > RESTARTS) {
      this.#owner.failed();
      return;
    }
    this.#timer = setTimeout(() => this.#restart(), 8000);
    this.#pc.setConfiguration({ iceServers: this.iceServers() }); // those from the start may have ended
    if (this.#offers) this.#enqueue(() => this.#offer(true));
  }

  /** Descriptions and candidates take effect one after the other. */
  #enqueue(step: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#pc.signalingState === 'closed') return;
      try {
        await step();
      } catch {
        if ((this.#pc.signalingState as string) !== 'closed') this.#owner.failed();
      }
    });
  }
}
