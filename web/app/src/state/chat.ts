// The chat: what was said, and what of it was not read yet. Pure.

import type { Message } from 'parley-sdk';

/** How many messages came from others after the one at `seen`; all of them if it is not there. */
export function unreadAfter(messages: readonly Message[], seen: string, me: string): number {
  const at = messages.findLastIndex((m) => m.id === seen);
  return messages.slice(at + 1).filter((m) => m.from !== me).length;
}

const together = 5 * 60_000;

/** Whether a message goes on under the heading of the one before it. */
export function continues(before: Message | undefined, m: Message): boolean {
  if (!before) return false;
  const apart = m.at.getTime() - before.at.getTime();
  return before.from === m.from && before.to === m.to && apart < together;
}

/** The most characters of a message that are read out or shown in a note. */
const glimpse = 120;

/** One line that says a message: "Ann, privately: hello". */
export function spoken(m: Message): string {
  const text = m.text.length > glimpse ? `${m.text.slice(0, glimpse)}…` : m.text;
  return `${m.name || 'Guest'}${m.to ? ', privately' : ''}: ${text}`;
}
