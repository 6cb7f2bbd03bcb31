// The figures of the call, looked at once a second for as long as somebody looks.
import { signal } from '@preact/signals';
import type { RoomStats, StreamStats } from 'parley-sdk';
import { useEffect } from 'preact/hooks';
import { people, room } from './call';

const every = 1000; // ms
const most = 120; // looks that are kept: two minutes

/** The looks of the last two minutes, the newest last. */
export const looks = signal<readonly RoomStats[]>([]);

let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;
let looking = false;

/** Keeps the figures coming until the returned function is called. */
export function watchStats(): () => void {
  watchers++;
  if (watchers === 1) {
    looks.value = [];
    timer = setInterval(look, every);
    look();
  }
  let done = false;
  return () => {
    if (done) return;
    done = true;
    watchers--;
    if (watchers === 0) clearInterval(timer);
  };
}

function look(): void {
  const joined = room.value;
  if (!joined || looking) return;
  looking = true;
  joined
    .stats()
    .then(
      (now) => {
        if (room.value === joined) looks.value = [...looks.value.slice(1 - most), now];
      },
      () => undefined, // the room was left meanwhile
    )
    .finally(() => {
      looking = false;
    });
}

/** Figures for as long as a component is on show. */
export function useStats(on = true): RoomStats | undefined {
  useEffect(() => (on ? watchStats() : undefined), [on]);
  return looks.value.at(-1);
}

/** What tells one stream from another. */
export function streamKey(s: StreamStats): string {
  return [s.participant, s.kind, s.direction, s.direction === 'out' ? s.rid : ''].join(' ');
}

/** The bit rates of a stream over the last looks, the newest last. */
export function rates(key: string, over: readonly RoomStats[]): number[] {
  return over.map((look) => look.streams.find((s) => streamKey(s) === key)?.bitrate ?? 0);
}

/** Everything there is to know, to send to whoever can make sense of it. */
export function statsJSON(at = new Date()): string {
  const names = Object.fromEntries(people.value.map((p) => [p.id, p.name]));
  const about = { app: 'parley', room: room.value?.name, at: at.toISOString(), browser: navigator.userAgent };
  return JSON.stringify({ ...about, me: room.value?.me.id, names, looks: looks.value }, null, 1);
}
