import { Emitter } from './emitter';
import type { ParleyError } from './errors';
import { eventStream } from './eventstream';
import type { FeedReader } from './feedreader';
import { longPoll } from './longpoll';
import type { Participant } from './participant';
import type { RoomEvent, Snapshot } from './protocol';
import { type ModelEvents, RoomModel } from './roommodel';
import { shared } from './sharedfeed';
import { roomURL, type Token } from './url';
import { shown, untilHidden } from './visible';

/** `paused`: the page is hidden. It is `live` again, and up to date, at once when it is shown. */
export type PresenceState = 'connecting' | 'live' | 'reconnecting' | 'paused' | 'closed';

export interface PresenceEvents extends ModelEvents {
  state: PresenceState;
  /** The feed ended: with the reason, or without one after close(). */
  closed: ParleyError | undefined;
}

export interface WatchOptions {
  /** The server; default: where the page came from. */
  url?: string;
  room: string;
  /** With the permission `watch`, where the server wants one. A function is asked again at each reconnect. */
  token?: Token;
  /** Default: SSE, and long-poll where that does not get through. */
  transport?: 'sse' | 'poll';
  /** True: goes on while the page is hidden, with a connection of its own. Default false. */
  hidden?: boolean;
}

/** Follows who is in a room without joining it. */
export class Presence extends Emitter<PresenceEvents> {
  state: PresenceState = 'connecting';
  readonly #model: RoomModel;
  readonly #stop = new AbortController();
  #started = false;

  /** Starts to watch. The first `reset` event tells that the room's state is known. */
  static watch(options: WatchOptions): Presence {
    return new Presence(options);
  }

  private constructor(options: WatchOptions) {
    super();
    this.#model = new RoomModel(this as unknown as Emitter<ModelEvents>);
    const reader: FeedReader = {
      url: roomURL(options.url, options.room, '/events'),
      token: options.token,
      position: () => this.#model.position,
      state: () => this.#model.snapshot(),
      snapshot: (snapshot) => this.#snapshot(snapshot),
      event: (event) => this.#event(event),
      live: (live) => this.#setState(live ? 'live' : this.#started ? 'reconnecting' : 'connecting'),
      fatal: (error) => this.#end(error),
    };
    void this.#run(reader, options);
  }

  get participants(): ReadonlyMap<string, Participant> {
    return this.#model.participants;
  }

  /** Ids, the loudest first. */
  get speaking(): readonly string[] {
    return this.#model.speaking;
  }

  get locked(): boolean {
    return this.#model.locked;
  }

  /** Where in the room's log we are; undefined before the first answer. */
  get position(): string | undefined {
    return this.#model.position;
  }

  close(): void {
    this.#end(undefined);
  }

  async #run(reader: FeedReader, { transport, hidden }: WatchOptions): Promise<void> {
    const { signal } = this.#stop;
    let poll = transport === 'poll' || typeof EventSource !== 'function';
    const feed = async (reader: FeedReader, signal: AbortSignal) => {
      poll ||= await eventStream(reader, signal, transport === 'sse');
      if (poll) await longPoll(reader, signal);
    };
    if (hidden) return feed(reader, signal);
    while (!signal.aborted) {
      await shown(signal);
      if (signal.aborted) return;
      await shared(reader, untilHidden(signal), feed);
      this.#setState('paused');
    }
  }

  #snapshot(snapshot: Snapshot): void {
    // The same state again: a feed that reconnected without need.
    if (this.#started && snapshot.position === this.#model.position) return;
    this.#started = true;
    this.#model.replace(snapshot, true);
  }

  #event(event: RoomEvent): void {
    if (this.#model.advance(event.position)) this.#model.apply(event);
  }

  #setState(state: PresenceState): void {
    if (this.state === state || this.state === 'closed') return;
    this.state = state;
    this.emit('state', state);
  }

  #end(error: ParleyError | undefined): void {
    if (this.state === 'closed') return;
    this.#stop.abort();
    this.#setState('closed');
    this.emit('closed', ...([error] as [ParleyError]));
  }
}
