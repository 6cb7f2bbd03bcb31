// How one gets into rooms (docs/access.md): what holds on a server, signing in as a host, and the token for a room.
import { type ErrorCode, ParleyError } from './errors';
import type { Permission } from './protocol';
import { refusal } from './refusal';
import { baseURL, checkRoom } from './url';

/** Somebody who signed in, and may open rooms. */
export interface Host {
  readonly identity: string;
  readonly name: string;
}

/** What holds on a server. */
export interface Access {
  /** Who may open a room: whoever comes, hosts who sign in, or who has an application's token. */
  readonly open: 'anyone' | 'hosts' | 'tokens';
  /** Whoever has no invitation may ask to be let in. */
  readonly knock: boolean;
  /** How a host signs in; `link`: by the one that the server printed when it started. */
  readonly signIn: readonly ('passphrase' | 'oidc' | 'link')[];
  /** The name of the provider behind `oidc`. */
  readonly oidcName?: string;
  /** Who is signed in in this browser. */
  readonly host?: Host;
  /** Everybody who reaches the server may do everything. */
  readonly insecure: boolean;
  /** The server is there for the local network alone. */
  readonly lan: boolean;
}

/** What one comes into a room with. */
export interface Entry {
  /** For Room.connect() and Presence.watch(); undefined: none is needed. */
  readonly token?: string;
  /** Seconds. */
  readonly tokenTTL?: number;
  readonly identity?: string;
  readonly name?: string;
  readonly can: readonly Permission[];
  /** A moderator has to let us in: connect with `knock`. */
  readonly knock: boolean;
  /** We open no room that nobody is in. */
  readonly guest: boolean;
  readonly host: boolean;
}

/** Asks a server what holds there. */
export async function access({ url }: { url?: string } = {}): Promise<Access> {
  const a = await call(url, '');
  return {
    open: a.open,
    knock: a.knock === true,
    signIn: a.sign_in ?? [],
    oidcName: a.oidc_name,
    host: a.host,
    insecure: a.insecure === true,
    lan: a.lan === true,
  };
}

/** Signs in as a host, with the server's passphrase or the key of a sign-in link. The browser remembers it, on our own origin. */
export async function signIn(o: { url?: string; passphrase?: string; key?: string; name?: string }): Promise<Host> {
  const { url, ...body } = o;
  return (await call(url, '/sign-in', body)).host;
}

export async function signOut({ url }: { url?: string } = {}): Promise<void> {
  await call(url, '/sign-out', {});
}

/** Exchanges what one has, an invitation, a host's sign-in or nothing, for a token that lets one into the room. */
export async function enter(o: { url?: string; room: string; invite?: string; token?: string }): Promise<Entry> {
  checkRoom(o.room);
  const e = await call(o.url, `/rooms/${o.room}`, { invite: o.invite, token: o.token });
  return {
    token: e.token,
    tokenTTL: e.token_ttl,
    identity: e.identity,
    name: e.name,
    can: e.can ?? [],
    knock: e.knock === true,
    guest: e.guest === true,
    host: e.host === true,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the answers' shapes are those of docs/access.md
async function call(base: string | undefined, path: string, body?: Record<string, unknown>): Promise<any> {
  const post: RequestInit = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  let response: Response;
  try {
    response = await fetch(`${baseURL(base)}/v1/access${path}`, { cache: 'no-store', ...(body && post) });
  } catch (cause) {
    throw new ParleyError('unreachable', undefined, true, undefined, { cause });
  }
  if (!response.ok) throw await refusal(response);
  if (response.status === 204) return {};
  const answer = await response.json().catch(() => undefined);
  if (typeof answer !== 'object' || !answer) throw new ParleyError('bad_answer' satisfies ErrorCode);
  return answer;
}
