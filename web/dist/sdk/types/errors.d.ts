/** The server's error codes (docs/protocol.md). */
export declare const SERVER_ERRORS: readonly ['bad_message', 'unknown_type', 'message_too_big', 'rate_limited', 'not_joined', 'already_joined', 'unauthorized', 'forbidden', 'room_full', 'room_locked', 'banned', 'too_many_bans', 'must_knock', 'declined', 'waiting_timeout', 'too_many_waiting', 'invitation_closed', 'invitation_revoked', 'too_many_invitations', 'no_such_invitation', 'no_such_knock', 'too_many_rooms', 'too_many_seats', 'bad_room', 'bad_name', 'name_too_long', 'metadata_too_long', 'text_too_long', 'too_many_publications', 'bad_offer', 'no_media', 'no_such_participant', 'no_such_source', 'session_gone', 'internal'];
export type ServerErrorCode = (typeof SERVER_ERRORS)[number];
/** What the server answers on the way into a room (docs/access.md), with the sentence where it gives none. */
declare const ACCESS_ERRORS: {
    readonly sign_in_needed: 'Rooms here are opened by hosts. Sign in, or use an invitation.';
    readonly invitation_invalid: 'This is no invitation to this room. Copy the whole link, or ask for a new one.';
    readonly invitation_expired: 'This invitation has expired. Ask for a new one.';
    readonly invitation_revoked: 'This invitation was withdrawn. Ask for a new one.';
    readonly wrong_passphrase: 'That is not the passphrase. Try again.';
    readonly bad_key: 'This sign-in link was used already, or has expired. Restart the server to get a new one.';
    readonly too_many_tries: 'There were too many wrong tries. Wait a moment, then try again.';
    readonly oidc_denied: 'The sign-in was not completed. Try again.';
    readonly oidc_failed: 'The provider that signs you in did not answer as it should. Try again later.';
    readonly oidc_not_allowed: 'You are signed in, but are no host here. Ask whoever runs this server.';
};
export type AccessErrorCode = keyof typeof ACCESS_ERRORS;
/** What the server closes a connection with (docs/protocol.md): up to 4499 the client comes back, from 4500 it does not. */
export declare const CLOSE_CODES: {
    readonly 4000: 'draining';
    readonly 4001: 'timeout';
    readonly 4002: 'too_slow';
    readonly 4004: 'internal';
    readonly 4005: 'rate_limited';
    readonly 4006: 'join_timeout';
    readonly 4500: 'bad_message';
    readonly 4501: 'unauthorized';
    readonly 4503: 'forbidden';
    readonly 4504: 'replaced';
    readonly 4505: 'removed';
    readonly 4506: 'room_ended';
    readonly 4507: 'room_locked';
    readonly 4508: 'room_full';
    readonly 4509: 'message_too_big';
    readonly 4511: 'too_many_rooms';
    readonly 4512: 'banned';
    readonly 4513: 'too_many_seats';
    readonly 4514: 'token_expired';
    readonly 4515: 'declined';
    readonly 4516: 'too_many_waiting';
    readonly 4517: 'waiting_timeout';
};
export type CloseName = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];
/** What went wrong in the browser or between the two, with the sentence shown where the caller gives none. */
declare const CLIENT_ERRORS: {
    readonly unsupported_browser: 'This browser cannot make calls. Use a current Chrome, Edge, Firefox or Safari.';
    readonly insecure_page: 'Browsers give camera and microphone only to secure pages. Open this page by https:// or on localhost.';
    readonly unreachable: 'The server cannot be reached. Check the network connection, then try again.';
    readonly closed: 'The room was left. Join it again first.';
    readonly busy: 'Too many requests are waiting for the server. Try again in a moment.';
    readonly no_answer: 'The server did not answer in time. Try again.';
    readonly bad_answer: 'The server sent something this page does not understand. Reload the page.';
    readonly media_failed: 'Sound and picture could not be connected. Check that the firewall lets this page reach the server.';
    readonly permission_denied: 'The browser was not allowed to use it. Allow it in the address bar, then try again.';
    readonly no_device: 'No such device was found. Plug one in or choose another.';
    readonly device_busy: 'The device is in use by another program. Close that program, then try again.';
    readonly picker_cancelled: 'Nothing was chosen to share.';
    readonly autoplay_blocked: 'The browser keeps the sound off until the page is clicked.';
    readonly peer_left: 'The other side left the room. Send the file again when they are back.';
    readonly peer_unreachable: 'No direct connection to the other side came about. Try again, or use another network.';
    readonly peer_failed: 'The other side could not store the file.';
    readonly peer_busy: 'The other side has too many files waiting for an answer. Try again later.';
    readonly sender_failed: 'The other side could not read the file. Ask for it again.';
    readonly rejected: 'The other side did not want the file.';
    readonly cancelled: 'The transfer was cancelled.';
    readonly file_gone: 'The file is not where it was when it was chosen. Choose it again.';
    readonly file_unreadable: 'The file cannot be read: it was changed since it was chosen, is a folder, or may not be opened.';
    readonly file_changed: 'The file was changed while it was sent. Send it again.';
    readonly file_corrupt: 'The file arrived damaged and was discarded. Ask for it again.';
    readonly disk_full: 'There is not enough space to store the file. Free some, then ask for it again.';
    readonly disk_failed: 'The file could not be stored. Choose another place, then ask for it again.';
    readonly too_big: 'That is too big to send.';
};
export type ClientErrorCode = keyof typeof CLIENT_ERRORS;
export type ErrorCode = ServerErrorCode | CloseName | ClientErrorCode | AccessErrorCode;
/** Every error the SDK throws or reports: a `code` to act on and a `message` for a person that says what to do. */
export declare class ParleyError extends Error {
    readonly code: ErrorCode;
    /** Whether the same may work later without anybody changing something. */
    readonly retry: boolean;
    /** Milliseconds after which a retry is welcome, where the server said so. */
    readonly retryMs?: number | undefined;
    readonly name = "ParleyError";
    constructor(code: ErrorCode, message?: string, 
    /** Whether the same may work later without anybody changing something. */
    retry?: boolean, 
    /** Milliseconds after which a retry is welcome, where the server said so. */
    retryMs?: number | undefined, options?: ErrorOptions);
}
/** The error behind a WebSocket close code; undefined where the client should come back without a word. */
export declare function closeError(code: number, reason?: string): ParleyError | undefined;
/** Makes the typed error of an `error` reply. */
export declare function serverError(reply: {
    code?: unknown;
    message?: unknown;
    retry_ms?: unknown;
}): ParleyError;
export {};
