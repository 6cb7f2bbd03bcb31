import { Backoff } from './backoff';
import { every } from './clock';
import { closeError, ParleyError, serverError } from './errors';
import { Knocking } from './knocking';
import { Pending, type Reply, type Request } from './pending';
import type { Renewal, Resumed, SessionEvent, Welcome } from './protocol';
import type { SessionOptions, SessionOwner, SessionState } from './sessionowner';
import { drainDelay, silence } from './sockets';
import { Gaps, now } from './time';

/** A message from the server, before anything about it is known. */
interface Incoming {
  type?: unknown;
  id?: unknown;
  position?: unknown;
  code?: unknown;
  message?: unknown;
  retry_ms?: unknown;
}

const SUBPROTOCOL = 'parley.v1';
const SILENCE = 10_000; // ms without a word from the server after which its connection is dead
const PROBE = 1000; // ms the server has to answer where there is doubt; then a new connection is made beside the old one
const TICK = 1000;
const HURRY = 20_000; // ms after a server drained in which its successor is expected…
const HURRIED = 750; // …and ms between attempts meanwhile, at most
const FIRST_ATTEMPTS = 3; // connections tried before a first join is given up
const PATIENT_ATTEMPTS = 4; // times a request is sent whose answer is that it came too fast
const MAKING = 2000; // ms for which a connection is made before news of the network make us begin anew
const SILENT = 3001; // our close code where the server must keep the session: not 1000, not 1001

/**
 * One session over one WebSocket after the other (docs/protocol.md). Requests survive the loss of a connection: what was
 * not answered is sent again with its old id after the resume.
 */
export class Session {
  state: SessionState = 'connecting';
  readonly #owner: SessionOwner;
  readonly #url: string;
  readonly #makeSocket: (url: string, protocol: string) => WebSocket;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #pending = new Pending(() => this.#nextID++);

  #socket: WebSocket | undefined;
  #nextID = 1;
  #handshakeID = 0; // the id of the join or resume under way, 0 when live
  #handshake: 'join' | 'resume' | 'knock' | undefined;
  readonly #knocking: Knocking;
  #credentials: { session: string; secret: string } | undefined;
  #joined = false; // a join has succeeded once
  #pingEvery = 4000;
  #heard = 0; // now() of the last word from the server
  #pinged = 0;
  #doubted = Infinity; // now() when that is over
  #doubt: ReturnType<typeof setTimeout> | undefined;
  #spare: WebSocket | undefined; // the connection beside
  readonly #gaps = new Gaps();
  #stopTicking: (() => void) | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryAt = Infinity; // now() when `#retry` is due, which a hidden page's browser may put off
  #hurryUntil = 0; // now() until which attempts follow each other quickly
  #started: { resolve(): void; reject(error: ParleyError): void } | undefined;
  #left: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#owner = options.owner;
    this.#url = options.url;
    this.#makeSocket = options.socket ?? ((url, protocol) => new WebSocket(url, protocol));
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(this.#random);
    this.#knocking = new Knocking(options.knock === true);
  }

  /** Connects and joins; resolves once welcome. Call it once. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      this.#stopTicking = every(TICK, () => this.#tick());
      this.#open(this.#knocking.due ? undefined : this.#owner.join());
    });
  }

  /** Sends a request, now or once connected again, and gives the reply. What came too fast is sent again in time. */
  async request(message: Request): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      if (this.state === 'closed') throw new ParleyError('closed');
      try {
        return await this.#pending.add(message, this.#live ? this.#socket : undefined);
      } catch (error) {
        const early = error instanceof ParleyError && error.code === 'rate_limited';
        if (!early || attempt >= PATIENT_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, error.retryMs ?? 1000));
      }
    }
  }

  /** Leaves the room; resolves once the server has confirmed it, or after a second. */
  leave(): Promise<void> {
    const socket = this.#socket;
    if (this.state === 'closed' || !socket || socket.readyState !== socket.OPEN) {
      this.#end(undefined);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#left?.(), 1000);
      this.#left = () => {
        clearTimeout(late);
        this.#left = undefined;
        socket.close(1000);
        resolve();
      };
      const done = this.#left;
      socket.onclose = () => done();
      socket.onmessage = null;
      socket.send('{"type":"leave"}');
      this.#end(undefined, socket);
    });
  }

  /** The page goes to sleep (back-forward cache): leaves, to join anew on wake(). */
  sleep(): void {
    if (this.state === 'closed' || !this.#joined) return;
    const socket = this.#detach();
    if (socket?.readyState === 1) socket.send('{"type":"leave"}');
    socket?.close(1000);
    this.#stay();
    this.#forget();
    this.#setState('reconnecting');
  }

  wake(): void {
    if (this.state === 'reconnecting' && !this.#socket) this.#reconnect(0);
  }

  /** The room has told us that it is over, whatever becomes of the close code on its way through proxies. */
  finish(error: ParleyError): void {
    this.#end(error);
  }

  /** Gives the session up and joins anew. */
  rejoin(): void {
    this.sleep();
    this.wake();
  }

  /** The network came back or changed, or media fell silent: reconnect now, or see whether the connection still answers. */
  probe(): void {
    if (this.state === 'closed') return;
    if (this.#live && this.#socket) {
      if (this.#doubted === Infinity) this.#doubt = setTimeout(() => this.#tick(), PROBE);
      this.#doubted = Math.min(this.#doubted, now() + PROBE);
      this.#ping();
    } else if (!this.#socket) {
      this.#reconnect(0);
    } else if (this.#joined && this.#socket.readyState === 0 && now() - this.#heard >= MAKING) {
      this.#detach()?.close(); // begun on a network that may be gone
      this.#reconnect(0);
    }
  }

  get #live(): boolean {
    return this.#handshake === undefined && this.state === 'connected';
  }

  #open(join?: Promise<Record<string, unknown>>): void {
    let socket: WebSocket;
    try {
      socket = this.#makeSocket(this.#url, SUBPROTOCOL);
    } catch (error) {
      this.#end(new ParleyError('unreachable', undefined, false, undefined, { cause: error }));
      return;
    }
    join?.catch(() => {}); // awaited when the socket is open
    this.#use(socket);
    socket.onopen = () => {
      this.#heard = now();
      if (this.#credentials) this.#resume(socket);
      else if (this.#knocking.due) void this.#knock(socket);
      else void this.#join(socket, join ?? this.#owner.join());
    };
  }

  #use(socket: WebSocket): void {
    this.#socket = socket;
    this.#heard = now();
    socket.onmessage = (event: MessageEvent) => this.#receive(event.data);
    socket.onclose = (event: CloseEvent) => this.#lost(event.code, event.reason);
    socket.onerror = null; // a close follows
  }

  #resume(socket: WebSocket): void {
    this.#handshake = 'resume';
    this.#handshakeID = this.#nextID++;
    const position = this.#owner.position() ?? '';
    socket.send(JSON.stringify({ type: 'resume', id: this.#handshakeID, ...this.#credentials, position }));
  }

  #join(socket: WebSocket, fields: Promise<Record<string, unknown>>): Promise<void> {
    return this.#shake(socket, 'join', fields);
  }

  #knock(socket: WebSocket): Promise<void> {
    return this.#shake(
      socket,
      'knock',
      this.#knocking.fields(() => this.#owner.knock()),
    );
  }

  async #shake(socket: WebSocket, type: 'join' | 'knock', fields: Promise<Record<string, unknown>>): Promise<void> {
    this.#handshake = type;
    try {
      const message = await fields;
      if (this.#socket !== socket || socket.readyState !== socket.OPEN) return;
      this.#handshakeID = this.#nextID++;
      socket.send(JSON.stringify({ ...message, type, id: this.#handshakeID }));
    } catch (error) {
      if (this.#socket !== socket) return;
      this.#refused(
        error instanceof ParleyError
          ? error
          : new ParleyError('bad_answer', String(error), false, undefined, { cause: error }),
      );
    }
  }

  #receive(data: unknown): void {
    this.#heard = now();
    this.#trust();
    let message: Incoming;
    try {
      message = JSON.parse(String(data));
    } catch {
      this.#owner.fault(new ParleyError('bad_answer'));
      return;
    }
    switch (message.type) {
      case 'welcome':
        this.#welcome(message as unknown as Welcome);
        return;
      case 'resumed':
        this.#resumed(message as unknown as Resumed);
        return;
      case 'waiting':
        this.#knocking.taken(message as { knock?: unknown; secret?: unknown });
        this.#pingEvery = (Number((message as { ping_seconds?: unknown }).ping_seconds) || 4) * 1000;
        this.#backoff.up(now());
        this.#owner.waiting({ for: this.#knocking.whom, connected: true });
        return;
      case 'admitted':
        this.#admitted(message as Renewal);
        return;
      case 'credentials':
        this.#owner.renewed(message as Renewal);
        return;
      case 'error':
        this.#error(message);
        return;
      case 'pong':
        if (this.#live && typeof message.position === 'string') this.#owner.reached(message.position);
        return;
      case 'ok':
      case 'negotiated':
      case 'stats':
      case 'invited':
      case 'invitations':
      case 'bans':
        this.#pending.resolve(Number(message.id), message as unknown as Reply);
        return;
      default:
        if (typeof message.position === 'string') this.#owner.event(message as unknown as SessionEvent);
    }
  }

  #admitted(renewal: Renewal): void {
    this.#knocking.over();
    this.#owner.renewed(renewal);
    if (this.#socket) void this.#join(this.#socket, this.#owner.join());
  }

  #welcome(welcome: Welcome): void {
    const again = this.#joined;
    this.#joined = true;
    this.#handshake = undefined;
    this.#credentials = { session: welcome.session, secret: welcome.secret };
    this.#pingEvery = (welcome.ping_seconds ?? 4) * 1000;
    this.#backoff.up(now());
    this.#owner.welcome(welcome, again);
    this.#setState('connected');
    this.#pending.sendAll(this.#socket);
    this.#started?.resolve();
    this.#started = undefined;
  }

  #resumed(resumed: Resumed): void {
    this.#handshake = undefined;
    this.#backoff.up(now());
    this.#owner.resumed(resumed);
    this.#setState('connected');
    this.#pending.sendAll(this.#socket);
  }

  #error(message: Incoming): void {
    const error = serverError(message);
    const id = typeof message.id === 'number' ? message.id : 0;
    if (this.#handshake && (id === this.#handshakeID || id === 0)) {
      if (this.#handshake === 'resume') this.#gone(error);
      else if (this.#socket && this.#knocks(error)) void this.#knock(this.#socket);
      else this.#refused(error);
      return;
    }
    if (!this.#pending.reject(id, error)) this.#owner.fault(error);
  }

  /** Whether to knock now: a join was answered so, or the server forgot that we did. */
  #knocks(error: ParleyError): boolean {
    const forgotten = this.#handshake === 'knock' && error.code === 'session_gone' && this.#knocking.waits;
    if (!forgotten && !(error.code === 'must_knock' && this.#owner.patient())) return false;
    this.#knocking.lost();
    return true;
  }

  /** The server knows the session no more: join anew on the same socket. */
  #gone(error: ParleyError): void {
    const socket = this.#socket;
    if (error.code !== 'session_gone' || !socket) {
      this.#refused(error);
      return;
    }
    this.#forget();
    void this.#join(socket, this.#owner.join());
  }

  #forget(): void {
    this.#credentials = undefined;
    this.#handshake = undefined;
    this.#pending.rejectAll(new ParleyError('session_gone', 'The connection was lost for too long. Try again.', true));
  }

  /** A join was refused. Where another token or waiting may help, and we have been inside before, it is tried again. */
  #refused(error: ParleyError): void {
    const other = ['unauthorized', 'token_expired'].includes(error.code) && this.#owner.refused(error.code);
    const inside = this.#joined || this.#knocking.waits;
    if (!other && (!inside || !['rate_limited', 'internal', 'unreachable'].includes(error.code))) {
      this.#end(error);
      return;
    }
    this.#detach()?.close(SILENT);
    this.#handshake = undefined;
    if (other) this.#forget();
    if (this.#joined) this.#setState('reconnecting');
    this.#reconnect(Math.max(error.retryMs ?? 0, this.#backoff.next(now())));
  }

  #lost(code: number, reason: string): void {
    if (this.state === 'closed') return;
    const socket = this.#detach();
    if (socket && socket.readyState <= 1) socket.close(SILENT);
    this.#pending.pause();
    this.#handshake = undefined;
    if (this.#knocking.waits) this.#owner.waiting({ for: this.#knocking.whom, connected: false });
    const fatal = closeError(code, reason);
    if (fatal) {
      this.#refused(fatal);
      return;
    }
    const delay = this.#backoff.next(now());
    if (!this.#joined && !this.#knocking.waits && this.#backoff.attempt > FIRST_ATTEMPTS) {
      this.#end(new ParleyError('unreachable', undefined, true));
      return;
    }
    if (this.#joined) this.#setState('reconnecting');
    if (code === 4000) {
      const told = drainDelay(reason);
      this.#hurryUntil = now() + told + HURRY;
      this.#reconnect(told);
      return;
    }
    this.#reconnect(now() < this.#hurryUntil ? Math.min(delay, HURRIED) : delay);
  }

  #reconnect(delay: number): void {
    this.#stay();
    if (delay <= 0) {
      this.#open();
      return;
    }
    this.#retryAt = now() + delay;
    this.#retry = setTimeout(() => this.#reconnect(0), delay);
  }

  /** Gives up the next attempt. */
  #stay(): void {
    clearTimeout(this.#retry);
    this.#retryAt = Infinity;
  }

  #tick(): void {
    const at = now();
    if (this.#gaps.next(at, Date.now())) this.probe();
    if (!this.#socket) {
      if (at >= this.#retryAt) this.#reconnect(0);
      return;
    }
    if (at - this.#heard >= SILENCE) {
      this.#lost(1006, 'silent');
      return;
    }
    if (at >= this.#doubted && !this.#spare) this.#beside();
    if ((this.#live || this.#knocking.waits) && at - this.#pinged >= this.#pingEvery - TICK / 2) this.#ping();
  }

  #ping(): void {
    this.#pinged = now();
    if (this.#socket?.readyState === 1) this.#socket.send('{"type":"ping"}');
  }

  /**
   * Makes a connection beside one that does not answer, which may be over a way that is gone. Whichever speaks first is used: the
   * new one resumes the session as soon as it is open, without a word to anybody.
   */
  #beside(): void {
    let spare: WebSocket;
    try {
      spare = this.#makeSocket(this.#url, SUBPROTOCOL);
    } catch {
      return;
    }
    this.#spare = spare;
    spare.onerror = null;
    spare.onclose = () => {
      this.#spare = undefined; // the next tick makes another
    };
    spare.onopen = () => {
      this.#spare = undefined;
      this.#detach()?.close(SILENT);
      this.#pending.pause();
      this.#use(spare);
      this.#resume(spare);
    };
  }

  /** There is no doubt any more: the connection spoke, or is given up. */
  #trust(): void {
    this.#doubted = Infinity;
    clearTimeout(this.#doubt);
    if (this.#spare) silence(this.#spare);
    this.#spare?.close(SILENT);
    this.#spare = undefined;
  }

  #detach(): WebSocket | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#trust();
    if (socket) silence(socket);
    return socket;
  }

  #setState(state: SessionState): void {
    if (this.state === state) return;
    this.state = state;
    this.#owner.state(state);
  }

  /** Ends for good. `keep` is a socket that closes by itself. */
  #end(error: ParleyError | undefined, keep?: WebSocket): void {
    if (this.state === 'closed') return;
    this.#stopTicking?.();
    this.#stay();
    if (keep) this.#socket = undefined;
    else this.#detach()?.close(1000);
    this.#pending.rejectAll(error ?? new ParleyError('closed'));
    this.#setState('closed');
    const started = this.#started;
    this.#started = undefined;
    started?.reject(error ?? new ParleyError('closed'));
    this.#owner.closed(error);
  }
}
