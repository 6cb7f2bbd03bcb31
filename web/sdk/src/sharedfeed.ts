import type { FeedReader } from './feedreader';
import type { RoomEvent, Snapshot } from './protocol';
import { now } from './time';

// A browser has few connections to one server for all its tabs. So of the pages of one origin that watch the same room one has the
// feed, which holds a lock, and tells the others by a channel. Where there are no locks, each has its own.

export type Feed = (reader: FeedReader, signal: AbortSignal) => Promise<void>;

/** What pages say to each other. */
type Word = { hello: true } | { event: RoomEvent } | { live: boolean; snapshot?: Snapshot | undefined };

const BEAT = 5000; // ms between two signs of life
const PATIENCE = 2000; // ms for whoever has the feed to answer,
const SILENCE = 12_000; // and to go on; a page without both gets a feed of its own

/** Follows a room by the feed of another page, or by one that serves others too, until `signal` ends it. */
export async function shared(reader: FeedReader, signal: AbortSignal, feed: Feed): Promise<void> {
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (!locks || typeof BroadcastChannel !== 'function') return feed(reader, signal);
  const name = `parley-presence ${reader.url}`;
  const channel = new BroadcastChannel(name);
  const alone = new AbortController();
  let served = false;
  const stopListening = listen(channel, reader, () => alone.abort());
  try {
    await locks.request(name, { signal: AbortSignal.any([signal, alone.signal]) }, async () => {
      stopListening();
      served = true;
      await serve(channel, reader, signal, feed);
    });
  } catch (error) {
    if (served) throw error; // else: it is over, nobody speaks, or this page may have no locks
  } finally {
    stopListening();
    channel.close();
  }
  if (!served && !signal.aborted) await feed(reader, signal);
}

/** Takes what the page with the feed tells; `silent` is called when it does not speak. Returns what ends that. */
function listen(channel: BroadcastChannel, reader: FeedReader, silent: () => void): () => void {
  let patience = PATIENCE;
  let heardAt = now();
  let caughtUp = false; // events before the snapshot leave a gap
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    if ('hello' in data) return;
    heardAt = now();
    patience = SILENCE;
    if ('event' in data) {
      if (caughtUp) reader.event(data.event);
      return;
    }
    caughtUp ||= data.snapshot !== undefined;
    if (data.snapshot) reader.snapshot(data.snapshot);
    reader.live(data.live);
  };
  channel.postMessage({ hello: true } satisfies Word);
  const timer = setInterval(() => now() - heardAt >= patience && silent(), 1000);
  return () => {
    clearInterval(timer);
    channel.onmessage = null;
  };
}

/** Reads the feed, for this page and for all that listen. */
async function serve(channel: BroadcastChannel, reader: FeedReader, signal: AbortSignal, feed: Feed): Promise<void> {
  let live = false;
  const say = (word: Word) => channel.postMessage(word);
  const beat = setInterval(() => say({ live }), BEAT);
  const everything = () => say({ live, snapshot: reader.state() });
  channel.onmessage = ({ data }: MessageEvent<Word>) => 'hello' in data && everything();
  everything(); // those that listened to the page before us
  const telling: FeedReader = {
    ...reader,
    snapshot: (snapshot) => {
      reader.snapshot(snapshot);
      everything();
    },
    event: (event) => {
      reader.event(event);
      say({ event });
    },
    live: (now) => {
      reader.live(now);
      if (live === now) return;
      live = now;
      say({ live });
    },
  };
  try {
    await feed(telling, signal);
  } finally {
    clearInterval(beat);
  }
}
