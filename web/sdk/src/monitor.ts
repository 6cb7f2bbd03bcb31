import type { Peer } from './peer';
import { Gently, Playout } from './playout';
import { KINDS, type Kind, type Stream } from './protocol';
import { type Quality, quality } from './quality';
import type { Measured } from './report';
import type { Slots } from './slots';
import { StatsReader, type StreamStats } from './stats';
import { now } from './time';

const EVERY = 2000; // ms
const FRESH = 500; // ms that figures stay good enough to be given again

/** Looks every two seconds at how the streams do. */
export class Monitor {
  readonly #qualities = new Map<string, Quality>();
  #reader = new StatsReader();
  #playout = new Playout();
  readonly #delay = new Gently((ms) => this.#hold(ms));
  #last: StreamStats[] = [];
  #lookedAt = -Infinity;
  #peer: Peer | undefined;
  #timer: ReturnType<typeof setInterval>;
  #looking: Promise<void> | undefined;

  constructor(
    private readonly peer: () => Peer | undefined,
    private readonly slots: Slots,
    private readonly me: () => string,
    private readonly changed: (participant: string, level: Quality) => void,
    private readonly strained: (limited: boolean) => void,
  ) {
    this.#timer = setInterval(() => void this.look(), EVERY);
  }

  quality(participant: string): Quality | undefined {
    return this.#qualities.get(participant);
  }

  /** The figures of now, rates since the look before. */
  async measure(): Promise<Omit<Measured, 'state'>> {
    if (now() - this.#lookedAt > FRESH) await this.look();
    return { streams: this.#last, path: this.#reader.path };
  }

  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.stop();
  }

  async #look(): Promise<void> {
    const peer = this.peer();
    if (peer?.pc.connectionState !== 'connected') return;
    if (peer !== this.#peer) {
      this.#reader = new StatsReader();
      this.#playout = new Playout();
    }
    this.#peer = peer;
    let report: RTCStatsReport;
    try {
      report = await peer.pc.getStats();
    } catch {
      return; // closed meanwhile
    }
    const kinds = new Map<string, Kind>(KINDS.map((kind) => [peer.mid(kind) ?? '', kind]));
    const owner = (trackId: string) => this.#owner(trackId);
    this.#last = this.#reader.read(report as unknown as Iterable<[string, unknown]>, this.me(), owner, (mid) =>
      kinds.get(mid),
    );
    this.#lookedAt = now();
    this.#grade();
    this.#delay.to(this.#playout.next(this.#lookedAt, this.#loss(), this.#reader.path.rtt ?? 0));
    this.strained(this.#last.some((s) => s.direction === 'out' && s.reason === 'cpu'));
  }

  /** The share of packets lost, 0 to 1, of the video that suffers most. */
  #loss(): number {
    const videos = this.#last.filter((s) => s.direction === 'in' && s.width !== undefined);
    return Math.max(0, ...videos.map((s) => s.loss ?? 0));
  }

  /** Holds video back for so long, that its losses can be made good. */
  #hold(target: number | null): void {
    for (const { video } of this.#peer?.slots ?? []) {
      // Older browsers lack it.
      if ('jitterBufferTarget' in video.receiver && video.receiver.jitterBufferTarget !== target)
        video.receiver.jitterBufferTarget = target;
    }
  }

  #owner(trackId: string): { participant: string; kind: Kind; slot: number } | undefined {
    for (const [slot, { participant, stream, hasVideo, hasAudio, video, audio }] of this.slots.slots.entries()) {
      if (!participant || !stream) continue;
      if (hasVideo && video.getTracks()[0]?.id === trackId) return { participant, kind: videoKind(stream), slot };
      if (hasAudio && audio.getTracks()[0]?.id === trackId) return { participant, kind: audioKind(stream), slot };
    }
    return undefined;
  }

  #grade(): void {
    const by = Map.groupBy(this.#last, (s) => s.participant);
    for (const id of this.#qualities.keys()) if (!by.has(id)) this.#qualities.delete(id);
    for (const [id, streams] of by) {
      const level = quality(streams);
      if (level === undefined || level === this.#qualities.get(id)) continue;
      this.#qualities.set(id, level);
      this.changed(id, level);
    }
  }
}

function videoKind(stream: Stream): Kind {
  return stream === 'camera' ? 'camera' : 'screen';
}

function audioKind(stream: Stream): Kind {
  return stream === 'camera' ? 'microphone' : 'screen_audio';
}
