import type { WireMessage } from './protocol';
import { type Message, toMessage } from './roomevents';

const MOST = 1000; // messages kept

/** What was said. It outlives the session, and the server's own memory of it. */
export class Chat {
  messages: readonly Message[] = [];

  add(wire: WireMessage): Message {
    const message = toMessage(wire);
    this.messages = [...this.messages.slice(1 - MOST), message];
    return message;
  }

  /** Takes what the server remembers, and keeps what it does not: the older, the private, and all from before its restart. */
  merge(told: WireMessage[] | null | undefined): void {
    const news = (told ?? []).map(toMessage);
    const ids = new Set(news.map((m) => m.id));
    const kept = this.messages.filter((m) => !ids.has(m.id));
    this.messages = [...kept, ...news].sort((a, b) => +a.at - +b.at).slice(-MOST);
  }
}
