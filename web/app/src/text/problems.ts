// Every way things go wrong, in words a person can act on. Codes are the protocol's, the browser's and our own.

export interface Problem {
  title: string;
  /** What to do about it. */
  advice: string;
  /** Trying the same again may work. */
  retry: boolean;
}

const table: Record<string, Problem> = {
  // The room and the token.
  unauthorized: {
    title: 'This link does not let you in',
    advice: 'It has ended, or is not for this server. A new link from whoever sent it does.',
    retry: false,
  },
  forbidden: {
    title: 'This link is for something else',
    advice: 'It is for another room, or does not allow this.',
    retry: false,
  },
  room_full: {
    title: 'The room is full',
    advice: 'Nobody else fits in. Try again when somebody has left.',
    retry: true,
  },
  room_locked: {
    title: 'The room is locked',
    advice: 'You can ask to be let in: somebody inside sees it at once.',
    retry: true,
  },
  banned: {
    title: 'You were removed from the room',
    advice: 'A moderator keeps you out of this one until the room is gone, or they let you back in.',
    retry: false,
  },
  too_many_bans: {
    title: 'The room keeps out too many people already',
    advice: 'Lock the room, or take them out without keeping them out.',
    retry: false,
  },
  too_many_rooms: {
    title: 'The server has no room to spare',
    advice: 'It is running as many rooms as it may. Try again in a while.',
    retry: true,
  },
  too_many_seats: {
    title: 'No more places for you here',
    advice:
      'You are in this room on other devices or in other tabs, or too many people are here from your network. Leave elsewhere, then try again.',
    retry: true,
  },
  bad_room: {
    title: 'That is not a room name',
    advice:
      'A room name has 1 to 64 letters, digits, dots, dashes, underscores or tildes, and is more than “.” or “..”.',
    retry: false,
  },
  bad_name: { title: 'That name cannot be used', advice: 'Choose another name.', retry: false },
  name_too_long: { title: 'That name is too long', advice: 'Choose a shorter one.', retry: false },
  metadata_too_long: {
    title: 'That is too much to keep',
    advice: 'The server allows less text about a person.',
    retry: false,
  },
  text_too_long: { title: 'The message is too long', advice: 'Send it in parts, or as a file.', retry: false },
  rate_limited: { title: 'Too much at once', advice: 'Wait a few seconds, then try again.', retry: true },
  too_many_publications: { title: 'Nothing more can be shared', advice: 'Stop sharing something first.', retry: true },
  no_such_participant: {
    title: 'They have left',
    advice: 'There is nobody there to do this with any more.',
    retry: false,
  },
  no_such_source: { title: 'That has stopped', advice: 'It was switched off in the meantime.', retry: false },
  message_too_big: { title: 'The message is too big', advice: 'Send it in parts, or as a file.', retry: false },
  // Coming in: signing in, invitations, the waiting room.
  sign_in_needed: {
    title: 'This room is entered by invitation',
    advice: 'Open the link that you were sent. If you are a host of this server, sign in.',
    retry: false,
  },
  invitation_expired: {
    title: 'This link has expired',
    advice: 'Links are good for a limited time only. Whoever sent it can make a new one.',
    retry: false,
  },
  invitation_revoked: {
    title: 'This link was withdrawn',
    advice: 'Whoever made it, or a moderator, took it back. They can make a new one.',
    retry: false,
  },
  invitation_invalid: {
    title: 'This link does not work',
    advice: 'A part of it may be missing, or it is for another room. Copy all of it, and open it again.',
    retry: false,
  },
  invitation_closed: {
    title: 'This link lets nobody else in',
    advice: 'Somebody who came by it was removed from the room. It needs a new one.',
    retry: false,
  },
  too_many_invitations: {
    title: 'This room has too many links',
    advice: 'Revoke some that nobody needs any more, then try again.',
    retry: true,
  },
  no_such_invitation: { title: 'That link is gone', advice: 'It has ended or was revoked already.', retry: false },
  must_knock: {
    title: 'Somebody inside has to let you in',
    advice: 'Ask to be let in, and wait a moment.',
    retry: true,
  },
  declined: {
    title: 'You were not let in',
    advice: 'Somebody inside declined. You can ask again in a minute.',
    retry: true,
  },
  too_many_waiting: {
    title: 'Too many people are waiting',
    advice: 'Nobody else can ask to be let in just now. Try again in a few minutes.',
    retry: true,
  },
  no_such_knock: { title: 'They are not waiting any more', advice: 'They left, or were let in already.', retry: false },
  waiting_timeout: {
    title: 'Nobody came to let you in',
    advice: 'You have waited for a long time. You can ask again.',
    retry: true,
  },
  wrong_passphrase: {
    title: 'That is not the passphrase',
    advice: 'Check it, capital letters too, and try again.',
    retry: true,
  },
  bad_key: {
    title: 'This sign-in link does not work any more',
    advice: 'It is good once, and for a day. The server prints a new one when it starts again.',
    retry: false,
  },
  too_many_tries: {
    title: 'Too many tries',
    advice: 'The server makes everybody wait a while after several wrong ones.',
    retry: true,
  },
  oidc_denied: {
    title: 'You were not signed in',
    advice: 'You, or the other side, did not agree to it. You can try again.',
    retry: true,
  },
  oidc_failed: {
    title: 'Signing in did not work',
    advice: 'The other side did not answer as it should. Try again; if it goes on, tell whoever runs this server.',
    retry: true,
  },
  oidc_not_allowed: {
    title: 'That account is not a host here',
    advice:
      'You are signed in there, but this server does not list the account. Use another one, or ask whoever runs it.',
    retry: true,
  },
  // The connection.
  session_gone: {
    title: 'That did not get through',
    advice: 'The connection was away for too long. Do it again, please.',
    retry: true,
  },
  moved: {
    title: 'The call is in another tab now',
    advice: 'It goes on there. You can close this tab.',
    retry: true,
  },
  token_expired: {
    title: 'Your time in this room is over',
    advice: 'What you came in by has ended. Try to enter again: the page says what is needed.',
    retry: false,
  },
  removed: {
    title: 'You were removed from the room',
    advice: 'A moderator took you out. The call goes on without you.',
    retry: false,
  },
  room_ended: { title: 'The call has ended', advice: 'A moderator ended it for everybody.', retry: false },
  replaced: {
    title: 'The call goes on elsewhere',
    advice: 'It was picked up in another tab or window. You can close this one, or join again here.',
    retry: true,
  },
  timeout: {
    title: 'The connection was lost',
    advice: 'The server could not be reached for too long. Check your network, then join again.',
    retry: true,
  },
  unreachable: {
    title: 'The server cannot be reached',
    advice: 'Check the network, then try again. If it goes on, the server may be down.',
    retry: true,
  },
  no_answer: {
    title: 'The server does not answer',
    advice: 'It may be busy, or the network slow. Try again.',
    retry: true,
  },
  bad_answer: {
    title: 'The page and the server do not understand each other',
    advice: 'The server may have been renewed since. Reload the page.',
    retry: true,
  },
  busy: { title: 'Too much at once', advice: 'Wait a moment, then try again.', retry: true },
  media_failed: {
    title: 'No way through for sound and picture',
    advice: 'The server answers, but something, perhaps a firewall, holds them back. Try another network.',
    retry: true,
  },
  internal: {
    title: 'Something went wrong on the server',
    advice: 'It is not your fault. Try again; if it goes on, tell whoever runs this server.',
    retry: true,
  },
  // The browser.
  unsupported_browser: {
    title: 'This browser cannot do video calls',
    advice: 'It has no WebRTC. Open this page in a current Firefox, Chrome, Edge or Safari.',
    retry: false,
  },
  insecure_page: {
    title: 'Camera and microphone are off on this address',
    advice:
      'Browsers allow them only on secure pages: open this one with https://, or on this very machine with http://localhost. You can still join to watch, listen and chat.',
    retry: false,
  },
  // Devices. The kind of device is put in by deviceProblem.
  permission_denied: {
    title: 'The browser may not use your {device}',
    advice: '{allow} You can also join without it.',
    retry: true,
  },
  device_system: {
    title: 'Your system keeps the {device} from the browser',
    advice: "Allow this browser to use it in the system's privacy settings, then try again.",
    retry: true,
  },
  no_device: { title: 'No {device} found', advice: 'Plug one in, or join without it.', retry: true },
  device_busy: {
    title: 'The {device} is busy',
    advice: 'Another program may be using it. Close that program, then try again.',
    retry: true,
  },
  device_gone: { title: 'The {device} was unplugged', advice: 'Plug it in again, or choose another one.', retry: true },
  device_failed: { title: 'The {device} does not start', advice: 'Try again, or choose another one.', retry: true },
  no_screen: {
    title: 'There is nothing to share',
    advice: 'The browser found no screen or window that it may show. Check its permissions, then try again.',
    retry: true,
  },
  picker_cancelled: {
    title: 'The screen is not shared',
    advice: "To share it, choose a screen, window or tab in the browser's dialog.",
    retry: true,
  },
  screen_unsupported: {
    title: 'This browser cannot share a screen',
    advice: 'Most phones and tablets cannot. Use a computer.',
    retry: false,
  },
  // Files.
  rejected: { title: 'Declined', advice: 'They did not want the file.', retry: true },
  cancelled: { title: 'Cancelled', advice: '', retry: true },
  peer_left: { title: 'They left', advice: 'Send it again when they are back.', retry: false },
  peer_unreachable: {
    title: 'No way to their browser',
    advice: 'The two browsers could not connect. Try again, or use another network.',
    retry: true,
  },
  peer_failed: {
    title: 'They could not store it',
    advice: 'Perhaps there is too little space on their side.',
    retry: true,
  },
  peer_busy: {
    title: 'Too many files wait there',
    advice: 'They have not answered to those yet. Try again later.',
    retry: true,
  },
  sender_failed: {
    title: 'They could not read it',
    advice: 'The file was moved or changed on their side. Ask them to choose it again.',
    retry: false,
  },
  file_gone: {
    title: 'The file is gone',
    advice: 'It was moved, renamed or deleted since you chose it. Choose it again.',
    retry: false,
  },
  file_unreadable: {
    title: 'The file cannot be read',
    advice: 'It was changed since you chose it, or the browser may not open it. Choose it again.',
    retry: false,
  },
  file_changed: {
    title: 'The file was changed',
    advice: 'That happened while it was being sent. Choose it again.',
    retry: false,
  },
  file_corrupt: { title: 'It arrived damaged', advice: 'It was thrown away. Ask for it again.', retry: true },
  disk_full: { title: 'No space left', advice: 'Free some space on the disk, then ask for it again.', retry: true },
  disk_failed: { title: 'It could not be stored', advice: 'Choose another place, then ask for it again.', retry: true },
  too_big: { title: 'It is too big to send', advice: 'Send it in parts.', retry: false },
};

// Other names for the same thing.
const alias: Record<string, string> = {
  ended: 'room_ended',
  closed: 'timeout',
  join_timeout: 'no_answer',
  draining: 'unreachable',
  too_slow: 'timeout',
};

/** The problem behind a code; an unknown code becomes a general one that shows the code's own message. */
export function problem(code: string, message = ''): Problem {
  const known = table[alias[code] ?? code];
  if (known) return known;
  return { title: 'Something went wrong', advice: message || `The reason given is “${code}”. Try again.`, retry: true };
}

export type DeviceKind = 'camera' | 'microphone' | 'camera or microphone' | 'screen' | 'speaker';

/** The problem with a device, named, with the way to allow it in this browser. */
export function deviceProblem(code: string, kind: DeviceKind, userAgent: string, message = ''): Problem {
  const p = problem(code === 'no_device' && kind === 'screen' ? 'no_screen' : code, message);
  const fill = (s: string) => s.replace('{device}', kind).replace('{allow}', allowAgain(userAgent));
  return { title: fill(p.title), advice: fill(p.advice), retry: p.retry };
}

/** How to undo a "no" given to the browser's question. */
export function allowAgain(userAgent: string): string {
  const phone = /iPhone|iPad|Android/.test(userAgent);
  if (/Firefox\//.test(userAgent)) {
    return phone
      ? 'Tap the lock beside the address, allow it there, then try again.'
      : 'Click the crossed-out icon beside the address, clear the block, then try again.';
  }
  if (/Edg\/|Chrome\/|CriOS\//.test(userAgent)) {
    return phone
      ? 'Tap the icon left of the address, then Permissions, allow it, then try again.'
      : 'Click the icon left of the address, switch it on there, then try again.';
  }
  if (/Safari\//.test(userAgent)) {
    return phone
      ? 'Tap the page menu in the address bar, then Website Settings, allow it, then try again.'
      : 'Choose Safari, Settings for This Website, allow it, then try again.';
  }
  return "Allow it in the browser's site settings, then try again.";
}

/** Every code with words of its own; for tests. */
export const problemCodes: readonly string[] = Object.keys(table);
