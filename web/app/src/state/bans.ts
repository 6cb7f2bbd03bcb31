// Whom the room keeps out, for those who may let them back in.
import { signal } from '@preact/signals';
import type { Ban } from 'parley-sdk';
import type { CallRoom } from '../backend';
import { attempt } from './notices';

export const bans = signal<readonly Ban[]>([]);

export async function readBans(room: CallRoom): Promise<void> {
  try {
    bans.value = await room.bans();
  } catch {
    bans.value = []; // not ours to see
  }
}

export async function letBackIn(room: CallRoom, identity: string): Promise<void> {
  await attempt(() => room.unban(identity));
  await readBans(room);
}
