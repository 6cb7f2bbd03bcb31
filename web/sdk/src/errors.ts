/** The server's error codes (docs/protocol.md). */
export const SERVER_ERRORS = [
  'bad_message',
  'unknown_type',
  'message_too_big',
  'rate_limited',
  'not_joined',
  'already_joined',
  'unauthorized',
  'forbidden',
  'room_full',
  'room_locked',
  'banned',
  'too_many_bans',
  'must_knock',
  'declined',
  'waiting_timeout',
  'too_many_waiting',
  'invitation_closed',
  'invitation_revoked',
  'too_many_invitations',
  'no_such_invitation',
  'no_such_knock',
  'too_many_rooms',
  'too_many_seats',
  'bad_room',
  'bad_name',
  'name_too_long',
  'metadata_too_long',
  'text_too_long',
  'too_many_publications',
  'bad_offer',
  'no_media',
  'no_such_participant',
  'no_such_source',
  'session_gone',
  'internal',
] as const;

export type ServerErrorCode = (typeof SERVER_ERRORS)[number];

/** What the server answers on the way into a room (docs/access.md), with the sentence where it gives none. */
const ACCESS_ERRORS = {
  sign_in_needed: 'Rooms here are opened by hosts. Sign in, or use an invitation.',
  invitation_invalid: 'This is no invitation to this room. Copy the whole link, or ask for a new one.',
  invitation_expired: 'This invitation has expired. Ask for a new one.',
  invitation_revoked: 'This invitation was withdrawn. Ask for a new one.',
  wrong_passphrase: 'That is not the passphrase. Try again.',
  bad_key: 'This sign-in link was used already, or has expired. Restart the server to get a new one.',
  too_many_tries: 'There were too many wrong tries. Wait a moment, then try again.',
  oidc_denied: 'The sign-in was not completed. Try again.',
  oidc_failed: 'The provider that signs you in did not answer as it should. Try again later.',
  oidc_not_allowed: 'You are signed in, but are no host here. Ask whoever runs this server.',
} as const;

export type AccessErrorCode = keyof typeof ACCESS_ERRORS;

/** What the server closes a connection with (docs/protocol.md): up to 4499 the client comes back, from 4500 it does not. */
export const CLOSE_CODES = {
  4000: 'draining',
  4001: 'timeout',
  4002: 'too_slow',
  4004: 'internal',
  4005: 'rate_limited',
  4006: 'join_timeout',
  4500: 'bad_message',
  4501: 'unauthorized',
  4503: 'forbidden',
  4504: 'replaced',
  4505: 'removed',
  4506: 'room_ended',
  4507: 'room_locked',
  4508: 'room_full',
  4509: 'message_too_big',
  4511: 'too_many_rooms',
  4512: 'banned',
  4513: 'too_many_seats',
  4514: 'token_expired',
  4515: 'declined',
  4516: 'too_many_waiting',
  4517: 'waiting_timeout',
} as const;

export type CloseName = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

/** What went wrong in the browser or between the two, with the sentence shown where the caller gives none. */
const CLIENT_ERRORS = {
  unsupported_browser: 'This browser cannot make calls. Use a current Chrome, Edge, Firefox or Safari.',
  insecure_page:
    'Browsers give camera and microphone only to secure pages. Open this page by https:// or on localhost.',
  unreachable: 'The server cannot be reached. Check the network connection, then try again.',
  closed: 'The room was left. Join it again first.',
  busy: 'Too many requests are waiting for the server. Try again in a moment.',
  no_answer: 'The server did not answer in time. Try again.',
  bad_answer: 'The server sent something this page does not understand. Reload the page.',
  media_failed: 'Sound and picture could not be connected. Check that the firewall lets this page reach the server.',
  permission_denied: 'The browser was not allowed to use it. Allow it in the address bar, then try again.',
  no_device: 'No such device was found. Plug one in or choose another.',
  device_busy: 'The device is in use by another program. Close that program, then try again.',
  picker_cancelled: 'Nothing was chosen to share.',
  autoplay_blocked: 'The browser keeps the sound off until the page is clicked.',
  peer_left: 'The other side left the room. Send the file again when they are back.',
  peer_unreachable: 'No direct connection to the other side came about. Try again, or use another network.',
  peer_failed: 'The other side could not store the file.',
  peer_busy: 'The other side has too many files waiting for an answer. Try again later.',
  sender_failed: 'The other side could not read the file. Ask for it again.',
  rejected: 'The other side did not want the file.',
  cancelled: 'The transfer was cancelled.',
  file_gone: 'The file is not where it was when it was chosen. Choose it again.',
  file_unreadable: 'The file cannot be read: it was changed since it was chosen, is a folder, or may not be opened.',
  file_changed: 'The file was changed while it was sent. Send it again.',
  file_corrupt: 'The file arrived damaged and was discarded. Ask for it again.',
  disk_full: 'There is not enough space to store the file. Free some, then ask for it again.',
  disk_failed: 'The file could not be stored. Choose another place, then ask for it again.',
  too_big: 'That is too big to send.',
} as const;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;
export type ErrorCode = ServerErrorCode | CloseName | ClientErrorCode | AccessErrorCode;

const CLOSE_SENTENCES: Record<CloseName, string> = {
  draining: 'The server is being restarted. The page connects again by itself.',
  timeout: 'The connection was silent for too long. The page connects again by itself.',
  too_slow: 'The connection is too slow for what happens in the room. The page connects again by itself.',
  internal: 'The server made a mistake. Try again; if it stays, tell whoever runs it.',
  rate_limited: 'This page sent too much at once. Wait a moment, then try again.',
  join_timeout: 'The join took too long. Try again.',
  bad_message: 'The server did not understand this page. Reload it.',
  unauthorized: 'The access token was refused. Get a new invitation link.',
  forbidden: 'The access token does not allow this. Ask whoever runs the room.',
  replaced: 'This call was continued somewhere else. Join again to take part here.',
  removed: 'A moderator removed you from the room.',
  room_ended: 'A moderator ended the call.',
  room_locked: 'The room is locked. Ask someone inside to unlock it.',
  room_full: 'The room is full. Try again when somebody left.',
  message_too_big: 'A message was too big for the server. Send less at once.',
  too_many_rooms: 'The server has no place for another room. Try again later.',
  banned: 'A moderator removed you from the room. A moderator can let you back in.',
  declined: 'You were not let in.',
  too_many_waiting: 'Too many people wait to be let in. Try again in a minute.',
  waiting_timeout: 'Nobody has let you in for as long as one may wait. Ask again.',
  token_expired: 'Your access to the room has ended. Get a new invitation link.',
  too_many_seats: 'You are in this room too often, or too many are from your network. Leave elsewhere, then try again.',
};

/** Every error the SDK throws or reports: a `code` to act on and a `message` for a person that says what to do. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  constructor(
    readonly code: ErrorCode,
    message?: string,
    /** Whether the same may work later without anybody changing something. */
    readonly retry = false,
    /** Milliseconds after which a retry is welcome, where the server said so. */
    readonly retryMs?: number,
    options?: ErrorOptions,
  ) {
    super(message || sentence(code), options);
  }
}

function sentence(code: ErrorCode): string {
  if (code in ACCESS_ERRORS) return ACCESS_ERRORS[code as AccessErrorCode];
  if (code in CLIENT_ERRORS) return CLIENT_ERRORS[code as ClientErrorCode];
  return CLOSE_SENTENCES[code as CloseName] ?? `The server answered "${code}".`;
}

/** The error behind a WebSocket close code; undefined where the client should come back without a word. */
export function closeError(code: number, reason = ''): ParleyError | undefined {
  if (code < 4500 || code > 4999) return undefined;
  const name = CLOSE_CODES[code as keyof typeof CLOSE_CODES];
  return name
    ? new ParleyError(name)
    : new ParleyError('closed', reason || `The server closed the connection (${code}).`);
}

const RETRY_LATER = new Set<string>([
  'rate_limited',
  'internal',
  'session_gone',
  'room_full',
  'too_many_rooms',
  'too_many_seats',
  'too_many_waiting',
  'too_many_tries',
]);

/** The server's messages start and end as Go's errors do; people read sentences. */
function asSentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) || start === '' ? start : `${start}.`;
}

/** Makes the typed error of an `error` reply. */
export function serverError(reply: { code?: unknown; message?: unknown; retry_ms?: unknown }): ParleyError {
  const code = typeof reply.code === 'string' ? reply.code : 'bad_answer';
  const message = typeof reply.message === 'string' ? asSentence(reply.message) : undefined;
  const retryMs = typeof reply.retry_ms === 'number' ? reply.retry_ms : undefined;
  return new ParleyError(code as ErrorCode, message, RETRY_LATER.has(code), retryMs);
}
