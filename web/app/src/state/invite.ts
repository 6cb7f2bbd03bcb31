// The invitation that the dialog shows: made when it opens, made anew when a wish changes.
import { batch, signal } from '@preact/signals';
import type { Invitation, InvitationOptions } from 'parley-sdk';
import type { CallRoom } from '../backend';
import { codeOf } from './notices';
import { roomLink } from './route';

export type Making =
  | { kind: 'making' }
  | { kind: 'ready'; invitation: Invitation; link: string }
  | { kind: 'failed'; code: string; message: string };

export const making = signal<Making>({ kind: 'making' });
export const links = signal<readonly Invitation[]>([]);

/** What is wished; what is missing, the server decides. Kept while the page lives. */
export const wish = signal<InvitationOptions>({ knock: false });

let made: { room: CallRoom; invitation: Invitation; wish: string } | undefined;
let handed = false;
let turn = 0;

/** The link of an invitation: the secret is behind the #, which browsers do not send. */
export function invitationLink(room: string, { invite }: { invite: string }): string {
  return `${roomLink(room)}#invite=${invite}`;
}

/** Shows the invitation for the wish: the one made before, while it is the same and good, else a new one. */
export async function makeInvitation(room: CallRoom): Promise<void> {
  const mine = ++turn;
  const wanted = JSON.stringify(wish.value);
  if (made?.room === room && made.wish === wanted && made.invitation.expiresAt.getTime() > Date.now()) return show();
  // What nobody has seen needs no place in the list.
  const unused = made?.room === room && !handed ? made.invitation.id : undefined;
  if (making.value.kind !== 'ready') making.value = { kind: 'making' };
  try {
    const invitation = await room.invite(wish.value);
    if (turn !== mine) return void room.revoke(invitation.id).catch(() => undefined);
    made = { room, invitation, wish: wanted };
    handed = false;
    show();
    if (unused) await room.revoke(unused).catch(() => undefined);
    await readLinks(room);
  } catch (error) {
    if (turn !== mine) return;
    making.value = { kind: 'failed', code: codeOf(error), message: error instanceof Error ? error.message : '' };
    await readLinks(room); // where there are too many, some can go
  }
}

/** The link was copied, shared or shown: somebody may come by it. */
export function handOut(): void {
  handed = true;
}

export async function readLinks(room: CallRoom): Promise<void> {
  try {
    links.value = await room.invitations();
  } catch {
    links.value = []; // the dialog's link is what matters
  }
}

/** Ends one link, or all of the room; the dialog then makes a new one. */
export async function revoke(room: CallRoom, id?: string): Promise<void> {
  await room.revoke(id);
  if (!id || made?.invitation.id === id) {
    made = undefined;
    making.value = { kind: 'making' };
  }
  await readLinks(room);
}

/** The links that were handed out: all but the fresh one on show. */
export function listed(all: readonly Invitation[], shown: Invitation | undefined): Invitation[] {
  return all.filter((i) => i.id !== shown?.id || i.uses > 0).sort((a, b) => b.madeAt.getTime() - a.madeAt.getTime());
}

function show(): void {
  if (!made) return;
  const { room, invitation } = made;
  batch(() => {
    making.value = { kind: 'ready', invitation, link: invitationLink(room.name, invitation) };
  });
}
