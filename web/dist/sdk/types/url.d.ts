import { ParleyError } from './errors';
export type Token = string | (() => string | undefined | Promise<string | undefined>) | undefined;
/** The token now: a function is asked each time, since tokens expire. */
export declare function readToken(token: Token): Promise<string | undefined>;
/** Whether the page has another token by now than the one that was refused. */
export declare function renewed(token: Token, refused: string | undefined, { code }: ParleyError): Promise<boolean>;
/** The server's address, perhaps with a path in front; default: where the page came from. */
export declare function baseURL(base: string | undefined): string;
export declare function checkRoom(room: string): void;
export declare function roomURL(base: string | undefined, room: string, tail?: string): string;
export declare function socketURL(base: string | undefined, room: string): string;
