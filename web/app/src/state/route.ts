// Where we are, and the token that came with the link.
import { signal } from '@preact/signals';
import { roomPattern } from '../text/roomname';

export type Route = { page: 'first' } | { page: 'room'; room: string } | { page: 'unknown' };

/** What a path means. */
export function parsePath(path: string): Route {
  if (path === '/' || path === '/index.html') return { page: 'first' };
  const found = path.match(/^\/r\/([^/]+)\/?$/);
  if (!found) return { page: 'unknown' };
  try {
    const room = decodeURIComponent(found[1] as string);
    return roomPattern.test(room) ? { page: 'room', room } : { page: 'unknown' };
  } catch {
    return { page: 'unknown' };
  }
}

/** The token in a fragment such as "#token=eyJ…", or undefined. */
export function tokenIn(fragment: string): string | undefined {
  const value = new URLSearchParams(fragment.replace(/^#/, '')).get('token');
  return value || undefined;
}

/** The claims in a JWT that the pages use. Not verified: only the server decides; this is for words on the screen. */
export function readToken(token: string | undefined): { room?: string; name?: string; expires?: number } {
  try {
    const body = (token ?? '').split('.')[1] ?? '';
    const raw = atob(body.replace(/-/g, '+').replace(/_/g, '/'));
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(raw, (c) => c.charCodeAt(0)))) as Record<
      string,
      unknown
    >;
    const out: { room?: string; name?: string; expires?: number } = {};
    if (typeof claims.room === 'string') out.room = claims.room;
    if (typeof claims.name === 'string') out.name = claims.name;
    if (typeof claims.exp === 'number') out.expires = claims.exp;
    return out;
  } catch {
    return {};
  }
}

export const route = signal<Route>({ page: 'first' });
export const token = signal<string | undefined>(undefined);

const keep = 'parley.token';
const keepRenewed = 'parley.token.renewed'; // from the room that this tab is or was in

/** Reads the address bar; takes the token out of it, so that it is not copied or bookmarked by accident. */
export function startRouting(): void {
  const read = () => {
    const t = tokenIn(location.hash);
    if (t) {
      token.value = t;
      remember(keep, t);
      remember(keepRenewed, '');
      history.replaceState(null, '', location.pathname + location.search);
    } else if (token.value === undefined) {
      token.value = recall(keep);
    }
    route.value = parsePath(location.pathname);
  };
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
  read();
}

/** Goes to a path of this app. */
export function go(path: string): void {
  if (path !== location.pathname) history.pushState(null, '', path);
  route.value = parsePath(path);
}

/** The link to a room, without any token: tokens are personal. */
export function roomLink(room: string): string {
  return `${location.origin}/r/${encodeURIComponent(room)}`;
}

/** Keeps the token that the server renewed: a reload comes back by it when the link's has expired. */
export function renewToken(t: string | undefined): void {
  if (t && t !== token.value) remember(keepRenewed, t);
}

/** The token in hand that is for that room, if there is one; one for another room would only be refused. */
export function tokenFor(room: string): string | undefined {
  const renewed = recall(keepRenewed);
  const { room: its, expires = 0 } = readToken(renewed);
  if (its === room && expires * 1000 > Date.now()) return renewed;
  const claims = readToken(token.value);
  return claims.room === undefined || claims.room === '*' || claims.room === room ? token.value : undefined;
}

function remember(name: string, t: string): void {
  try {
    sessionStorage.setItem(name, t);
  } catch {
    // Storage is off: the token lives in memory until the page is closed.
  }
}

function recall(name: string): string | undefined {
  try {
    return sessionStorage.getItem(name) || undefined;
  } catch {
    return undefined;
  }
}
