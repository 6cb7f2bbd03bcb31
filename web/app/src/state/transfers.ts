// Files on their way: what each can be asked to do, and the mirror of all in signals.
import { computed, signal } from '@preact/signals';
import type { CallRoom, FileTransfer } from '../backend';
import { bytes, names } from '../text/format';
import { problem } from '../text/problems';
import { announce } from '../ui/live';
import { type Card, ended, moving, piles, pileText } from './cards';
import { attempt, codeOf, notify, problemOf } from './notices';

export const cards = signal<readonly Card[]>([]);
export const pileList = computed(() => piles(cards.value));
export const folded = signal(false);
export const anyMoving = computed(() => cards.value.some((c) => moving(c.state)));
/** Received files that leaving the room would throw away. */
export const unsaved = computed(() => cards.value.filter((c) => c.savable && !saved.has(c.id)));

interface Sent {
  file: File;
  /** Whose it is: the same person has another id after coming back. */
  identity: string;
}

const byId = new Map<string, FileTransfer>();
const sent = new Map<string, Sent>();
const people = new Map<string, string>();
const ours = new Set<string>();
const saved = new Set<string>();
let current: CallRoom | undefined;
let refresh: ReturnType<typeof setTimeout> | undefined;

/** Progress is drawn this often at most, in ms. */
const drawEvery = 200;

/** Between two downloads, in ms. */
const saveEvery = 150;

/** Follows a room's transfers until the returned function is called. */
export function followTransfers(room: CallRoom): () => void {
  current = room;
  const stop = room.on('file', (transfer) => {
    follow(transfer);
    draw();
    const pile = pileList.value.find((p) => p.cards.some((c) => c.id === transfer.id));
    if (!pile || pile.cards.length > 1 || transfer.state !== 'offered') return; // asked about already
    folded.value = false;
    const what = pile.count > 1 ? `${pile.count} files` : transfer.name;
    announce(`${people.get(transfer.id)} wants to send you ${what}, ${bytes(pile.size)}.`, true);
  });
  return () => {
    stop();
    clearTimeout(refresh);
    refresh = undefined;
    current = undefined;
    for (const known of [byId, sent, people, ours, saved]) known.clear();
    cards.value = [];
    folded.value = false;
  };
}

/** Sends files to each of the people, one transfer each; everybody is asked once. */
export function sendFiles(files: readonly File[], to: readonly string[]): void {
  const room = current;
  if (!room || files.length === 0) return;
  if (!room.can.has('message')) {
    notify({ title: 'You may not send files here', advice: 'Your link does not allow it.' });
    return;
  }
  if (to.length === 0) {
    notify({ title: 'Nobody is here to send it to', advice: 'Wait until somebody has joined.' });
    return;
  }
  const all = room.files.sendAll(files, to);
  for (const [i, transfer] of all.entries()) {
    const file = files[Math.floor(i / to.length)] as File;
    sent.set(transfer.id, { file, identity: room.participants.get(transfer.peer)?.identity ?? '' });
    follow(transfer);
  }
  folded.value = false;
  draw();
}

/** Says at once what of a drop cannot be sent. */
export function refuseFolders(folders: readonly string[]): void {
  if (folders.length === 0) return;
  const one = folders.length === 1;
  notify({
    title: one ? `“${folders[0]}” is a folder` : `${names(folders)} are folders`,
    advice: `Folders cannot be sent. Choose the files in ${one ? 'it' : 'them'}, or pack ${one ? 'it' : 'them'} into an archive.`,
  });
}

/** One yes to all that was offered together. */
export function acceptFile(id: string): void {
  const transfer = byId.get(id);
  if (!transfer) return;
  transfer.accept({ all: true }).catch((error: unknown) => {
    // The place to save was not chosen: the offer stands.
    if (codeOf(error) !== 'picker_cancelled' && transfer.state === 'offered') notify(problemOf(error));
  });
}

/** One no to all that was offered together. */
export function declineFile(id: string): void {
  const batch = byId.get(id)?.batch?.id;
  byId.get(id)?.reject({ all: true });
  const together = cards.value.filter((c) => c.id === id || (batch && c.incoming && c.batch?.id === batch));
  dismissCards(together.map((c) => c.id));
}

export function cancelFiles(ids: readonly string[]): void {
  for (const id of ids) {
    ours.add(id);
    byId.get(id)?.cancel();
  }
  draw();
}

/** Saves one after the other: browsers pass over downloads that all begin at once. */
export async function saveFiles(ids: readonly string[]): Promise<void> {
  for (const [i, id] of ids.entries()) {
    const transfer = byId.get(id);
    if (!transfer?.savable) continue;
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, saveEvery));
    if (await attempt(() => transfer.save())) saved.add(id);
    draw();
  }
}

/** Sends the same files to the same people again: to who they are now, where they came back. */
export function tryAgain(ids: readonly string[]): void {
  const again = ids.map((id) => ({ ...sent.get(id), peer: byId.get(id)?.peer ?? '' }));
  dismissCards(ids);
  const byPeer = new Map<string, File[]>();
  for (const { file, identity, peer } of again) {
    if (!file) continue;
    const to = present(peer, identity ?? '');
    byPeer.set(to, [...(byPeer.get(to) ?? []), file]);
  }
  const [one] = [...byPeer.values()];
  const same = one?.length === 1 && [...byPeer.values()].every((f) => f.length === 1 && f[0] === one[0]);
  if (one && same) sendFiles(one, [...byPeer.keys()]);
  else for (const [peer, files] of byPeer) sendFiles(files, [peer]);
}

function present(peer: string, identity: string): string {
  const here = current?.participants;
  if (!here || here.has(peer)) return peer;
  const back = [...here.values()].find((p) => p.identity !== '' && p.identity === identity);
  return back?.id ?? peer;
}

export function canTryAgain(c: Card): boolean {
  const known = sent.get(c.id);
  if (c.incoming || !known) return false;
  if (c.state === 'failed') return problem(c.code).retry || present(c.peer, known.identity) !== c.peer;
  return c.state === 'rejected' || c.state === 'cancelled';
}

/** Takes cards away; what was received and not saved goes with them. */
export function dismissCards(ids: readonly string[]): void {
  for (const id of ids) {
    byId.get(id)?.discard();
    for (const known of [byId, sent, people, ours, saved]) known.delete(id);
  }
  draw();
}

function follow(transfer: FileTransfer): void {
  const { id } = transfer;
  byId.set(id, transfer);
  people.set(id, current?.participants.get(transfer.peer)?.name || 'Guest');
  transfer.on('state', (state) => {
    draw();
    const pile = pileList.value.find((p) => p.cards.some((c) => c.id === id));
    if (!pile || !ended(state) || state === 'cancelled') return;
    const text = pileText(pile);
    if (pile.cards.every((c) => ended(c.state))) announce(`${text.title}: ${text.line}`);
  });
  transfer.on('savable', draw);
  transfer.on('progress', () => {
    refresh ??= setTimeout(draw, drawEvery);
  });
}

function draw(): void {
  clearTimeout(refresh);
  refresh = undefined;
  cards.value = [...byId.values()].map((t) => ({
    id: t.id,
    name: t.name,
    size: t.size,
    incoming: t.direction === 'in',
    who: people.get(t.id) ?? 'Guest',
    peer: t.peer,
    state: t.state,
    bytes: t.bytes,
    speed: t.speed,
    code: t.error?.code ?? '',
    savable: t.savable,
    ours: ours.has(t.id),
    batch: t.batch,
  }));
}
