// What will happen at a room's door, and what can be done where it stays shut. Pure.
import type { Access } from 'parley-sdk';
import { problem } from './problems';

export interface Door {
  /** What the button says. */
  label: string;
  /** What will happen; empty where there is nothing to say. */
  words: string;
  /** We shall have to wait. */
  waits: boolean;
}

export interface Coming {
  knock: boolean;
  guest: boolean;
  host: boolean;
  locked: boolean;
  /** Somebody is in there; undefined: we cannot see it. */
  occupied: boolean | undefined;
}

/** What entering means for whoever may. */
export function door(c: Coming, open: Access['open'] | undefined): Door {
  if (c.locked) return asking('The room is locked. Somebody inside can let you in.');
  if (c.knock && c.occupied === false) return asking('Nobody is there yet. You can wait for the host here.');
  if (c.knock) return asking('Somebody inside will let you in.');
  if (c.guest && c.occupied === false) {
    return {
      label: 'Wait for the host',
      words: 'The host is not here yet. You will be let in as soon as they come.',
      waits: true,
    };
  }
  const words = c.occupied === false ? openingWords(c, open) : '';
  return { label: 'Join', words, waits: false };
}

function openingWords(c: Coming, open: Access['open'] | undefined): string {
  if (c.host) return 'You open this room. Inside, “Invite” makes links for your guests.';
  return open === 'anyone' ? 'You will be the first in it, and its moderator.' : '';
}

function asking(words: string): Door {
  return { label: 'Ask to join', words, waits: true };
}

export interface Refusal {
  title: string;
  advice: string;
  signIn: boolean;
  knock: boolean;
  again: boolean;
}

const lost = ['unauthorized', 'forbidden', 'token_expired', 'sign_in_needed'];
const closed = ['invitation_expired', 'invitation_revoked', 'invitation_invalid', 'invitation_closed'];

/** Why the door stays shut, and what leads on: signing in, asking to be let in, trying again. */
export function refusal(code: string, here: Access | undefined): Refusal {
  const shut = lost.includes(code) || closed.includes(code);
  const hosts = here?.open === 'hosts';
  const knock = shut && hosts && here.knock;
  const signIn = shut && hosts && !here.host;
  const p = problem(code);
  if (lost.includes(code) && here?.open === 'tokens') {
    return {
      title: code === 'sign_in_needed' ? 'This room is entered by a link' : 'This link has ended',
      advice: 'It comes from your organisation’s application. Open the room from there again.',
      signIn: false,
      knock: false,
      again: false,
    };
  }
  const also = knock ? ' You can also ask to be let in.' : '';
  return { title: p.title, advice: p.advice + also, signIn, knock, again: p.retry && !shut };
}
