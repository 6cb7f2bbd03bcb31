// What holds on this server, and who is signed in as a host.
import { computed, signal } from '@preact/signals';
import type { Access, Host } from 'parley-sdk';
import { backend } from '../backend';
import { announce } from '../ui/live';
import { codeOf } from './notices';
import { forgetTokens } from './route';

export type Known =
  | { kind: 'asking' }
  | { kind: 'known'; access: Access }
  | { kind: 'failed'; code: string; message: string };

export const server = signal<Known>({ kind: 'asking' });

/** What the server says of itself; undefined until it has. */
export const access = computed(() => (server.value.kind === 'known' ? server.value.access : undefined));

/** Who is signed in. */
export const host = computed<Host | undefined>(() => access.value?.host);

let asked: Promise<void> | undefined;

/** Asks the server what holds there, once; after a failure, again. */
export function loadAccess(): Promise<void> {
  asked ??= ask();
  return asked;
}

async function ask(): Promise<void> {
  try {
    server.value = { kind: 'known', access: await backend().access() };
  } catch (error) {
    asked = undefined;
    server.value = { kind: 'failed', code: codeOf(error), message: error instanceof Error ? error.message : '' };
  }
}

/** Forgets what is known, and asks anew. */
export function reloadAccess(): Promise<void> {
  asked = undefined;
  return loadAccess();
}

/** Signs in. Throws what the server says. */
export async function signIn(by: { passphrase?: string; key?: string; name?: string }): Promise<Host> {
  const mine = await backend().signIn(by);
  forgetTokens(); // from now on the cookie speaks for us
  await reloadAccess();
  announce(`Signed in as ${mine.name || 'a host'}.`);
  return mine;
}

export async function signOut(): Promise<void> {
  await backend().signOut();
  forgetTokens();
  await reloadAccess();
  announce('Signed out.');
}

/** Where signing in elsewhere begins; it comes back to `back`. */
export function oidcPath(back: string): string {
  return `/v1/access/oidc?return=${encodeURIComponent(back)}`;
}

/**
 * How this person brings others in: by the room's plain link, by an invitation, by an address at which one knocks, or by
 * asking somebody else.
 */
export function wayToInvite(can: ReadonlySet<string>): 'plain' | 'invitation' | 'knock' | 'none' {
  const here = access.value;
  if (!here) return can.has('invite') ? 'invitation' : 'plain';
  if (here.open === 'anyone') return 'plain';
  if (can.has('invite')) return 'invitation';
  return here.open === 'hosts' && here.knock ? 'knock' : 'none';
}
