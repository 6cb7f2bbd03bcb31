// Coming to a room: what we have is exchanged for a token before the join, and what will happen is known.
import { signal } from '@preact/signals';
import { backend } from '../backend';
import { codeOf } from './notices';
import { invitationTo, keepInvitation, linkToken, readToken, renewToken, tokenFor } from './route';
import { access, host, loadAccess } from './server';

export type Entry =
  | { kind: 'asking' }
  /** `knock`: somebody inside has to let us in. `guest`: we may not open an empty room. `watch`: we may see who is there. */
  | { kind: 'open'; knock: boolean; guest: boolean; host: boolean; watch: boolean; name: string }
  /** `until`: when it may be tried again, by performance.now(). */
  | { kind: 'refused'; code: string; until: number };

export const entry = signal<Entry>({ kind: 'asking' });

let turn = 0;
let told = ''; // the room whose refusal came from a join, and is still to be shown

/** The page before the call is shown: finds out how one enters, unless a join has just been told. */
export function arrive(room: string): void {
  if (told === room) return;
  void prepare(room);
}

/** Nobody looks at it any more. */
export function depart(): void {
  told = '';
}

/** Finds out how one enters the room. */
export async function prepare(room: string): Promise<void> {
  const mine = ++turn;
  told = '';
  entry.value = { kind: 'asking' };
  await loadAccess();
  try {
    const found = await find(room);
    if (turn === mine) entry.value = found;
  } catch (error) {
    if (turn !== mine) return;
    const code = codeOf(error);
    // Who came without a link has none that ended.
    if (code === 'unauthorized' && !tokenFor(room) && !invitationTo(room)) return refuse('sign_in_needed');
    refuse(code, (error as { retryMs?: number }).retryMs);
  }
}

/** Somebody who came by a link that no longer serves asks to be let in without it. */
export function withoutInvitation(room: string): Promise<void> {
  keepInvitation(room, '');
  return prepare(room);
}

/** A join was refused; the page before the call says what can be done. */
export function refuseJoin(room: string, code: string, retryMs = 0): void {
  told = room;
  refuse(code, retryMs);
}

function refuse(code: string, retryMs = 0): void {
  turn++;
  entry.value = { kind: 'refused', code, until: performance.now() + retryMs };
}

/** A fresh token, for when the one in hand has ended: by the invitation or the cookie we came with. */
export async function renewEntry(room: string): Promise<string | undefined> {
  const { token } = await exchange(room);
  renewToken(token);
  return token;
}

async function find(room: string): Promise<Entry> {
  const direct = linkToken(room);
  if (direct) {
    const { knock = false, guest = false, name = '' } = readToken(direct);
    return { kind: 'open', knock, guest, host: false, watch: true, name };
  }
  const got = await exchange(room);
  renewToken(got.token);
  const { knock, guest, host: ours, can, name = '' } = got;
  return { kind: 'open', knock, guest, host: ours, watch: can.includes('watch'), name };
}

// A host needs no invitation: with one the server would take him for a guest.
function exchange(room: string) {
  const invite = host.value ? undefined : invitationTo(room);
  return backend().enter({ room, invite, token: tokenFor(room) });
}

/** Whether a code says that what we have does not open the room: something else may. */
export function isRefusal(code: string): boolean {
  return refusals.has(code);
}

const refusals = new Set([
  'unauthorized',
  'forbidden',
  'token_expired',
  'sign_in_needed',
  'invitation_expired',
  'invitation_revoked',
  'invitation_invalid',
  'invitation_closed',
]);

/** Whether strangers may ask to be let in. */
export function mayKnock(): boolean {
  return access.value?.open === 'hosts' && access.value.knock;
}
