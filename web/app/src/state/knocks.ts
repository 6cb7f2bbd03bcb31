// Who waits to be let in, for those who may let them in.
import { computed, signal } from '@preact/signals';
import type { Knock } from 'parley-sdk';
import type { CallRoom } from '../backend';
import { names } from '../text/format';
import { chime } from '../ui/chime';
import { announce } from '../ui/live';
import { attempt } from './notices';

export const knocks = signal<readonly Knock[]>([]);

const put = signal<ReadonlySet<string>>(new Set()); // seen, and put off

/** Those whom the toast is about: not yet put off. */
export const asking = computed(() => knocks.value.filter((k) => !put.value.has(k.id)));

let current: CallRoom | undefined;

/** Mirrors the room's waiting list until the returned function is called. */
export function followKnocks(room: CallRoom): () => void {
  current = room;
  knocks.value = [...room.waiting];
  if (knocks.value.length > 0) say(knocks.value);
  const read = () => {
    const before = new Set(knocks.value.map((k) => k.id));
    knocks.value = [...room.waiting];
    const news = knocks.value.filter((k) => !before.has(k.id));
    if (news.length > 0) say(news);
  };
  const stops = (['knocking', 'knock_ended', 'permissions', 'reset'] as const).map((event) => room.on(event, read));
  return () => {
    for (const stop of stops) stop();
    current = undefined;
    knocks.value = [];
    put.value = new Set();
  };
}

/** Lets one in, or everybody. */
export function admit(id?: string): void {
  const room = current;
  if (room) void attempt(() => room.admit(id));
}

/** Sends one away, or everybody. */
export function decline(id?: string): void {
  const room = current;
  if (room) void attempt(() => room.decline(id));
}

/** The toast goes; the list and its number stay. */
export function later(): void {
  put.value = new Set(knocks.value.map((k) => k.id));
}

/** "Bob wants to join." "3 people want to join." */
export function knockLine(list: readonly Knock[]): string {
  if (list.length > 2) return `${list.length} people want to join`;
  return `${names(list.map((k) => k.name || 'Somebody'))} ${list.length > 1 ? 'want' : 'wants'} to join`;
}

// Once for those who come at the same time.
function say(news: readonly Knock[]): void {
  announce(`${knockLine(news)}.`);
  chime('knock');
}
