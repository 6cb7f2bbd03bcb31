import { ParleyError } from './errors';

export type Token = string | (() => string | undefined | Promise<string | undefined>) | undefined;

/** The token now: a function is asked each time, since tokens expire. */
export async function readToken(token: Token): Promise<string | undefined> {
  return typeof token === 'function' ? token() : token;
}

/** Whether the page has another token by now than the one that was refused. */
export async function renewed(token: Token, refused: string | undefined, { code }: ParleyError): Promise<boolean> {
  if (code !== 'unauthorized' || typeof token !== 'function') return false;
  return (await readToken(token).catch(() => refused)) !== refused;
}

const ROOM = /^(?!\.\.?$)[A-Za-z0-9._~-]{1,64}$/; // "." and ".." are steps in an address, not names

/** The server's address, perhaps with a path in front; default: where the page came from. */
export function baseURL(base: string | undefined): string {
  const url = new URL(base ?? globalThis.location?.origin ?? 'http://localhost:8080');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

export function checkRoom(room: string): void {
  if (!ROOM.test(room)) {
    const what = '1 to 64 letters, digits, dots, dashes, underscores or tildes, and more than "." or ".."';
    throw new ParleyError('bad_room', `“${room}” is no room. A name has ${what}.`);
  }
}

export function roomURL(base: string | undefined, room: string, tail = ''): string {
  checkRoom(room);
  return `${baseURL(base)}/v1/rooms/${room}${tail}`;
}

export function socketURL(base: string | undefined, room: string): string {
  return roomURL(base, room, '/ws').replace(/^http/, 'ws');
}
