import { AudioOut } from './audio';
import type { CameraOptions } from './capture';
import { DataPort } from './data';
import { Emitter } from './emitter';
import { ParleyError } from './errors';
import { Files } from './files/files';
import { decodeFrame } from './frames';
import { IceServers } from './iceservers';
import { Local, type LocalSource } from './local';
import { Media } from './media';
import { Monitor } from './monitor';
import { Participant } from './participant';
import { unsupported } from './peer';
import type {
  Json,
  Kind,
  Limits,
  Metadata,
  ModerateAction,
  Permission,
  Resumed,
  SessionEvent,
  Stream,
  Welcome,
} from './protocol';
import { type ConnectOptions, type Message, type RoomEvents, type RoomState, toMessage } from './roomevents';
import { type ModelEvents, RoomModel } from './roommodel';
import { Session } from './session';
import { slotHint, streamsOf } from './slothint';
import type { SlotChange } from './slots';
import type { Quality, StreamStats } from './stats';
import { slotStep } from './steps';
import { readToken, socketURL } from './url';
import { Views } from './views';

const MOST_MESSAGES = 1000; // kept for messages
const DATA_BYTES = 64 << 10; // where the server names no limit

export type RoomData = Pick<DataPort, 'send'>;
export type RoomFiles = Pick<Files, 'send' | 'transfers'>;

/** A room we are in. Make one with Room.connect(). */
export class Room extends Emitter<RoomEvents> {
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
  readonly #local: Local;
  readonly #views: Views;
  readonly #audio: AudioOut;
  readonly #monitor: Monitor | undefined;
  readonly #files: Files;
  readonly #page = new AbortController();
  readonly #ice = new IceServers();
  /** Our own pictures, one stream object for as long as the track is the same. */
  readonly #pictures = new Map<Stream, MediaStream>();
  #me: Participant;
  #can = new Set<Permission>();
  #limits: Limits = {};
  #messages: Message[] = [];
  #nameChange: string | undefined;
  #metadataChange: Metadata | undefined;

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
    this.#me = new Participant({ id: '', name: options.name });
    this.#model = new RoomModel(this as unknown as Emitter<ModelEvents>);
    this.#session = new Session({ url: socketURL(options.url, options.room), owner: this.#sessionOwner() });
    this.#media = options.media === false ? undefined : this.#makeMedia();
    const media = this.#media;
    this.#local = new Local({
      sender: (kind) => media?.peer?.sender(kind),
      request: (message) => this.#session.request(message),
      changed: (kind) => this.#localChanged(kind),
      fault: (error) => this.emit('error', error),
    });
    this.#views = new Views({
      picture: (participant, stream) => this.#picture(participant, stream),
      remote: (participant) => participant !== this.#me.id,
      subscribe: (tiles) => this.#tell({ type: 'subscribe', tiles }),
      mostTiles: () => this.#limits.tiles ?? 100,
    });
    this.#audio = new AudioOut((blocked) => this.emit('audioBlocked', blocked));
    this.#monitor =
      media &&
      new Monitor(
        () => media.peer,
        media.slots,
        () => this.#me.id,
        (participant, level) => this.emit('quality', { participant, level }),
      );
    this.data = new DataPort(
      () => media?.peer,
      () => this.#limits.data_bytes ?? DATA_BYTES,
    );
    this.#files = new Files({
      signal: async (to, data) => void (await this.#session.request({ type: 'signal', to, data })),
      iceServers: () => this.#iceServers(),
      offered: (transfer) => this.emit('file', transfer),
    });
    this.files = this.#files;
    this.on('left', ({ participant, reason }) => {
      this.#files.left(participant.id);
      if (participant.id !== this.#me.id) return;
      if (reason === 'removed') this.#session.finish(new ParleyError('removed'));
      else if (reason === 'ended') this.#session.finish(new ParleyError('room_ended'));
    });
    this.on('change', () => this.#changed());
    this.#followPage();
  }

  /** The room's name. */
  get name(): string {
    return this.#options.room;
  }

  get state(): RoomState {
    return this.#session.state;
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

  /** What we may do. */
  get can(): ReadonlySet<Permission> {
    return this.#can;
  }

  get limits(): Readonly<Limits> {
    return this.#limits;
  }

  /** The chat: what was said before we came (the last hundred) and since. */
  get messages(): readonly Message[] {
    return this.#messages;
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
  setScreen(on: boolean, options?: { audio?: boolean }): Promise<void> {
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
  attach(element: HTMLElement, participant: string, stream: Stream): () => void {
    return this.#views.attach(element, participant, stream);
  }

  /** The tracks that carry a participant's stream now, for pages that do something else with them. */
  tracks(participant: string, stream: Stream): { video?: MediaStreamTrack; audio?: MediaStreamTrack } {
    const slot = this.#media?.slots.find(participant, stream);
    return {
      video: slot?.hasVideo ? slot.video.getTracks()[0] : undefined,
      audio: slot?.hasAudio ? slot.audio.getTracks()[0] : undefined,
    };
  }

  /** Call it in a click when `audioBlocked` is true. */
  startAudio(): Promise<void> {
    return this.#audio.start();
  }

  /** Chooses the loudspeaker by its device id; '' is the system's own. */
  setSpeaker(deviceId: string): Promise<void> {
    return this.#audio.speaker(deviceId);
  }

  /** Says something to all, or to one. It comes back as a `message` event. */
  async chat(text: string, to?: string): Promise<void> {
    await this.#session.request({ type: 'chat', text, to });
  }

  /** Changes our name or metadata, for all to see. */
  async update(change: { name?: string; metadata?: Metadata }): Promise<void> {
    await this.#session.request({ type: 'update', ...change });
    if (change.name !== undefined) this.#nameChange = change.name;
    if (change.metadata !== undefined) this.#metadataChange = change.metadata;
  }

  /** For those who may `moderate`. `mute` and `remove` need a participant; `mute` takes one kind, or all. */
  async moderate(action: ModerateAction, participant?: string, kind?: Kind): Promise<void> {
    await this.#session.request({ type: 'moderate', action, participant, kind });
  }

  /** Sends one participant any JSON, through the server: for pages that connect by themselves. */
  async signal(to: string, data: Json): Promise<void> {
    await this.#session.request({ type: 'signal', to, data });
  }

  /** How good a participant's sound and picture arrive, 5 to 1; for ourselves, how they leave. */
  quality(participant: string): Quality | undefined {
    return this.#monitor?.quality(participant);
  }

  /** Figures of every stream, received and sent. */
  async stats(): Promise<StreamStats[]> {
    return (await this.#monitor?.stats()) ?? [];
  }

  /** Leaves the room and lets go of camera and microphone. */
  async leave(): Promise<void> {
    this.#files.close();
    await this.#session.leave();
  }

  #sessionOwner(): ConstructorParameters<typeof Session>[0]['owner'] {
    return {
      join: () => this.#join(),
      welcome: (welcome, again) => this.#welcome(welcome, again),
      resumed: (resumed) => this.#resumed(resumed),
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
        data: (frame, reliable) => this.#data(frame, reliable),
        writable: () => this.emit('writable'),
        changed: (changes) => this.#tracksChanged(changes),
        fault: (error) => this.emit('error', error),
        lost: () => this.#session.rejoin(),
      },
      this.#ice,
    );
  }

  async #join(): Promise<Record<string, unknown>> {
    const { url, room, identity } = this.#options;
    const token = await readToken(this.#options.token);
    const name = this.#nameChange ?? this.#options.name;
    const metadata = this.#metadataChange ?? this.#options.metadata;
    const fields = { token, identity, name, metadata };
    if (!this.#media) return fields;
    this.#media.need(this.#options.slots ? slotStep(this.#options.slots) : await slotHint(url, room, token));
    return { ...fields, media: await this.#media.offer() };
  }

  #welcome(welcome: Welcome, again: boolean): void {
    this.#can = new Set(welcome.can ?? []);
    this.#limits = welcome.limits ?? {};
    this.#messages = (welcome.messages ?? []).map(toMessage);
    this.#me = new Participant({ id: welcome.participant, name: this.#options.name });
    this.#ice.take(welcome, Date.now());
    if (welcome.media) {
      this.#media
        ?.accept(welcome.media.sdp)
        .catch((error) =>
          this.emit('error', new ParleyError('media_failed', undefined, true, undefined, { cause: error })),
        );
    }
    if (again) {
      this.#files.rejoined();
      this.#local.republish();
      this.#views.resend();
    }
    this.#model.replace(welcome.room, again);
    this.#changed();
  }

  #resumed(resumed: Resumed): void {
    this.#ice.take(resumed, Date.now());
    if (!resumed.room) return;
    this.#messages = (resumed.messages ?? []).map(toMessage);
    this.#model.replace(resumed.room, true);
    if (resumed.slots) this.#media?.map(resumed.slots);
    this.#changed();
  }

  #event(event: SessionEvent): void {
    const news = this.#model.advance(event.position);
    if (event.type === 'slots') {
      this.#media?.map(event.slots); // the whole map: taking it twice does no harm
      return;
    }
    if (!news) return;
    switch (event.type) {
      case 'message':
        this.#messages = [...this.#messages.slice(1 - MOST_MESSAGES), toMessage(event)];
        this.emit('message', this.#messages[this.#messages.length - 1]!);
        return;
      case 'signal':
        if (!this.#files.receive(event.from, event.data)) this.emit('signal', { from: event.from, data: event.data });
        return;
      case 'muted':
        this.#local.muted(event.kind);
        this.emit('muted', { kind: event.kind, by: event.by });
        return;
      default:
        this.#model.apply(event);
    }
  }

  /** Something about the room changed: ourselves, and how many slots it takes. */
  #changed(): void {
    this.#me = this.#model.participants.get(this.#me.id) ?? this.#me;
    const streams = streamsOf(this.#model.participants.values(), this.#me.id);
    this.#media?.need(slotStep(streams, this.#limits.slots));
  }

  #tracksChanged(changes: SlotChange[]): void {
    this.#audio.update(this.#media?.slots.slots ?? []);
    for (const { participant, stream } of changes) {
      this.#views.update(participant, stream);
      this.emit('trackchange', { participant, stream });
    }
  }

  #localChanged(kind: Kind): void {
    if (kind === 'camera' || kind === 'screen') {
      this.#pictures.delete(kind);
      this.#views.update(this.#me.id, kind);
    }
    this.emit('local', { kind });
  }

  #picture(participant: string, stream: Stream): MediaStream | null {
    if (participant !== this.#me.id) {
      const slot = this.#media?.slots.find(participant, stream);
      return slot?.hasVideo ? slot.video : null;
    }
    const { track, on } = this.#local.get(stream);
    if (!track || !on) return null;
    const picture = this.#pictures.get(stream) ?? new MediaStream([track]);
    this.#pictures.set(stream, picture);
    return picture;
  }

  #data(buffer: ArrayBuffer, reliable: boolean): void {
    const frame = decodeFrame(buffer);
    if (frame) this.emit('data', { ...frame, reliable });
  }

  #iceServers(): RTCIceServer[] {
    this.#media?.refresh(); // for the next one, should these be about to expire
    return this.#ice.list;
  }

  /** Asks for something whose failure only the error event tells. */
  #tell(message: { type: string; [field: string]: unknown }): void {
    this.#session.request(message).catch((error: ParleyError) => {
      if (error.code !== 'session_gone' && error.code !== 'closed') this.emit('error', error);
    });
  }

  #withMedia(work: () => Promise<void>): Promise<void> {
    if (this.state === 'closed') return Promise.reject(new ParleyError('closed'));
    if (!this.#media)
      return Promise.reject(
        new ParleyError('no_media', 'The room was joined without sound and picture. Join it again with them.'),
      );
    return work();
  }

  /** What the page goes through concerns the connection too. */
  #followPage(): void {
    const options = { signal: this.#page.signal };
    window.addEventListener(
      'online',
      () => {
        this.#session.probe();
        this.#media?.refresh();
      },
      options,
    );
    document.addEventListener(
      'visibilitychange',
      () => document.visibilityState === 'visible' && this.#session.probe(),
      options,
    );
    window.addEventListener(
      'pagehide',
      (event) => {
        // A page in the back-forward cache runs nothing: for the others it has left, until it is shown again.
        if (event.persisted) this.#session.sleep();
        else void this.leave();
      },
      options,
    );
    window.addEventListener('pageshow', (event) => event.persisted && this.#session.wake(), options);
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
