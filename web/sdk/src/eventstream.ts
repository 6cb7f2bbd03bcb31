import { Backoff, FEED_DELAYS } from './backoff';
import type { FeedReader } from './feedreader';
import type { RoomEvent, Snapshot } from './protocol';
import { whyRefused } from './refusal';
import { now } from './time';
import { readToken, renewed } from './url';
import { wait } from './wait';

const TYPES: readonly RoomEvent['type'][] = [
  'joined',
  'left',
  'published',
  'unpublished',
  'updated',
  'speaking',
  'room',
];

const DEAF = 6000; // ms without a first event after which something on the way holds the stream back

/**
 * Follows a room by server-sent events until `signal` ends it. True: nothing came through although the server can be
 * reached, so another transport should be tried (never with `only`).
 */
export async function eventStream(reader: FeedReader, signal: AbortSignal, only: boolean): Promise<boolean> {
  const backoff = new Backoff(Math.random, FEED_DELAYS);
  let heard = false; // ever
  while (!signal.aborted) {
    const token = await readToken(reader.token).catch(() => undefined);
    if (signal.aborted) break;
    const end = await stream(reader, token, signal, () => {
      heard = true;
      backoff.up(now());
    });
    if (signal.aborted) break;
    reader.live(false);
    if (end === 'deaf' && !heard && !only) return true;
    if (end === 'refused') {
      const error = await whyRefused(reader, token, signal);
      if (error && !error.retry && !(await renewed(reader.token, token, error))) {
        reader.fatal(error);
        break;
      }
    }
    await wait(backoff.next(now()), signal);
  }
  return false;
}

/** One EventSource: it reconnects by itself, but for an answer that is not a stream. */
function stream(
  reader: FeedReader,
  token: string | undefined,
  signal: AbortSignal,
  heard: () => void,
): Promise<'refused' | 'deaf' | 'stopped'> {
  return new Promise((resolve) => {
    const url = new URL(reader.url);
    const after = reader.position();
    if (token) url.searchParams.set('access_token', token);
    if (after) url.searchParams.set('after', after);
    const source = new EventSource(url);
    const end = (how: 'refused' | 'deaf' | 'stopped') => {
      clearTimeout(deaf);
      signal.removeEventListener('abort', stop);
      source.close();
      resolve(how);
    };
    const stop = () => end('stopped');
    const listen = () => setTimeout(() => end('deaf'), DEAF);
    // Who comes back with a position may hear nothing for long: an open stream is enough then.
    let deaf = listen();
    signal.addEventListener('abort', stop);
    const alive = () => {
      clearTimeout(deaf);
      heard();
      reader.live(true);
    };
    source.onopen = () => {
      if (after) alive();
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) {
        end('refused');
        return;
      }
      reader.live(false);
      clearTimeout(deaf);
      deaf = listen();
    };
    source.addEventListener('snapshot', (event) => {
      alive();
      reader.snapshot(JSON.parse(event.data) as Snapshot);
    });
    for (const type of TYPES) {
      source.addEventListener(type, (event) => {
        alive();
        reader.event({ ...JSON.parse(event.data), type, position: event.lastEventId } as RoomEvent);
      });
    }
  });
}
