// What the cards of file transfers say. Pure: from transfers as they are at one moment to words.
import type { Batch, TransferState } from 'parley-sdk';
import { bytes, names, speed, timeLeft } from '../text/format';
import { problem } from '../text/problems';

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
  batch: Batch | undefined;
}

/** What was sent together: one card on the screen, one question. */
export interface Pile {
  key: string;
  cards: readonly Card[];
  /** Files in it, those included that are still to be named. */
  count: number;
  size: number;
}

export interface CardText {
  title: string;
  /** One line under the title. */
  line: string;
  tone: 'plain' | 'done' | 'failed';
  /** 0 to 1, or undefined where there is nothing to show. */
  progress: number | undefined;
  /** Speed and time left, while it moves. */
  figures: string;
}

/** Whether a transfer still needs the page to stay open. */
export function moving(state: TransferState): boolean {
  return state === 'queued' || state === 'connecting' || state === 'active' || state === 'verifying';
}

/** Whether nothing more will happen. */
export function ended(state: TransferState): boolean {
  return state !== 'offered' && !moving(state);
}

/** What a single transfer says. */
export function cardText(c: Card): CardText {
  const size = bytes(c.size);
  const direction = c.incoming ? `from ${c.who}` : `to ${c.who}`;
  const progress = c.size > 0 ? Math.min(1, c.bytes / c.size) : 1;
  const text = (line: string, tone: CardText['tone'] = 'plain', shown?: number, figures = ''): CardText => ({
    title: c.name,
    line,
    tone,
    progress: shown,
    figures,
  });
  const fault = () => {
    const p = problem(c.code);
    return text(`${p.title}. ${p.advice}`, 'failed');
  };
  switch (c.state) {
    case 'offered':
      return text(c.incoming ? `${c.who} wants to send you this, ${size}` : `${size} ${direction}: waiting for a yes`);
    case 'queued':
      return text(`${size} ${direction}: waiting its turn`, 'plain', 0);
    case 'connecting':
      return text(`${size} ${direction}: connecting`, 'plain', 0);
    case 'active':
      return text(`${bytes(c.bytes)} of ${size} ${direction}`, 'plain', progress, pace([c]));
    case 'verifying':
      return text(`${size} ${direction}: checking`, 'plain', 1);
    case 'done':
      return text(c.incoming ? `Received ${direction}, ${size}` : `Delivered ${direction}, ${size}`, 'done');
    case 'rejected':
      if (c.code === 'peer_busy') return fault();
      return text(c.incoming ? `Declined, ${size} ${direction}` : `${c.who} declined`, c.incoming ? 'plain' : 'failed');
    case 'cancelled':
      return text(c.ours ? `Cancelled, ${size} ${direction}` : `${c.who} cancelled it or left, ${size}`);
    case 'failed':
      return fault();
  }
}

/** Speed and time left of what moves, for all of `left` bytes. */
function pace(cards: readonly Card[], left = remaining(cards)): string {
  const sum = cards.reduce((n, c) => n + (c.state === 'active' ? c.speed : 0), 0);
  return sum > 0 ? [speed(sum), timeLeft(left / sum)].filter(Boolean).join(', ') : '';
}

function remaining(cards: readonly Card[]): number {
  return cards.reduce((n, c) => n + (moving(c.state) ? c.size - c.bytes : 0), 0);
}

/** Puts together what was sent together, in the order of coming. */
export function piles(cards: readonly Card[]): Pile[] {
  const found = new Map<string, Card[]>();
  for (const c of cards) {
    const key = c.batch ? `${c.batch.id} ${c.incoming ? c.peer : ''}` : c.id;
    const pile = found.get(key);
    if (pile) pile.push(c);
    else found.set(key, [c]);
  }
  return [...found].map(([key, together]) => ({ key, cards: together, ...announced(together) }));
}

// Whoever is asked knows from the first offer on how much it is in all.
function announced(cards: readonly Card[]): { count: number; size: number } {
  const batch = cards[0]?.incoming ? cards[0].batch : undefined;
  const size = cards.reduce((sum, c) => sum + c.size, 0);
  return { count: Math.max(cards.length, batch?.count ?? 0), size: Math.max(size, batch?.size ?? 0) };
}

/** What a pile says: of one transfer, as its card; of more, how far they are and which did not get through. */
export function pileText(p: Pile): CardText {
  const [first] = p.cards;
  if (!first) return { title: '', line: '', tone: 'plain', progress: undefined, figures: '' };
  if (p.count === 1) return cardText(first);
  const title = sameFile(p.cards) ? first.name : `${filesIn(p)} files`;
  const size = bytes(p.size);
  const text = (line: string, tone: CardText['tone'] = 'plain', progress?: number, figures = ''): CardText => ({
    title,
    line,
    tone,
    progress,
    figures,
  });
  const whom = first.incoming ? `from ${first.who}` : `to ${receivers(p.cards)}`;
  const done = p.cards.filter((c) => c.state === 'done');
  const open = p.cards.filter((c) => !ended(c.state));
  if (done.length === p.count)
    return text(first.incoming ? `Received ${whom}, ${size}` : `Delivered ${whom}, ${size}`, 'done');
  if (open.length > 0 || done.length === p.cards.length) {
    if (p.cards.every((c) => c.state === 'offered'))
      return text(
        first.incoming ? `${first.who} wants to send you these, ${size}` : `${size} ${whom}: waiting for a yes`,
      );
    const through = done.reduce((n, c) => n + c.size, 0) + open.reduce((n, c) => n + c.bytes, 0);
    const progress = p.size > 0 ? Math.min(1, through / p.size) : 0;
    const asked = open.filter((c) => c.state === 'offered').length;
    const line = `${done.length} of ${p.count} ${first.incoming ? 'received' : 'delivered'} ${whom}`;
    return text(
      line + (asked > 0 ? `, ${asked} ${asked === 1 ? 'waits' : 'wait'} for a yes` : ''),
      'plain',
      progress,
      pace(p.cards),
    );
  }
  return text(missing(p, done.length), 'failed');
}

/** "17 of 20 delivered. Not sent: a.jpg, b.jpg and c.jpg". */
function missing(p: Pile, done: number): string {
  const not = p.cards.filter((c) => c.state !== 'done');
  const [first] = not;
  if (!first) return '';
  if (first.incoming) return `${done} of ${p.count} received. Not received: ${names(not.map((c) => c.name))}`;
  const one = sameFile(p.cards);
  const many = !one && new Set(p.cards.map((c) => c.peer)).size > 1;
  const who = not.map((c) => (one ? c.who : many ? `${c.name} (${c.who})` : c.name));
  return `${done} of ${p.count} delivered. ${one ? 'Not to' : 'Not sent'}: ${names(who)}`;
}

/** Whether a pile is one file for several people. */
export function sameFile(cards: readonly Card[]): boolean {
  const [first] = cards;
  return first !== undefined && !first.incoming && cards.every((c) => c.name === first.name && c.size === first.size);
}

function filesIn(p: Pile): number {
  const people = new Set(p.cards.map((c) => c.peer)).size;
  return Math.round(p.count / Math.max(1, people));
}

function receivers(cards: readonly Card[]): string {
  const people = new Map(cards.map((c) => [c.peer, c.who]));
  return people.size > 3 ? `${people.size} people` : names([...people.values()]);
}

/** What a transfer in a pile says of itself, beside its name. */
export function rowText(c: Card): string {
  switch (c.state) {
    case 'offered':
      return bytes(c.size);
    case 'queued':
      return 'waits its turn';
    case 'connecting':
      return 'connecting';
    case 'active':
      return `${c.size > 0 ? Math.floor((100 * c.bytes) / c.size) : 100} %`;
    case 'verifying':
      return 'checking';
    case 'done':
      return c.incoming ? 'received' : 'delivered';
    case 'rejected':
      return c.code === 'peer_busy' ? 'too many files waiting there' : 'declined';
    case 'cancelled':
      return 'cancelled';
    case 'failed':
      return problem(c.code).title.toLowerCase();
  }
}
