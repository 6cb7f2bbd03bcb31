import { AudioOut } from './audio';
import type { CameraOptions, ScreenOptions } from './capture';
import { Chat } from './chat';
import { Credentials } from './credentials';
import { DataPort } from './data';
import { Door } from './door';
import type { Emitter } from './emitter';
import { ParleyError } from './errors';
import { Files } from './files/files';
import { Joining } from './joining';
import { Local, type LocalSource } from './local';
import { Media, type MediaState, toFault } from './media';
import { MediaFeedback } from './mediafeedback';
import { Monitor } from './monitor';
import { OwnPictures } from './ownpictures';
import { followPage } from './page';
import { Participant } from './participant';
import { unsupported } from './peer';
import type { Reply, Request } from './pending';
import { epoch } from './position';
import type {
  Kind,
  Limits,
  Metadata,
  Permission,
  Reason,
  Renewal,
  Resumed,
  RoomEvent,
  SessionEvent,
  Stream,
  Welcome,
} from './protocol';
import type { Quality } from './quality';
import { type RoomStats, report } from './report';
import type { ConnectOptions, Message, RoomData, RoomFiles, RoomState } from './roomevents';
import { type ModelEvents, RoomModel } from './roommodel';
import { RoomRequests } from './roomrequests';
import { plan } from './sending';
import { Session } from './session';
import { slotsFor, streamsOf } from './slothint';
import type { SlotChange } from './slots';
import { slotStep } from './steps';
import { socketURL } from './url';
import { type AttachOptions, Views } from './views';

const DATA_BYTES = 64 << 10; // where the server names no limit

/** A room we are in. Make one with Room.connect(). */
export class Room extends RoomRequests {
  /** Small messages to others, through the server. */
  readonly data: RoomData;
  /** Files straight from browser to browser. */
  readonly files: RoomFiles;
  /** Why the room closed, if not by leave(). */
  closedBy: ParleyError | undefined;

  readonly #options: ConnectOptions;
  readonly #session: Session;
  readonly #model: RoomModel;
  readonly #media: Media | undefined;
  readonly #feedback: MediaFeedback;
  readonly #local: Local;
  readonly #views: Views;
  readonly #audio: AudioOut;
  readonly #monitor: Monitor | undefined;
  readonly #files: Files;
  readonly #page = new AbortController();
  readonly #credentials: Credentials;
  readonly #pictures: OwnPictures;
  readonly #joining: Joining;
  protected readonly door: Door;
  protected readonly request: (message: Request) => Promise<Reply> = (message) => this.#session.request(message);
  #me: Participant;
  #can = new Set<Permission>();
  #limits: Limits = {};
  readonly #chat = new Chat();
  #scored = false; // the server tells how good connections are

  /** Joins a room. The promise ends when the server has let us in; sound and picture follow within moments. */
  static async connect(options: ConnectOptions): Promise<Room> {
    const missing = options.media === false ? undefined : unsupported();
    if (missing) throw missing;
    options.signal?.throwIfAborted();
    const room = new Room(options);
    const abort = () => void room.leave();
    options.signal?.addEventListener('abort', abort);
    try {
      await room.#session.start();
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
    return room;
  }

  private constructor(options: ConnectOptions) {
    super();
    this.#options = options;
    this.#credentials = new Credentials(options.token, options.renew);
    this.#me = new Participant({ id: '', name: options.name });
    this.#model = new RoomModel(this as unknown as Emitter<ModelEvents>);
    this.#session = new Session({
      url: socketURL(options.url, options.room),
      owner: this.#sessionOwner(),
      knock: options.knock,
    });
    this.door = new Door({
      request: this.request,
      emit: (event, value) => this.emit(event, ...([value] as never)),
    });
    this.#media = options.media === false ? undefined : this.#makeMedia();
    const media = this.#media;
    this.#joining = new Joining(options, media, () => this.#credentials.token());
    this.#feedback = new MediaFeedback(media, {
      request: (message) => this.#session.request(message),
      tell: (message) => this.#tell(message),
      paused: (change) => this.emit('paused', change),
    });
    this.#local = new Local({
      sender: (kind) => media?.peer?.sender(kind),
      request: (message) => this.#session.request(message),
      changed: (kind) => this.#localChanged(kind),
      using: (kind, track) => media?.using(kind, track),
      fault: (error) => this.emit('error', error),
    });
    this.#pictures = new OwnPictures((stream) => this.#local.get(stream));
    this.#views = new Views({
      picture: (participant, stream) => this.#picture(participant, stream),
      remote: (participant) => participant !== this.#me.id,
      subscribe: (tiles) => {
        this.#tell({ type: 'subscribe', tiles });
        this.#fit();
      },
      mostTiles: () => this.#limits.tiles ?? 100,
      adaptive: options.adaptive ?? true,
      density: options.density,
    });
    this.#audio = new AudioOut((blocked) => this.emit('audioBlocked', blocked));
    this.#monitor =
      media &&
      new Monitor(
        () => media.peer,
        media.slots,
        () => this.#me.id,
        (participant, level) => this.#scored || this.emit('quality', { participant, level }),
        (limited) => this.#feedback.strained(limited),
      );
    this.data = new DataPort(
      () => media?.peer,
      () => this.#limits.data_bytes ?? DATA_BYTES,
    );
    this.#files = new Files({
      signal: async (to, data) => void (await this.#session.request({ type: 'signal', to, data })),
      iceServers: () => this.#credentials.iceServers,
      offered: (transfer) => this.emit('file', transfer),
      messagesPerSecond: () => this.#limits.messages_per_second,
    });
    this.files = this.#files;
    this.on('left', ({ participant: { id }, reason }) => {
      this.#files.left(id);
      if (id !== this.#me.id || (reason !== 'removed' && reason !== 'ended')) return;
      this.#session.finish(new ParleyError(reason === 'removed' ? 'removed' : 'room_ended'));
    });
    this.on('change', () => this.#changed());
    const repair = () => media?.retry();
    followPage({ session: this.#session, repair, gone: () => void this.leave() }, this.#page.signal);
  }

  /** The room's name. */
  get name(): string {
    return this.#options.room;
  }

  get state(): RoomState {
    return this.#session.state;
  }

  /** How the connection does that carries sound and picture; the room's `state` is about the one for everything else. */
  get mediaState(): MediaState {
    return this.#media?.state ?? 'none';
  }

  /** Ourselves, as the others know us. */
  get me(): Participant {
    return this.#me;
  }

  /** Everybody in the room by id, ourselves included, in the order of joining. */
  get participants(): ReadonlyMap<string, Participant> {
    return this.#model.participants;
  }

  /** Ids of those who speak, the loudest first. */
  get speaking(): readonly string[] {
    return this.#model.speaking;
  }

  get locked(): boolean {
    return this.#model.locked;
  }

  /**
   * The newest token: the server renews ours before it ends, so that we can come back for as long as we are in. Keep it for a
   * reload of the page, and give it to Presence.watch().
   */
  get token(): string | undefined {
    return this.#credentials.newest;
  }

  /** What we may do. */
  get can(): ReadonlySet<Permission> {
    return this.#can;
  }

  get limits(): Readonly<Limits> {
    return this.#limits;
  }

  /** The chat: what was said before we came (the last hundred) and since. */
  get messages(): readonly Message[] {
    return this.#chat.messages;
  }

  /** Whether the browser keeps the sound off until startAudio() is called in a click. */
  get audioBlocked(): boolean {
    return this.#audio.blocked;
  }

  /** What we capture of that kind, and whether the others get it. */
  local(kind: Kind): LocalSource {
    return this.#local.get(kind);
  }

  /** Off keeps the microphone open but sends nothing. */
  setMicrophone(on: boolean, options?: { deviceId?: string }): Promise<void> {
    return this.#withMedia(() => this.#local.microphone(on, options));
  }

  /** Off lets go of the camera. */
  setCamera(on: boolean, options?: CameraOptions): Promise<void> {
    return this.#withMedia(() => this.#local.camera(on, options));
  }

  /** Lets the user choose what to share; call it in a click. It also ends by the browser's own button: see `local`. */
  setScreen(on: boolean, options?: ScreenOptions): Promise<void> {
    return this.#withMedia(() => this.#local.screen(on, options));
  }

  /** Publishes a track of the page's own making, which stays the page's to stop. */
  publish(kind: Kind, track: MediaStreamTrack): Promise<void> {
    return this.#withMedia(() => this.#local.publish(kind, track));
  }

  unpublish(kind: Kind): Promise<void> {
    return this.#withMedia(() => this.#local.unpublish(kind));
  }

  /** Mutes what is published, or lets it be heard and seen again. */
  mute(kind: Kind, muted: boolean): Promise<void> {
    return this.#withMedia(() => this.#local.mute(kind, muted));
  }

  /**
   * Shows a participant's stream in an element: a <video>, or any other, which then gets one. It is received as long as
   * the element can be seen, at the element's size. Our own is shown from here. Returns what ends it.
   */
  attach(element: HTMLElement, participant: string, stream: Stream, options?: AttachOptions): () => void {
    return this.#views.attach(element, participant, stream, options);
  }

  /** When the network is short, pinned streams come before all others. */
  pin(participant: string, stream: Stream, pinned = true): void {
    this.#views.pin(participant, stream, pinned);
  }

  /** Why the server holds a participant's video back though it is attached; undefined: it does not. */
  paused(participant: string, stream: Stream): Reason | undefined {
    return this.#feedback.reason(participant, stream);
  }

  /** The tracks that carry a participant's stream now, for pages that do something else with them. */
  tracks(participant: string, stream: Stream): { video?: MediaStreamTrack; audio?: MediaStreamTrack } {
    return this.#media?.slots.tracks(participant, stream) ?? {};
  }

  /** Call it in a click when `audioBlocked` is true. */
  startAudio(): Promise<void> {
    return this.#audio.start();
  }

  /** Chooses the loudspeaker by its device id; '' is the system's own. */
  setSpeaker(deviceId: string): Promise<void> {
    return this.#audio.speaker(deviceId);
  }

  /** Changes our name or metadata, for all to see. */
  async update(change: { name?: string; metadata?: Metadata }): Promise<void> {
    await this.#session.request({ type: 'update', ...change });
    this.#joining.changed(change);
  }

  /** How good a participant's connection is, 5 to 1; undefined while nothing flows to tell by. */
  quality(participant: string): Quality | undefined {
    if (this.#scored) return this.#model.participants.get(participant)?.quality;
    return this.#monitor?.quality(participant);
  }

  /**
   * Figures of the connection and of every stream, received and sent: what the browser measures, joined with what the server
   * knows. Ask once a second at most: each call is a request.
   */
  async stats(): Promise<RoomStats> {
    const [measured, server] = await Promise.all([
      this.#monitor?.measure(),
      this.state === 'connected' ? this.#feedback.serverStats() : undefined,
    ]);
    const { streams = [], path = {} } = measured ?? {};
    return report(Date.now(), { state: this.mediaState, path, streams }, server, this.#me.id);
  }

  /** Tries to connect again now, in place of waiting for the next attempt: for a button where `media` is `failed`. */
  retry(): void {
    this.#session.probe();
    this.#media?.retry();
  }

  /** Leaves the room and lets go of camera and microphone. */
  async leave(): Promise<void> {
    this.#files.close();
    await this.#session.leave();
  }

  #sessionOwner(): ConstructorParameters<typeof Session>[0]['owner'] {
    return {
      join: () => this.#joining.fields(),
      knock: () => this.#joining.knock(),
      patient: () => this.#options.knock === true || this.#options.onWaiting !== undefined,
      waiting: (waiting) => this.#options.onWaiting?.(waiting),
      welcome: (welcome, again) => this.#welcome(welcome, again),
      resumed: (resumed) => this.#resumed(resumed),
      renewed: (renewal) => this.#renewed(renewal),
      refused: (code) => this.#credentials.refused(code),
      event: (event) => this.#event(event),
      state: (state) => this.emit('state', state),
      closed: (error) => this.#closed(error),
      position: () => this.#model.position,
      reached: (position) => void this.#model.advance(position),
      fault: (error) => this.emit('error', error),
    };
  }

  #makeMedia(): Media {
    return new Media(
      {
        request: (message) => this.#session.request(message),
        data: (frame, reliable) => this.emit('data', { ...frame, reliable }),
        writable: () => this.emit('writable'),
        changed: (changes) => this.#tracksChanged(changes),
        state: (state) => this.emit('media', state),
        expects: () => this.#feedback.expects(this.#me, this.participants),
        fault: (error) => this.emit('error', error),
        silent: () => this.#session.probe(),
        renewed: (reply) => this.#renewed(reply),
        lost: () => this.#session.rejoin(),
      },
      plan(this.#options.codec ?? 'auto', this.#options.layers ?? 'auto'),
    );
  }

  #welcome(welcome: Welcome, again: boolean): void {
    this.#can = new Set(welcome.can ?? []);
    this.#limits = welcome.limits ?? {};
    const restarted = again && epoch(this.#model.position) !== epoch(welcome.room.position);
    this.#chat.merge(welcome.messages);
    this.#me = new Participant({ id: welcome.participant, name: this.#options.name });
    this.#credentials.accepted();
    this.#renewed(welcome);
    this.door.replace(welcome.room.waiting);
    if (welcome.media) {
      this.#media?.accept(welcome.media.sdp).catch((error) => this.emit('error', toFault(error)));
    }
    if (again) {
      this.#feedback.reset(true);
      this.#files.rejoined();
      this.#local.republish();
      this.#views.resend();
    }
    this.#model.replace(welcome.room, again);
    this.#changed();
    if (again) this.emit('rejoined', { restarted });
  }

  #renewed(renewal: Renewal): void {
    if (this.#credentials.take(renewal)) this.emit('credentials', { token: this.#credentials.newest });
  }

  #resumed(resumed: Resumed): void {
    this.#renewed(resumed);
    if (!resumed.room) return;
    this.#chat.merge(resumed.messages);
    this.door.replace(resumed.room.waiting);
    this.#model.replace(resumed.room, true);
    if (resumed.slots) this.#media?.map(resumed.slots);
    this.#feedback.reset(false);
    this.#changed();
  }

  #event(event: SessionEvent): void {
    const news = this.#model.advance(event.position);
    if (this.#feedback.event(event) || !news || this.door.event(event)) return;
    switch (event.type) {
      case 'permissions':
        this.#can = new Set(event.can ?? []);
        this.door.replace(event.waiting);
        this.emit('permissions', this.#can);
        return;
      case 'message':
        this.emit('message', this.#chat.add(event));
        return;
      case 'signal':
        if (this.#files.receive(event.from, event.data) || this.#feedback.signal(event.data)) return;
        this.emit('signal', { from: event.from, data: event.data });
        return;
      case 'muted':
        this.#local.muted(event.kind);
        this.emit('muted', { kind: event.kind, by: event.by });
        return;
      case 'quality':
        this.#scored = true;
        for (const p of this.#model.grade(event.participants ?? {})) {
          this.emit('quality', { participant: p.id, level: p.quality });
        }
        return;
      default:
        this.#model.apply(event as RoomEvent);
    }
  }

  /** Something about the room changed: ourselves, and how many slots it takes. */
  #changed(): void {
    this.#me = this.#model.participants.get(this.#me.id) ?? this.#me;
    this.#fit();
  }

  /** As many slots as the room has streams for and the page shows. */
  #fit(): void {
    const streams = streamsOf(this.#model.participants.values(), this.#me.id);
    const slots = (n: number) => slotStep(slotsFor(n, this.#views.shown), this.#limits.slots);
    this.#media?.need(slots(streams), slots(streams + 1));
  }

  #tracksChanged(changes: SlotChange[]): void {
    const slots = this.#media?.slots.slots ?? [];
    this.#audio.update(slots);
    this.#feedback.remapped();
    for (const { participant, stream } of changes) {
      this.#views.update(participant, stream);
      this.emit('trackchange', { participant, stream });
    }
  }

  #localChanged(kind: Kind): void {
    if (kind === 'camera' || kind === 'screen') {
      this.#pictures.forget(kind);
      this.#views.update(this.#me.id, kind);
    }
    this.emit('local', { kind });
  }

  #picture(participant: string, stream: Stream): MediaStream | null {
    if (participant === this.#me.id) return this.#pictures.get(stream);
    return this.#media?.slots.picture(participant, stream) ?? null;
  }

  /** Asks for something whose failure only the error event tells. */
  #tell(message: Request): void {
    this.#session.request(message).catch((error: ParleyError) => {
      if (error.code !== 'session_gone' && error.code !== 'closed') this.emit('error', error);
    });
  }

  async #withMedia(work: () => Promise<void>): Promise<void> {
    if (this.state === 'closed') throw new ParleyError('closed');
    if (this.#media) return work();
    throw new ParleyError('no_media', 'The room was joined without sound and picture. Join it again with them.');
  }

  #closed(error: ParleyError | undefined): void {
    this.closedBy = error;
    this.#page.abort();
    this.#files.close();
    this.#monitor?.close();
    this.#media?.close();
    this.#local.close();
    this.#views.close();
    this.emit('closed', ...([error] as [ParleyError]));
  }
}
