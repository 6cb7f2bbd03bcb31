import { Backoff, FEED_DELAYS } from './backoff';
import type { ParleyError } from './errors';
import type { FeedReader } from './feedreader';
import type { RoomEvent, Snapshot } from './protocol';
import { refusal } from './refusal';
import { now } from './time';
import { readToken, renewed } from './url';
import { wait } from './wait';

const WAIT = '25s';
const PATIENCE = 40_000; // ms for an answer, the server's waiting included

interface Answer {
  position: string;
  snapshot?: Snapshot;
  events?: RoomEvent[];
}

/** Follows a room by one request after the other, each of which the server answers when there is news. */
export async function longPoll(reader: FeedReader, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff(Math.random, FEED_DELAYS);
  while (!signal.aborted) {
    try {
      const answer = await ask(reader, signal);
      if (signal.aborted) return;
      backoff.up(now() - 60_000); // an answer is health enough
      reader.live(true);
      if (answer.snapshot) reader.snapshot(answer.snapshot);
      for (const event of answer.events ?? []) reader.event(event);
    } catch (error) {
      if (signal.aborted) return;
      if (
        error instanceof Refused &&
        !error.reason.retry &&
        !(await renewed(reader.token, error.token, error.reason))
      ) {
        reader.fatal(error.reason);
        return;
      }
      reader.live(false);
      await wait(backoff.next(now()), signal);
    }
  }
}

class Refused extends Error {
  constructor(
    readonly reason: ParleyError,
    readonly token: string | undefined,
  ) {
    super(reason.message);
  }
}

async function ask(reader: FeedReader, signal: AbortSignal): Promise<Answer> {
  const url = new URL(reader.url);
  const after = reader.position();
  if (after) url.searchParams.set('after', after);
  url.searchParams.set('wait', WAIT);
  const token = await readToken(reader.token);
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
  const response = await fetch(url, { headers, signal: limit, cache: 'no-store' });
  if (!response.ok) throw new Refused(await refusal(response), token);
  const answer = (await response.json()) as Answer;
  if (typeof answer.position !== 'string') throw new Error('not our server'); // a proxy's word, at once and for ever
  return answer;
}
