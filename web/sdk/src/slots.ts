import type { SlotLines } from './peer';
import type { Stream, WireSlot } from './protocol';

/** What a slot shows now, and the streams to show it with. The streams stay the same objects for the slot's whole life. */
export interface Slot {
  readonly video: MediaStream;
  readonly audio: MediaStream;
  participant: string | null;
  stream: Stream | null;
  hasVideo: boolean;
  hasAudio: boolean;
}

export interface SlotChange {
  participant: string;
  stream: Stream;
}

/** The server's slot map on the browser's tracks. */
export class Slots {
  slots: Slot[] = [];

  /** Follows a connection's lines: more of them, or, after a rejoin, others (then `replace`). */
  lines(lines: readonly SlotLines[], replace: boolean): void {
    if (replace) this.slots = [];
    for (const line of lines.slice(this.slots.length)) {
      this.slots.push({
        video: new MediaStream([line.video.receiver.track]),
        audio: new MediaStream([line.audio.receiver.track]),
        participant: null,
        stream: null,
        hasVideo: false,
        hasAudio: false,
      });
    }
  }

  /** Takes the whole map; returns the streams whose tracks are others than before. */
  apply(map: readonly WireSlot[]): SlotChange[] {
    const before = this.#mapped();
    for (const slot of this.slots) {
      slot.participant = null;
      slot.stream = null;
      slot.hasVideo = false;
      slot.hasAudio = false;
    }
    for (const wire of map) {
      const slot = this.slots[wire.slot];
      if (!slot || !wire.participant || !wire.stream) continue;
      slot.participant = wire.participant;
      slot.stream = wire.stream;
      slot.hasVideo = wire.video !== null;
      slot.hasAudio = wire.audio !== null;
    }
    return changes(before, this.#mapped());
  }

  find(participant: string, stream: Stream): Slot | undefined {
    return this.slots.find((s) => s.participant === participant && s.stream === stream);
  }

  /** What shows a stream now. */
  picture(participant: string, stream: Stream): MediaStream | undefined {
    const slot = this.find(participant, stream);
    return slot?.hasVideo ? slot.video : undefined;
  }

  /** The tracks that carry a stream now. */
  tracks(participant: string, stream: Stream): { video?: MediaStreamTrack; audio?: MediaStreamTrack } {
    const slot = this.find(participant, stream);
    return {
      video: slot?.hasVideo ? slot.video.getTracks()[0] : undefined,
      audio: slot?.hasAudio ? slot.audio.getTracks()[0] : undefined,
    };
  }

  #mapped(): Map<string, string> {
    const mapped = new Map<string, string>();
    this.slots.forEach((s, i) => {
      if (s.participant) mapped.set(`${s.stream} ${s.participant}`, `${i} ${s.hasVideo} ${s.hasAudio}`);
    });
    return mapped;
  }
}

function changes(before: Map<string, string>, after: Map<string, string>): SlotChange[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => {
      const space = key.indexOf(' ');
      return { stream: key.slice(0, space) as Stream, participant: key.slice(space + 1) };
    });
}
