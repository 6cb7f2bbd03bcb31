// The call itself: joining, the mirror of the room in signals, leaving.
import { batch, computed, effect, signal, untracked } from '@preact/signals';
import type { MediaState, Message, Permission, Reason, RoomState, Waiting } from 'parley-sdk';
import { backend, type CallRoom } from '../backend';
import { keyParts, tileKey } from '../layout/plan';
import { names } from '../text/format';
import { chime } from '../ui/chime';
import { announce } from '../ui/live';
import { keepIn } from './again';
import { spoken, unreadAfter } from './chat';
import { isRefusal, refuseJoin, renewEntry } from './entry';
import { followKnocks } from './knocks';
import { attempt, clearNotices, codeOf, notify } from './notices';
import { followOwn, giveTracks, type OwnTracks } from './own';
import { changes, inOrder, type Person, person, silences } from './people';
import { renewToken, route } from './route';
import { saveSettings, settings, visited } from './settings';
import { tabs } from './tabs';
import { followTransfers } from './transfers';
import { panel, pinned, resetView } from './view';

export type Phase = 'out' | 'joining' | 'waiting' | 'in' | 'over';

/** Why a call is over or was never joined. `left`: by our own wish. */
export interface Ending {
  code: string;
  message: string;
  joined: boolean;
  /** Before it (performance.now) trying again is in vain. */
  until?: number;
}

export const phase = signal<Phase>('out');
export const ending = signal<Ending | undefined>(undefined);
export const room = signal<CallRoom | undefined>(undefined);
export const connection = signal<RoomState>('connecting');
export const people = signal<readonly Person[]>([]);
export const speaking = signal<readonly string[]>([]);
export const locked = signal(false);
export const can = signal<ReadonlySet<Permission>>(new Set());
export const messages = signal<readonly Message[]>([]);
export const qualities = signal<ReadonlyMap<string, number>>(new Map());
/** Why the server holds videos back, by the key of their tile (layout/plan.ts). */
export const held = signal<ReadonlyMap<string, Reason>>(new Map());
/** The connection for sound and picture; `connection` is the one for everything else. */
export const media = signal<MediaState>('connecting');
export const audioBlocked = signal(false);
/** When we joined, by performance.now(). */
export const since = signal(0);
/** Since when the connection has been away, by performance.now(); 0: it is there. */
export const lostSince = signal(0);
export const waiting = signal<Waiting>({ for: 'moderator', connected: true });

/** Nobody else has been here yet. */
export const everAlone = signal(true);

const seen = signal('');

export const me = computed(() => room.value?.me.id ?? '');
export const others = computed(() => people.value.filter((p) => !p.me));
export const unread = computed(() => unreadAfter(messages.value, seen.value, me.value));

/** When each last spoke, by performance.now(): who keeps a tile when there are not enough. */
export const lastSpoke = new Map<string, number>();

let stopFollowing: (() => void)[] = [];

// The room we are in, joining, or were in last; and what gives up the join under way.
let wanted = '';
let joining: AbortController | undefined;
let letGo = () => {}; // of the call, as far as other tabs are concerned

export interface JoinRequest {
  room: string;
  name: string;
  token?: string | undefined;
  /** Ask to be let in, though the token would do: the room is locked. */
  knock?: boolean;
  /** Take the call over from the other tabs of this browser. */
  take?: boolean;
  /** What to give to the room once we are in: camera and microphone stay ours while we wait. */
  tracks: () => OwnTracks;
}

/** Joins, waiting to be let in where that is asked; resolves when it worked or the reason is in `ending`. */
export async function join(request: JoinRequest): Promise<void> {
  if (phase.value !== 'out' && phase.value !== 'over') return;
  phase.value = 'joining';
  ending.value = undefined;
  wanted = request.room;
  saveSettings({ name: request.name });
  const mine = new AbortController();
  joining = mine;
  letGo();
  letGo = tabs().hold(request.room, { token: () => room.value?.token, leave: moveAway });
  try {
    if (request.take) await tabs().take(request.room);
    const joined = await backend().connect({
      room: request.room,
      name: request.name,
      token: request.token,
      knock: request.knock,
      media: true,
      signal: mine.signal,
      onWaiting: (w) => waits(mine, w),
      renew: () => renewEntry(request.room),
    });
    if (mine.signal.aborted) {
      await joined.leave();
      throw mine.signal.reason;
    }
    saveSettings({ recent: visited(settings.value.recent, request.room) });
    const waited = (phase.value as Phase) === 'waiting';
    const tracks = request.tracks();
    enter(joined, waited);
    await giveTracks(joined, tracks);
  } catch (error) {
    if (joining !== mine || (phase.value !== 'joining' && phase.value !== 'waiting')) return;
    refused(error, request);
  }
}

// What we have does not open the room: the page before the call says what can be done. Everything else is an ending.
function refused(error: unknown, request: JoinRequest): void {
  const code = codeOf(error);
  const { retryMs = 0 } = error as { retryMs?: number };
  if (isRefusal(code)) {
    letGo();
    refuseJoin(wanted, code, retryMs);
    phase.value = 'out';
    return;
  }
  const { camera, microphone } = request.tracks();
  for (const track of [camera, microphone]) void track.then((t) => t?.stop());
  const message = error instanceof Error ? error.message : '';
  finish({ code, message, joined: false, until: performance.now() + retryMs });
}

function waits(mine: AbortController, w: Waiting): void {
  if (joining !== mine || mine.signal.aborted) return;
  const news = phase.value !== 'waiting' || waiting.value.for !== w.for;
  const lost = waiting.value.connected && !w.connected;
  batch(() => {
    waiting.value = w;
    phase.value = 'waiting';
  });
  if (lost) announce('Connection lost. Connecting again; your place is kept.');
  else if (news) announce(waitingWords(w.for).join('. '));
}

/** What we wait for, and that it needs nothing more. */
export function waitingWords(who: Waiting['for']): [title: string, advice: string] {
  return who === 'host'
    ? ['The host is not here yet', 'You will be let in as soon as they come.']
    : ['Asked to join', 'Somebody in the room will let you in.'];
}

/** Gives up a join that is on its way, or waiting. */
export function giveUp(): void {
  const given = joining;
  joining = undefined;
  letGo();
  phase.value = 'out';
  given?.abort();
}

export async function leave(): Promise<void> {
  const current = room.value;
  if (!current) return;
  finish({ code: 'left', message: '', joined: true });
  await current.leave().catch(() => undefined); // Gone already: nothing is left to tell the server.
}

/**
 * Ends the call, or gives up joining it, once the address is another one: by the back button as well. Otherwise camera and
 * microphone would go on behind a page that shows nothing of it. Returns what ends the watching.
 */
export function followRoute(): () => void {
  return effect(() => {
    const at = route.value;
    const here = at.page === 'room' ? at.room : '';
    untracked(() => {
      if (phase.value === 'out' || here === wanted) return;
      if (phase.value === 'joining' || phase.value === 'waiting') {
        giveUp();
        return;
      }
      if (phase.value === 'in') void leave();
      dismissEnding();
    });
  });
}

/** Forgets the ended call: back to the pages before it. */
export function dismissEnding(): void {
  ending.value = undefined;
  phase.value = 'out';
}

export function sendChat(text: string, to: string): Promise<boolean> {
  const current = room.value;
  if (!current) return Promise.resolve(false);
  return attempt(() => current.chat(text, to || undefined));
}

/** Everything said so far has been read. */
export function markRead(): void {
  seen.value = messages.value.at(-1)?.id ?? '';
}

function enter(joined: CallRoom, waited: boolean): void {
  renewToken(joined.token);
  lastSpoke.clear();
  resetView();
  clearNotices();
  stopFollowing = [
    ...follow(joined),
    followOwn(joined),
    followTransfers(joined),
    followPins(joined),
    followKnocks(joined),
    keepIn(wanted),
  ];
  batch(() => {
    room.value = joined;
    messages.value = [...joined.messages];
    seen.value = joined.messages.at(-1)?.id ?? '';
    connection.value = joined.state;
    audioBlocked.value = joined.audioBlocked;
    held.value = new Map();
    media.value = joined.mediaState;
    since.value = performance.now();
    people.value = [];
    everAlone.value = true;
    mirror(joined, false);
    phase.value = 'in';
  });
  if (waited) chime('admitted');
  admitted.value = waited && document.visibilityState === 'hidden';
  const here = others.value.map((p) => p.name);
  announce(
    here.length > 0
      ? `You joined. ${names(here, 4)} ${here.length > 1 ? 'are' : 'is'} here.`
      : 'You joined. Nobody else is here yet.',
  );
}

/** We were let in while nobody looked: the title says so until somebody does. */
export const admitted = signal(false);

// Another tab of this browser takes the call over.
function moveAway(): void {
  const current = room.value;
  if (phase.value === 'joining' || phase.value === 'waiting') giveUp();
  finish({ code: 'moved', message: '', joined: true });
  void current?.leave().catch(() => undefined);
}

function follow(joined: CallRoom): (() => void)[] {
  return [
    joined.on('change', () => mirror(joined, true)),
    joined.on('reset', () => {
      messages.value = [...joined.messages];
      mirror(joined, true);
    }),
    joined.on('speaking', (ids) => {
      for (const id of ids) lastSpoke.set(id, performance.now());
      speaking.value = [...ids];
    }),
    joined.on('message', (message) => heard(joined, message)),
    joined.on('state', (state) => {
      if (state === 'reconnecting') {
        if (!lostSince.value) lostSince.value = performance.now();
        announce('Connection lost. Reconnecting.', true);
      }
      if (state === 'connected' && connection.value === 'reconnecting') announce('Connected again.');
      if (state === 'connected') lostSince.value = 0;
      connection.value = state;
    }),
    joined.on('rejoined', ({ restarted }) => notify(backAgain(restarted))),
    joined.on('permissions', () => {
      const before = can.value.has('moderate');
      can.value = joined.can;
      promoted(before, joined.can.has('moderate'));
    }),
    joined.on('quality', ({ participant, level }) => {
      qualities.value = new Map(qualities.value).set(participant, level);
    }),
    joined.on('paused', ({ participant, stream, reason }) => {
      const next = new Map(held.value);
      if (reason) next.set(tileKey(participant, stream), reason);
      else next.delete(tileKey(participant, stream));
      held.value = next;
    }),
    joined.on('media', (state) => {
      if (state === 'failed') announce('Sound and picture do not get through. Still trying.', true);
      if (state === 'connected' && media.value !== 'connecting') announce('Sound and picture are back.');
      media.value = state;
    }),
    joined.on('credentials', ({ token }) => renewToken(token)),
    joined.on('audioBlocked', (blocked) => {
      audioBlocked.value = blocked;
    }),
    joined.on('error', (error) => {
      // Failed media is a state, and has a banner that stays; of a device that is gone, own.ts tells.
      if (error.code !== 'media_failed' && error.code !== 'no_device')
        notify({ title: 'Something did not work', advice: error.message });
    }),
    joined.on('closed', (error) => {
      if (phase.value === 'in') finish({ code: error?.code ?? 'left', message: error?.message ?? '', joined: true });
    }),
  ];
}

/** What happened while we were out, and that nothing is to be done. */
export function backAgain(restarted: boolean): { title: string; advice: string } {
  const why = restarted ? 'The server was restarted.' : 'The connection was away for a while.';
  return { title: 'You are back in the call', advice: `${why} There is nothing to do.` };
}

function promoted(before: boolean, now: boolean): void {
  if (now && !before)
    notify({ title: 'You are the moderator now', advice: 'You can admit, mute and remove people, and lock the room.' });
  if (before && !now) notify({ title: 'You are not a moderator any more' });
}

// What is pinned is large, and comes first when the network is short.
function followPins(joined: CallRoom): () => void {
  let before: string | undefined;
  return effect(() => {
    const now = pinned.value;
    if (now === before) return;
    if (before) joined.pin(...keyParts(before), false);
    if (now) joined.pin(...keyParts(now));
    before = now;
  });
}

// Everything small that the room's `change` may have touched is read anew: one place, no drift.
function mirror(joined: CallRoom, say: boolean): void {
  const before = new Map(people.value.map((p) => [p.id, p]));
  const now = inOrder([...joined.participants.values()].map((p) => person(p, joined.me.id, before.get(p.id))));
  if (!now.some((p) => p.me)) now.push(person(joined.me, joined.me.id));
  const { came, went } = changes(people.value, now);
  const { lost, back } = silences(people.value, now);
  batch(() => {
    people.value = now;
    if (now.length > 1) everAlone.value = false;
    speaking.value = [...joined.speaking];
    locked.value = joined.locked;
    can.value = joined.can;
    qualities.value = scores(joined);
    if (pinned.value && !now.some((p) => pinned.value?.startsWith(p.id))) pinned.value = undefined;
  });
  if (!say) return;
  if (came.length > 0) announce(`${names(came)} joined.`);
  if (went.length > 0) announce(`${names(went)} left.`);
  if (lost.length > 0) announce(`${names(lost)} ${lost.length > 1 ? 'are' : 'is'} not reachable.`);
  if (back.length > 0) announce(`${names(back)} ${back.length > 1 ? 'are' : 'is'} back.`);
}

function scores(joined: CallRoom): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const id of joined.participants.keys()) {
    const level = joined.quality(id);
    if (level !== undefined) known.set(id, level);
  }
  return known;
}

function heard(joined: CallRoom, message: Message): void {
  messages.value = [...joined.messages];
  if (panel.value === 'chat' && document.visibilityState === 'visible') markRead();
  if (message.from !== joined.me.id) announce(spoken(message));
}

function finish(why: Ending): void {
  letGo();
  for (const stop of stopFollowing) stop();
  stopFollowing = [];
  batch(() => {
    resetView();
    ending.value = why;
    phase.value = 'over';
    room.value = undefined;
    people.value = [];
    messages.value = [];
    speaking.value = [];
    lostSince.value = 0;
    admitted.value = false;
  });
}
