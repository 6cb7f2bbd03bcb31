import type { Emitter } from './emitter';
import { Participant, type Source } from './participant';
import { seen } from './position';
import type { LeaveReason, RoomEvent, Snapshot } from './protocol';
import { score } from './quality';

/** The events that a room and a presence feed have in common. */
export interface ModelEvents {
  joined: Participant;
  left: { participant: Participant; reason: LeaveReason };
  updated: Participant;
  published: { participant: Participant; source: Source };
  unpublished: { participant: Participant; source: Source };
  speaking: readonly string[];
  locked: boolean;
  /** Something of the above happened; once per message from the server, for those who draw everything anew. */
  change: undefined;
  /** Everything was replaced, because what was missed could not be caught up with. */
  reset: undefined;
}

/** Who is in a room, as told by a snapshot and the events after it. */
export class RoomModel {
  participants = new Map<string, Participant>();
  speaking: readonly string[] = [];
  locked = false;
  position: string | undefined;

  constructor(private readonly out: Emitter<ModelEvents>) {}

  /** Takes a snapshot in place of everything known. `announce` is false for the first one. */
  replace(snapshot: Snapshot, announce: boolean): void {
    const quality = (id: string) => this.participants.get(id)?.quality;
    this.participants = new Map((snapshot.participants ?? []).map((p) => [p.id, new Participant(p, quality(p.id))]));
    this.speaking = this.speaking.filter((id) => this.participants.has(id));
    this.locked = snapshot.locked ?? false;
    this.position = snapshot.position;
    if (!announce) return;
    this.out.emit('reset');
    this.out.emit('change');
  }

  /** Everything known, in place of which replace() takes another; undefined before the first. */
  snapshot(): Snapshot | undefined {
    if (this.position === undefined) return undefined;
    const participants = [...this.participants.values()].map((p) => p.wire());
    return { room: '', position: this.position, locked: this.locked, participants };
  }

  /** Moves on to `position`; false if it was seen before, so that whoever carries it must be ignored. */
  advance(position: string): boolean {
    if (seen(position, this.position)) return false;
    this.position = position;
    return true;
  }

  /** Takes scores by id; returns those that changed. */
  grade(scores: { [id: string]: unknown }): Participant[] {
    const changed: Participant[] = [];
    for (const [id, value] of Object.entries(scores)) {
      const before = this.participants.get(id);
      const quality = score(value);
      if (!before || !quality || quality === before.quality) continue;
      const participant = before.withQuality(quality);
      this.participants.set(id, participant);
      changed.push(participant);
    }
    if (changed.length > 0) this.out.emit('change');
    return changed;
  }

  /** Applies an event whose position was new. */
  apply(event: RoomEvent): void {
    if (this.#apply(event)) this.out.emit('change');
  }

  #apply(event: RoomEvent): boolean {
    switch (event.type) {
      case 'joined':
        return this.#joined(new Participant(event.participant));
      case 'left':
        return this.#left(event.participant, event.reason ?? 'left');
      case 'updated':
        return this.#updated(event.participant);
      case 'published':
        return this.#published(event.participant, event.source);
      case 'unpublished':
        return this.#unpublished(event.participant, event.source);
      case 'speaking':
        this.speaking = event.participants;
        this.out.emit('speaking', this.speaking);
        return true;
      case 'room':
        if (this.locked === event.locked) return false;
        this.locked = event.locked;
        this.out.emit('locked', this.locked);
        return true;
      default:
        return false;
    }
  }

  #joined(participant: Participant): boolean {
    this.participants.set(participant.id, participant);
    this.out.emit('joined', participant);
    return true;
  }

  #left(id: string, reason: LeaveReason): boolean {
    const participant = this.participants.get(id);
    if (!participant) return false;
    this.participants.delete(id);
    if (this.speaking.includes(id)) {
      this.speaking = this.speaking.filter((s) => s !== id);
      this.out.emit('speaking', this.speaking);
    }
    this.out.emit('left', { participant, reason });
    return true;
  }

  #updated(wire: Extract<RoomEvent, { type: 'updated' }>['participant']): boolean {
    const before = this.participants.get(wire.id);
    if (!before) return false;
    const news = wire.sources ? wire : { ...wire, sources: [...before.sources] };
    const participant = new Participant(news, before.quality);
    this.participants.set(wire.id, participant);
    this.out.emit('updated', participant);
    return true;
  }

  #published(id: string, source: Source): boolean {
    const before = this.participants.get(id);
    if (!before) return false;
    const participant = before.withSources([...before.sources.filter((s) => s.id !== source.id), source]);
    this.participants.set(id, participant);
    this.out.emit('published', { participant, source });
    return true;
  }

  #unpublished(id: string, sourceID: string): boolean {
    const before = this.participants.get(id);
    const source = before?.sources.find((s) => s.id === sourceID);
    if (!before || !source) return false;
    const participant = before.withSources(before.sources.filter((s) => s !== source));
    this.participants.set(id, participant);
    this.out.emit('unpublished', { participant, source });
    return true;
  }
}
