// Where we are, and what came with the link: a token, an invitation, a key to sign in by.
import { signal } from '@preact/signals';
import { roomPattern } from '../text/roomname';
import { recall, remember } from './keep';

export type Route = { page: 'first' } | { page: 'sign-in' } | { page: 'room'; room: string } | { page: 'unknown' };

/** What a path means. */
export function parsePath(path: string): Route {
  if (path === '/' || path === '/index.html') return { page: 'first' };
  if (path === '/sign-in') return { page: 'sign-in' };
  const found = path.match(/^\/r\/([^/]+)\/?$/);
  if (!found) return { page: 'unknown' };
  try {
    const room = decodeURIComponent(found[1] as string);
    return roomPattern.test(room) ? { page: 'room', room } : { page: 'unknown' };
  } catch {
    return { page: 'unknown' };
  }
}

type Secret = 'token' | 'invite' | 'key';

/** What a fragment such as "#token=eyJ…" carries, or undefined. */
export function inFragment(fragment: string, name: Secret): string | undefined {
  return new URLSearchParams(fragment.replace(/^#/, '')).get(name) || undefined;
}

/** Where to go after signing in: only to pages of this app, so that no link can lead elsewhere by us. */
export function localPath(wanted: string | null): string {
  const page = parsePath(wanted ?? '').page;
  return page === 'first' || page === 'room' ? (wanted as string) : '/';
}

/** The claims in a JWT that the pages use. */
export interface Claims {
  room?: string;
  name?: string;
  expires?: number;
  knock?: boolean;
  guest?: boolean;
}

/** Reads claims. Not verified: only the server decides; this is for words on the screen. */
export function readToken(token: string | undefined): Claims {
  try {
    const body = (token ?? '').split('.')[1] ?? '';
    const raw = atob(body.replace(/-/g, '+').replace(/_/g, '/'));
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(raw, (c) => c.charCodeAt(0)))) as Record<
      string,
      unknown
    >;
    const out: Claims = {};
    if (typeof claims.room === 'string') out.room = claims.room;
    if (typeof claims.name === 'string') out.name = claims.name;
    if (typeof claims.exp === 'number') out.expires = claims.exp;
    if (claims.knock === true) out.knock = true;
    if (claims.guest === true) out.guest = true;
    return out;
  } catch {
    return {};
  }
}

export const route = signal<Route>({ page: 'first' });
export const token = signal<string | undefined>(undefined);

const keep = 'parley.token';
const keepRenewed = 'parley.token.renewed'; // for the room that this tab enters, is or was in
const keepInvite = 'parley.invite'; // "room invitation"

let invited: string | undefined;
let key: string | undefined;

/** Reads the address bar; takes the secrets out of it, so that they are not copied or bookmarked by accident. */
export function startRouting(): void {
  const read = () => {
    const at = parsePath(location.pathname);
    const [t, invite, k] = (['token', 'invite', 'key'] as const).map((name) => inFragment(location.hash, name));
    if (t) {
      token.value = t;
      remember(keep, t);
      remember(keepRenewed, '');
    } else if (token.value === undefined) {
      token.value = recall(keep);
    }
    if (invite && at.page === 'room') keepInvitation(at.room, invite);
    if (k) key = k;
    if (t || invite || k) history.replaceState(null, '', location.pathname + location.search);
    route.value = at;
  };
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
  read();
}

/** The key of a sign-in link; it is good once, so it is given away once. */
export function takeKey(): string | undefined {
  const mine = key;
  key = undefined;
  return mine;
}

/** The invitation to that room that came with its link. */
export function invitationTo(room: string): string | undefined {
  const [its, invite] = (invited ?? recall(keepInvite) ?? '').split(' ');
  return its === room ? invite : undefined;
}

/** Keeps an invitation, like the token; an empty one forgets it. */
export function keepInvitation(room: string, invite: string): void {
  invited = invite && `${room} ${invite}`;
  remember(keepInvite, invited);
}

/** Forgets what let us in so far: whoever signs in or out is somebody else from then on. */
export function forgetTokens(): void {
  token.value = undefined;
  remember(keep, '');
  renewed = '';
  remember(keepRenewed, '');
  invited = '';
  remember(keepInvite, '');
}

/** Goes to a path of this app. */
export function go(path: string): void {
  if (path !== location.pathname) history.pushState(null, '', path);
  route.value = parsePath(path.replace(/[?#].*/s, ''));
}

/** The link to a room, without any token: tokens are personal. */
export function roomLink(room: string): string {
  return `${location.origin}/r/${encodeURIComponent(room)}`;
}

let renewed: string | undefined;

/** Keeps the token that the server gave or renewed: a reload comes back by it when the link's has expired. */
export function renewToken(t: string | undefined): void {
  if (!t || t === token.value) return;
  renewed = t;
  remember(keepRenewed, t);
}

/** The good token in hand for that room: the server's newest, else the link's. One for another room would only be refused. */
export function tokenFor(room: string): string | undefined {
  const newest = renewed ?? recall(keepRenewed);
  if (readToken(newest).room === room && lasts(newest)) return newest;
  const claims = readToken(token.value);
  return claims.room === undefined || claims.room === '*' || claims.room === room ? token.value : undefined;
}

/** Whether the link's own token opens that room: then nothing needs to be asked for. */
export function linkToken(room: string): string | undefined {
  const mine = tokenFor(room);
  return mine !== undefined && mine === token.value && lasts(mine) ? mine : undefined;
}

function lasts(t: string | undefined): boolean {
  const { expires } = readToken(t);
  return expires === undefined || expires * 1000 > Date.now();
}
