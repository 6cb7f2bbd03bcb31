// The invented server's door: what holds there, signing in, entering, invitations, who waits and who is kept out.
import type { Access, Ban, ConnectOptions, Invitation, InvitationOptions, Knock } from 'parley-sdk';
import { ParleyError } from '../../sdk/src/errors';
import type { Backend } from './backend';
import { type Channel, Tabs } from './state/tabs';

export interface DoorScenario {
  open: Access['open'];
  knock: boolean;
  /** The ways to sign in. */
  ways: Access['signIn'][number][];
  /** Who is signed in; empty: nobody. */
  host: string;
  lan: boolean;
  /** A code: asking what holds fails with it. */
  accessFail: string;
  /** A code: signing in fails with it. */
  signFail: string;
  retry: number;
  /** How one enters: `knock`, `guest`, or a code with which it fails. */
  enter: string;
  /** Whom the join waits for; empty: nobody. */
  waits: '' | 'moderator' | 'host';
  away: boolean;
  /** After so many ms of waiting one is let in, or declined. */
  decide: number;
  /** So many wait, links are out, people are kept out. */
  knocks: number;
  links: number;
  bans: number;
  /** A code: inviting fails with it. */
  inviteFail: string;
  otherTab: boolean;
}

export function doorScenario(q: URLSearchParams): DoorScenario {
  return {
    open: (q.get('open') ?? 'anyone') as Access['open'],
    knock: q.get('knock') !== '0',
    ways: (q.get('ways') ?? 'passphrase,oidc').split(',') as DoorScenario['ways'],
    host: q.get('host') ?? '',
    lan: q.has('lan'),
    accessFail: q.get('accessfail') ?? '',
    signFail: q.get('signfail') ?? '',
    retry: Number(q.get('retry') ?? 0),
    enter: q.get('enter') ?? '',
    waits: (q.get('waits') ?? '') as DoorScenario['waits'],
    away: q.has('lostwait'),
    decide: Number(q.get('decide') ?? 0),
    knocks: Number(q.get('knocks') ?? 0),
    links: Number(q.get('links') ?? 0),
    bans: Number(q.get('bans') ?? 0),
    inviteFail: q.get('invitefail') ?? '',
    otherTab: q.has('othertab'),
  };
}

const fail = (code: string, retryMs?: number) =>
  new ParleyError(code as ParleyError['code'], undefined, retryMs !== undefined, retryMs);

/** The door's part of a backend. */
export function fakeDoor(
  d: DoorScenario,
): Pick<Backend, 'access' | 'signIn' | 'signOut' | 'enter'> & { entered: object[] } {
  let host = d.host ? { identity: 'host', name: d.host } : undefined;
  const entered: object[] = [];
  return {
    entered,
    async access() {
      if (d.accessFail) throw fail(d.accessFail);
      const { open, knock, lan } = d;
      const signIn = open === 'hosts' ? d.ways : [];
      return { open, knock, signIn, oidcName: 'Example', host, insecure: false, lan };
    },
    async signIn({ name }) {
      if (d.signFail) throw fail(d.signFail, d.retry);
      host = { identity: 'host', name: name || 'Sam' };
      return host;
    },
    async signOut() {
      host = undefined;
    },
    async enter(options) {
      entered.push(options);
      if (d.enter && d.enter !== 'knock' && d.enter !== 'guest') throw fail(d.enter, d.retry || undefined);
      const can = ['publish', 'subscribe', 'message', 'watch'] as const;
      return { can, knock: d.enter === 'knock', guest: d.enter !== '', host: host !== undefined };
    },
  };
}

/** The waiting before a join; resolves when we are let in. */
export async function fakeWait(d: DoorScenario, { onWaiting, signal }: ConnectOptions): Promise<void> {
  if (!d.waits) return;
  const w = { for: d.waits, connected: !d.away };
  onWaiting?.(w);
  await new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
    if (d.decide > 0) setTimeout(resolve, d.decide);
  });
}

export function fakeKnock(n: number, like?: string): Knock {
  const name = ['Bob', 'Mia Larsen', 'Oleg', 'Pat', 'Quinn'][n % 5] as string;
  const since = new Date(Date.now() - n * 70_000);
  return { id: `k${n}`, identity: `k${n}`, name: like ? 'Ann' : name, guest: n % 2 === 0, since, like };
}

/** Invitations, and who is kept out, in memory. */
export class FakeList {
  readonly wishes: InvitationOptions[] = [];
  invitations: Invitation[];
  bans: Ban[];

  constructor(private readonly d: DoorScenario) {
    this.invitations = Array.from({ length: d.links }, (_, n) => ({
      ...this.#make({ knock: n % 2 === 1, ttl: 86_400 * (n + 1) }, `old${n}`),
      uses: n * 2,
      madeAt: new Date(Date.now() - 3_600_000 * (n + 1)),
    }));
    this.bans = Array.from({ length: d.bans }, (_, n) => ({
      identity: `b${n}`,
      name: ['Mallory', 'Trudy'][n % 2] as string,
      at: new Date(Date.now() - 600_000),
      by: 'me',
    }));
  }

  #make({ ttl = 86_400, knock = false, can, label }: InvitationOptions, id: string): Invitation {
    const madeAt = new Date();
    const expiresAt = new Date(madeAt.getTime() + ttl * 1000);
    const may = can ?? ['publish', 'subscribe', 'message', 'watch'];
    const invite = `AQgAAVk${id}uX3qJ7b0cVYw2tTqK9mRz1LeN4sHd8pF`;
    return { id, invite, by: 'me', byName: 'Sam', can: may, knock, label, madeAt, expiresAt, uses: 0 };
  }

  invite(wish: InvitationOptions = {}): Invitation {
    if (this.d.inviteFail) throw fail(this.d.inviteFail);
    this.wishes.push(wish);
    const made = this.#make(wish, `i${this.wishes.length}`);
    this.invitations = [...this.invitations, made];
    return made;
  }

  revoke(id?: string): void {
    this.invitations = id ? this.invitations.filter((i) => i.id !== id) : [];
  }

  unban(identity?: string): void {
    this.bans = identity ? this.bans.filter((b) => b.identity !== identity) : [];
  }
}

/** Tabs of which one other is in every call, or none. */
export function fakeTabs(other: boolean): Tabs {
  const channel: Channel = {
    onmessage: null,
    postMessage({ to, word }) {
      const answer = { who: 'here', move: 'gone' }[word as string];
      if (other && answer) channel.onmessage?.({ data: { to, from: 'other', word: answer } });
    },
    close() {},
  };
  return new Tabs(() => channel);
}
