// Files on their way, as cards: what each can be asked to do, and how it goes.
import { computed, signal } from '@preact/signals';
import type { TransferState } from 'parley-sdk';
import type { CallRoom, FileTransfer } from '../backend';
import { bytes, speed, timeLeft } from '../text/format';
import { problem } from '../text/problems';
import { announce } from '../ui/live';
import { attempt, codeOf, notify, problemOf } from './notices';

/** A transfer as it is at one moment. */
export interface Card {
  id: string;
  name: string;
  size: number;
  incoming: boolean;
  /** The other side's name, as it was when the transfer began. */
  who: string;
  peer: string;
  state: TransferState;
  bytes: number;
  speed: number;
  code: string;
  savable: boolean;
  /** We have cancelled it ourselves. */
  ours: boolean;
}

export interface CardText {
  /** One line under the name. */
  line: string;
  tone: 'plain' | 'done' | 'failed';
  /** 0 to 1, or undefined where there is nothing to show. */
  progress: number | undefined;
  /** Speed and time left, while it moves. */
  figures: string;
}

/** Whether a transfer still needs the page to stay open. */
export function moving(state: TransferState): boolean {
  return state === 'connecting' || state === 'active' || state === 'verifying';
}

/** What a card says. Pure. */
export function cardText(c: Card): CardText {
  const size = bytes(c.size);
  const direction = c.incoming ? `from ${c.who}` : `to ${c.who}`;
  const progress = c.size > 0 ? Math.min(1, c.bytes / c.size) : 1;
  const text = (line: string, tone: CardText['tone'] = 'plain', shown?: number, figures = ''): CardText => ({
    line,
    tone,
    progress: shown,
    figures,
  });
  switch (c.state) {
    case 'offered':
      return text(c.incoming ? `${c.who} wants to send you this, ${size}` : `${size} ${direction}: waiting for a yes`);
    case 'connecting':
      return text(`${size} ${direction}: connecting`, 'plain', 0);
    case 'active': {
      const left = c.speed > 0 ? timeLeft((c.size - c.bytes) / c.speed) : '';
      const figures = [c.speed > 0 ? speed(c.speed) : '', left].filter(Boolean).join(', ');
      return text(`${bytes(c.bytes)} of ${size} ${direction}`, 'plain', progress, figures);
    }
    case 'verifying':
      return text(`${size} ${direction}: checking`, 'plain', 1);
    case 'done':
      return text(c.incoming ? `Received ${direction}, ${size}` : `Delivered ${direction}, ${size}`, 'done');
    case 'rejected':
      return text(c.incoming ? `Declined, ${size} ${direction}` : `${c.who} declined`, c.incoming ? 'plain' : 'failed');
    case 'cancelled':
      return text(c.ours ? `Cancelled, ${size} ${direction}` : `${c.who} cancelled it or left, ${size}`);
    case 'failed': {
      const p = problem(c.code);
      return text(`${p.title}. ${p.advice}`, 'failed');
    }
  }
}

export const cards = signal<readonly Card[]>([]);
export const folded = signal(false);
export const anyMoving = computed(() => cards.value.some((c) => moving(c.state)));

const byId = new Map<string, FileTransfer>();
const sentFiles = new Map<string, File>();
let current: CallRoom | undefined;
let refresh: ReturnType<typeof setTimeout> | undefined;

/** Progress is drawn this often at most, in ms. */
const drawEvery = 200;

/** Follows a room's transfers until the returned function is called. */
export function followTransfers(room: CallRoom): () => void {
  current = room;
  const stop = room.on('file', (transfer) => {
    follow(transfer);
    folded.value = false;
    const who = cards.value.find((c) => c.id === transfer.id)?.who;
    announce(`${who} wants to send you ${transfer.name}, ${bytes(transfer.size)}.`, true);
  });
  return () => {
    stop();
    clearTimeout(refresh);
    refresh = undefined;
    current = undefined;
    byId.clear();
    sentFiles.clear();
    names.clear();
    ours.clear();
    cards.value = [];
    folded.value = false;
  };
}

/** Sends files to each of the people, one transfer each. */
export function sendFiles(files: readonly File[], to: readonly string[]): void {
  const room = current;
  if (!room) return;
  if (!room.can.has('message')) {
    notify({ title: 'You may not send files here', advice: 'Your link does not allow it.' });
    return;
  }
  if (to.length === 0) {
    notify({ title: 'Nobody is here to send it to', advice: 'Wait until somebody has joined.' });
    return;
  }
  for (const file of files) {
    for (const peer of to) {
      try {
        const transfer = room.files.send(file, peer);
        sentFiles.set(transfer.id, file);
        follow(transfer);
      } catch (error) {
        notify(problemOf(error));
        return;
      }
    }
  }
  folded.value = false;
}

export function acceptFile(id: string): void {
  const transfer = byId.get(id);
  if (!transfer) return;
  transfer.accept().catch((error: unknown) => {
    // The place to save was not chosen: the offer stands.
    if (codeOf(error) !== 'picker_cancelled' && transfer.state === 'offered') notify(problemOf(error));
  });
}

export function declineFile(id: string): void {
  byId.get(id)?.reject();
  dismissCard(id);
}

export function cancelFile(id: string): void {
  ours.add(id);
  byId.get(id)?.cancel();
}

export function saveFile(id: string): void {
  const transfer = byId.get(id);
  if (transfer) void attempt(() => transfer.save()).then(draw);
}

/** Sends the same file to the same person again. */
export function tryAgain(id: string): void {
  const file = sentFiles.get(id);
  const peer = byId.get(id)?.peer;
  if (!file || !peer) return;
  dismissCard(id);
  sendFiles([file], [peer]);
}

export function canTryAgain(c: Card): boolean {
  const may = c.state === 'rejected' || c.state === 'cancelled' || (c.state === 'failed' && problem(c.code).retry);
  return may && !c.incoming && sentFiles.has(c.id);
}

export function dismissCard(id: string): void {
  byId.delete(id);
  sentFiles.delete(id);
  draw();
}

function follow(transfer: FileTransfer): void {
  byId.set(transfer.id, transfer);
  names.set(transfer.id, current?.participants.get(transfer.peer)?.name || 'Guest');
  transfer.on('state', (state) => {
    draw();
    const text = byId.has(transfer.id) ? cards.value.find((c) => c.id === transfer.id) : undefined;
    if (text && (state === 'done' || state === 'failed' || state === 'rejected'))
      announce(`${transfer.name}: ${cardText(text).line}`);
  });
  transfer.on('progress', () => {
    refresh ??= setTimeout(draw, drawEvery);
  });
  draw();
}

const names = new Map<string, string>();
const ours = new Set<string>();

function draw(): void {
  clearTimeout(refresh);
  refresh = undefined;
  cards.value = [...byId.values()].map((t) => ({
    id: t.id,
    name: t.name,
    size: t.size,
    incoming: t.direction === 'in',
    who: names.get(t.id) ?? 'Guest',
    peer: t.peer,
    state: t.state,
    bytes: t.bytes,
    speed: t.speed,
    code: t.error?.code ?? '',
    savable: t.savable,
    ours: ours.has(t.id),
  }));
}
