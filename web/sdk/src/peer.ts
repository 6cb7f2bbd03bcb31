import { Narrowing, prefer, type VideoCodec } from './codecs';
import { ParleyError } from './errors';
import type { Kind, MediaOffer } from './protocol';
import { KINDS } from './protocol';
import { assignMids, limited } from './sdp';
import { addSender, type Encoding, type SendPlan } from './sending';

const AMPLE = 20_000_000; // bit/s
const CONFIGURATION: RTCConfiguration = { bundlePolicy: 'max-bundle' };

/** A receive slot: one audio and one video line that together show one stream. */
export interface SlotLines {
  readonly audio: RTCRtpTransceiver;
  readonly video: RTCRtpTransceiver;
}

export interface PeerOwner {
  /** ICE or DTLS changed. */
  connection(state: RTCPeerConnectionState): void;
  data(frame: ArrayBuffer, reliable: boolean): void;
  /** A data channel opened or can take more. */
  writable(): void;
}

/** The error where this browser has no WebRTC. */
export function unsupported(): ParleyError | undefined {
  if (typeof RTCPeerConnection === 'function' && typeof RTCRtpTransceiver === 'function') return undefined;
  return new ParleyError('unsupported_browser');
}

/** One RTCPeerConnection to the server, with everything it may ever send in the first offer. */
export class Peer {
  readonly pc: RTCPeerConnection;
  readonly slots: SlotLines[] = [];
  readonly reliable: RTCDataChannel;
  readonly unreliable: RTCDataChannel;
  readonly #sending: Record<Kind, RTCRtpTransceiver>;
  readonly #codecs = new Narrowing();
  #offered: Promise<void> | undefined; // the last offer being set; undefined once it is answered
  #limit = 0; // of all that is sent, bit/s; 0: there is none

  constructor(slots: number, plan: SendPlan, owner: PeerOwner) {
    this.pc = new RTCPeerConnection(CONFIGURATION);
    const audio = () => {
      const transceiver = this.pc.addTransceiver('audio', { direction: 'sendonly' });
      this.#codecs.apply(transceiver, 'audio', 'RED');
      return transceiver;
    };
    const video = (encodings: Encoding[]) => {
      const transceiver = addSender(this.pc, encodings);
      this.#codecs.apply(transceiver, 'video', plan.codec);
      return transceiver;
    };
    // In the order of KINDS.
    this.#sending = {
      microphone: audio(),
      camera: video(plan.camera),
      screen: video(plan.screen),
      screen_audio: audio(),
    };
    this.grow(slots);
    this.reliable = this.#channel('reliable', 0, true, owner);
    this.unreliable = this.#channel('unreliable', 1, false, owner);
    this.pc.onconnectionstatechange = () => owner.connection(this.pc.connectionState);
    // Chromium reports lost connectivity by the ICE state seconds before the connection state follows.
    this.pc.oniceconnectionstatechange = () => {
      owner.connection(this.pc.iceConnectionState === 'disconnected' ? 'disconnected' : this.pc.connectionState);
    };
  }

  sender(kind: Kind): RTCRtpSender {
    return this.#sending[kind].sender;
  }

  /** The media section that carries the kind; undefined before the first answer. */
  mid(kind: Kind): string | undefined {
    return this.#sending[kind].mid ?? undefined;
  }

  /** Adds slots up to `count`; the next offer carries them. */
  grow(count: number): void {
    while (this.slots.length < count) {
      const audio = this.pc.addTransceiver('audio', { direction: 'recvonly' });
      const video = this.pc.addTransceiver('video', { direction: 'recvonly' });
      this.#codecs.apply(audio, 'audio');
      this.#codecs.apply(video, 'video');
      this.slots.push({ audio, video });
    }
  }

  /**
   * Makes an offer for the server. Setting it takes browsers some 15 ms, which pass while the server makes its answer. One that
   * gets none is replaced by the next.
   */
  async offer(restart = false): Promise<MediaOffer> {
    const offer = await this.pc.createOffer({ iceRestart: restart });
    const transceivers = this.pc.getTransceivers();
    const kinds = transceivers.map((t) => ({ mid: t.mid, kind: t.receiver.track.kind }));
    const mids = assignMids(offer.sdp ?? '', kinds);
    const mid = (t: RTCRtpTransceiver) => mids[transceivers.indexOf(t)]!;
    this.#offered = this.pc.setLocalDescription(offer);
    this.#offered.catch(() => {}); // answer() has the error
    return {
      sdp: offer.sdp ?? '',
      send: KINDS.map((kind) => ({ mid: mid(this.#sending[kind]), kind })),
      slots: this.slots.map((slot) => ({ audio: mid(slot.audio), video: mid(slot.video) })),
    };
  }

  /**
   * Takes the server's answer to the last offer; video is then sent in that codec, if the server has it. This connection gets no ICE servers: the relay shares its ports with the
   * media it would relay to, so it reaches nothing more, and browsers that are given a STUN or TURN server take whatever
   * comes from its address for an answer of that server, media and connectivity checks included.
   */
  async answer(sdp: string, codec: VideoCodec): Promise<void> {
    if (!this.#offered) throw new ParleyError('bad_answer');
    await this.#offered;
    this.#offered = undefined;
    sdp = prefer(sdp, this.mid('microphone'), 'RED'); // each packet repeats the one before: a lost one is not missed
    for (const kind of ['camera', 'screen'] as const) sdp = prefer(sdp, this.mid(kind), codec);
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    this.#limit = 0;
  }

  /**
   * Lets the browser measure what its network takes: it does where the limit of the connection is raised. Nothing else changes, so the
   * server need not know. The limit is far above all that is ever sent.
   */
  async measure(): Promise<void> {
    if (!this.#limit) await this.#setLimit(AMPLE);
    await this.#setLimit(this.#limit + 1000);
  }

  async #setLimit(bitrate: number): Promise<void> {
    const { pc } = this;
    if (pc.signalingState !== 'stable' || !pc.remoteDescription) return;
    const sdp = limited(pc.remoteDescription.sdp, this.mid('camera'), bitrate);
    await pc.setLocalDescription(await pc.createOffer());
    await pc.setRemoteDescription({ type: 'answer', sdp });
    this.#limit = bitrate;
  }

  /** What the browser says of the picture it sends of that kind; nothing where it sends none. */
  async sent(kind: 'camera' | 'screen'): Promise<unknown[]> {
    const { sender } = this.#sending[kind];
    return sender.track ? [...(await sender.getStats()).values()] : [];
  }

  /** Bytes that have come on all paths; undefined where the browser does not tell, or the connection is closed. */
  async bytesReceived(): Promise<number | undefined> {
    let sum: number | undefined;
    try {
      for (const s of (await this.pc.getStats()).values()) {
        if (s.type === 'candidate-pair' && typeof s.bytesReceived === 'number') sum = (sum ?? 0) + s.bytesReceived;
      }
    } catch {
      return undefined;
    }
    return sum;
  }

  close(): void {
    this.pc.onconnectionstatechange = null;
    this.pc.oniceconnectionstatechange = null;
    for (const channel of [this.reliable, this.unreliable]) {
      channel.onmessage = null;
      channel.onopen = null;
      channel.onbufferedamountlow = null;
    }
    this.pc.close();
  }

  #channel(label: string, id: number, reliable: boolean, owner: PeerOwner): RTCDataChannel {
    const options: RTCDataChannelInit = {
      negotiated: true,
      id,
      ...(!reliable && { ordered: false, maxRetransmits: 0 }),
    };
    const channel = this.pc.createDataChannel(label, options);
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = 256 * 1024;
    channel.onmessage = (event: MessageEvent) => {
      if (event.data instanceof ArrayBuffer) owner.data(event.data, reliable);
    };
    channel.onopen = () => owner.writable();
    channel.onbufferedamountlow = () => owner.writable();
    return channel;
  }
}
