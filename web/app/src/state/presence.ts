// Who is in a room now, watched from outside of it.
import { signal } from '@preact/signals';
import { backend } from '../backend';
import { codeOf } from './notices';
import { tokenFor } from './route';

export type Presence =
  | { kind: 'none' }
  | { kind: 'asking' }
  | { kind: 'known'; people: readonly Watched[]; locked: boolean; stale: boolean }
  | { kind: 'hidden'; code: string };

/** Somebody in a room, as seen from outside. */
export interface Watched {
  id: string;
  identity: string;
  name: string;
  away: boolean;
}

export const presence = signal<Presence>({ kind: 'none' });

/** Watches a room until the returned function is called. */
export function watchRoom(room: string): () => void {
  presence.value = { kind: 'asking' };
  const watch = backend().watch({ room, token: () => tokenFor(room) });
  const read = () => {
    if (watch.state !== 'live' && watch.state !== 'reconnecting') return;
    if (watch.state === 'reconnecting' && watch.position === undefined) return;
    const people = [...watch.participants.values()].map((p) => ({
      id: p.id,
      identity: p.identity,
      name: p.name || p.identity || 'Guest',
      away: p.away,
    }));
    presence.value = { kind: 'known', people, locked: watch.locked, stale: watch.state === 'reconnecting' };
  };
  const stops = [
    watch.on('change', read),
    watch.on('reset', read),
    watch.on('state', read),
    watch.on('closed', (error) => {
      if (error) presence.value = { kind: 'hidden', code: codeOf(error) };
    }),
  ];
  read();
  return () => {
    for (const stop of stops) stop();
    watch.close();
    presence.value = { kind: 'none' };
  };
}
