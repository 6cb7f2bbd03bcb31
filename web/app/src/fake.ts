// An invented server in memory, with the SDK's API: for looking at the pages and for component tests. Never in a build
// for users: only fake-main.tsx and tests import it.

import type {
  AcceptOptions,
  Batch,
  ConnectOptions,
  InvitationOptions,
  Kind,
  Knock,
  MediaState,
  Message,
  Permission,
  PresenceEvents,
  Quality,
  Reason,
  RoomEvents,
  RoomState,
  RoomStats,
  TransferEvents,
  TransferState,
} from 'parley-sdk';
import { Emitter } from '../../sdk/src/emitter';
import { ParleyError } from '../../sdk/src/errors';
import { Participant } from '../../sdk/src/participant';
import type { Backend, CallRoom, Watch } from './backend';
import { FakeList, fakeDoor, fakeKnock, fakeWait } from './fakedoor';
import { picture, screenPicture } from './fakepicture';
import type { Scenario } from './fakescenario';
import { fakeStats } from './fakestats';
import { lostSince } from './state/call';
import { sendFiles } from './state/transfers';

const given =
  'Ann,Bob,Chidi Okafor,Dora,Emil,Fatima Al-Zahra,Gus,Hana,Ivo,Jun,Käthe von Hohenlohe-Langenburg,Lea,Milo,Nora,Otis,Pia,Quentin,Rosa,Søren,Tove,Ulf,Vera,Wim,Xenia,Yusuf,Zoë,Alma,Ben,Cleo,Dag'.split(
    ',',
  );

/** Somebody invented; the n-th is always the same. */
export function somebody(n: number, screen = false, away?: Date): Participant {
  const kinds: { kind: Kind; muted: boolean }[] = [{ kind: 'microphone', muted: n % 3 === 1 }];
  if (n % 4 !== 2) kinds.push({ kind: 'camera', muted: n % 7 === 5 });
  if (screen) kinds.push({ kind: 'screen', muted: false });
  return new Participant({
    id: `p${n}`,
    identity: `p${n}@example.org`,
    name: given[n % given.length] ?? 'Guest',
    joined_at: new Date(Date.UTC(2026, 10, 21, 9, 0, n)).toISOString(),
    sources: kinds.map((k) => ({ id: `p${n}.${k.kind}`, ...k })),
    ...(away && { away: true, away_since: away.toISOString() }),
  });
}

class FakeTransfer extends Emitter<TransferEvents> {
  batch: Batch | undefined;
  state: TransferState = 'offered';
  bytes = 0;
  speed = 0;
  error: ParleyError | undefined;
  sha256: string | undefined;
  savable = false;
  constructor(
    readonly id: string,
    readonly name: string,
    readonly size: number,
    readonly direction: 'in' | 'out',
    readonly peer: string,
    readonly type = 'application/octet-stream',
  ) {
    super();
  }
  set(state: TransferState, done = 0, code = ''): this {
    this.state = state;
    this.bytes = this.size * done;
    this.speed = state === 'active' ? 8_400_000 : 0;
    this.savable = state === 'done' && this.direction === 'in';
    if (code) this.error = new ParleyError(code as ParleyError['code']);
    this.emit('state', state);
    return this;
  }
  accepted: AcceptOptions | undefined;
  async accept(options?: AcceptOptions): Promise<void> {
    this.accepted = options;
    this.set('active', 0.3);
  }
  reject(): void {
    this.set('rejected');
  }
  cancel(): void {
    this.set('cancelled');
  }
  async save(): Promise<void> {
    this.savable = false;
  }
  discarded = false;
  discard(): void {
    this.discarded = true;
  }
}

/** Somebody with a mark of the server. */
export function marked(
  p: Participant,
  mark: { moderator?: boolean; guest?: boolean; name?: string; like?: string },
): Participant {
  return new Participant({ ...p.wire(), ...mark });
}

/** A room of invented people. Tests drive it with its `fake…` methods. */
export class FakeRoom extends Emitter<RoomEvents> implements CallRoom {
  participants = new Map<string, Participant>();
  messages: Message[] = [];
  speaking: string[] = [];
  limits = {};
  closedBy: ParleyError | undefined;
  state: RoomState = 'connected';
  transfers: FakeTransfer[] = [];
  #tracks = new Map<Kind, MediaStreamTrack>();
  on_ = new Set<Kind>();
  locked: boolean;
  audioBlocked: boolean;
  token: string | undefined;
  can: ReadonlySet<Permission>;
  constructor(
    readonly name: string,
    readonly s: Scenario,
    public me: Participant,
  ) {
    super();
    this.locked = s.locked;
    this.audioBlocked = s.blocked;
    this.can = new Set(s.can);
    this.participants.set(me.id, me);
    for (let n = 0; n < s.people - 1; n++) this.participants.set(`p${n}`, somebody(n, s.screen && n === 0));
    this.list = new FakeList(s.door);
    this.waiting = Array.from({ length: s.door.knocks }, (_, n) => fakeKnock(n, n === 1 && s.marks ? 'p0' : undefined));
    if (s.marks) this.#mark();
  }

  #mark(): void {
    const mark = (id: string, how: Parameters<typeof marked>[1]) => {
      const p = this.participants.get(id);
      if (p) this.participants.set(id, marked(p, how));
    };
    mark('p0', { moderator: true });
    mark('p1', { guest: true });
    mark('p2', { guest: true, name: 'Аnn', like: 'p0' });
  }

  readonly list: FakeList;
  waiting: Knock[];
  fakeKnocking(knock: Knock): void {
    this.waiting = [...this.waiting, knock];
    this.emit('knocking', knock);
  }
  #decided(id: string | undefined, reason: 'admitted' | 'declined'): void {
    const gone = this.waiting.filter((k) => !id || k.id === id);
    this.waiting = this.waiting.filter((k) => !gone.includes(k));
    for (const knock of gone) this.emit('knock_ended', { knock, reason });
  }
  async admit(id?: string): Promise<void> {
    this.#decided(id, 'admitted');
  }
  async decline(id?: string): Promise<void> {
    this.#decided(id, 'declined');
  }
  invite = async (wish?: InvitationOptions) => this.list.invite(wish);
  invitations = async () => this.list.invitations;
  revoke = async (id?: string) => this.list.revoke(id);
  bans = async () => this.list.bans;
  unban = async (identity?: string) => this.list.unban(identity);
  fakePermissions(can: Permission[]): void {
    this.can = new Set(can);
    this.emit('permissions', this.can);
  }

  fakeJoin(p: Participant): void {
    this.participants.set(p.id, p);
    this.emit('joined', p);
    this.emit('change');
  }
  fakeLeave(id: string): void {
    const p = this.participants.get(id);
    if (!p) return;
    this.participants.delete(id);
    this.emit('left', { participant: p, reason: 'left' });
    this.emit('change');
  }
  fakeSay(from: string, text: string, to?: string, minutesAgo = 0): void {
    const name = this.participants.get(from)?.name ?? 'Guest';
    const at = new Date(Date.now() - minutesAgo * 60_000);
    const message = { id: `m${this.messages.length}`, from, name, text, at, ...(to ? { to } : {}) };
    this.messages.push(message);
    this.emit('message', message);
  }
  fakeSpeak(ids: string[]): void {
    this.speaking = ids;
    this.emit('speaking', ids);
  }
  fakeState(state: RoomState): void {
    this.state = state;
    this.emit('state', state);
  }
  fakeClose(code: string): void {
    this.closedBy = code ? new ParleyError(code as ParleyError['code']) : undefined;
    this.emit('closed', this.closedBy);
  }
  fakeFile(name: string, size: number, direction: 'in' | 'out', peer: string, batch?: Batch): FakeTransfer {
    const t = new FakeTransfer(`f${this.transfers.length}`, name, size, direction, peer);
    t.batch = batch;
    this.transfers.push(t);
    if (direction === 'in') this.emit('file', t as never);
    return t;
  }

  readonly files = {
    transfers: this.transfers as never,
    send: (file: File, to: string) => this.fakeFile(file.name, file.size, 'out', to) as never,
    sendAll: (files: readonly File[], to: readonly string[]) => {
      const batch = { id: `b${this.transfers.length}`, count: files.length, size: 0 };
      return files.flatMap((f) => to.map((peer) => this.fakeFile(f.name, f.size, 'out', peer, batch))) as never;
    },
  };
  readonly data = { send: () => true };

  local(kind: Kind) {
    return { track: this.#tracks.get(kind), on: this.on_.has(kind) };
  }
  /** Devices that are not plugged in. */
  gone = new Set<string>();
  wishes: (string | undefined)[] = [];
  async #set(kind: Kind, on: boolean, track?: MediaStreamTrack, wish: { deviceId?: string } = {}): Promise<void> {
    if (on) this.wishes.push(wish.deviceId);
    if (on && this.gone.has(wish.deviceId ?? '')) throw new ParleyError('no_device');
    if (on && this.s.device) throw new ParleyError(this.s.device as ParleyError['code']);
    if (on) this.on_.add(kind);
    else this.on_.delete(kind);
    if (track) this.#tracks.set(kind, track);
    const kinds = [...this.on_].map((k) => ({ id: `me.${k}`, kind: k, muted: false }));
    this.me = this.me.withSources(kinds);
    this.participants.set(this.me.id, this.me);
    this.emit('local', { kind });
    this.emit('change');
  }
  setMicrophone = (on: boolean, wish?: { deviceId?: string }) => this.#set('microphone', on, undefined, wish);
  setCamera = (on: boolean, wish?: { deviceId?: string }) =>
    this.#set('camera', on, on ? picture(99) : undefined, wish);
  setScreen = (on: boolean) => this.#set('screen', on);
  publish = (kind: Kind, track: MediaStreamTrack) => this.#set(kind, true, track);
  unpublish = (kind: Kind) => this.#set(kind, false);
  mute = (kind: Kind, muted: boolean) => this.#set(kind, !muted);
  tracks() {
    return {};
  }
  async signal(): Promise<void> {}
  attach(element: HTMLElement, participant: string, stream: string): () => void {
    const video = element as HTMLVideoElement;
    const n = Number(participant.slice(1));
    video.srcObject = new MediaStream([stream === 'screen' ? screenPicture() : picture(n)]);
    return () => {
      video.srcObject = null;
    };
  }
  async startAudio(): Promise<void> {
    this.audioBlocked = false;
    this.emit('audioBlocked', false);
  }
  async setSpeaker(): Promise<void> {}
  async chat(text: string, to?: string): Promise<void> {
    this.fakeSay(this.me.id, text, to);
  }
  async update(): Promise<void> {}
  async moderate(action: string, participant?: string): Promise<void> {
    if (action === 'remove' && participant) this.fakeLeave(participant);
    if (action === 'lock' || action === 'unlock') {
      this.locked = action === 'lock';
      this.emit('change');
    }
    if (action === 'end') this.fakeClose('room_ended');
  }
  graded = new Set<string>();
  quality(id: string): Quality | undefined {
    return this.graded.has(id) ? this.participants.get(id)?.quality : undefined;
  }
  mediaState: MediaState = 'connected';
  held = new Map<string, Reason>();
  pins = new Set<string>();
  pin(participant: string, stream: string, pinned = true): void {
    if (pinned) this.pins.add(`${stream} ${participant}`);
    else this.pins.delete(`${stream} ${participant}`);
  }
  paused(participant: string, stream: string): Reason | undefined {
    return this.held.get(`${stream} ${participant}`);
  }
  retries = 0;
  retry(): void {
    this.retries++;
  }
  fakePause(participant: string, stream: 'camera' | 'screen', reason: Reason | undefined): void {
    if (reason) this.held.set(`${stream} ${participant}`, reason);
    else this.held.delete(`${stream} ${participant}`);
    this.emit('paused', { participant, stream, reason });
  }
  fakeGrade(id: string, level: Quality): void {
    this.graded.add(id);
    const p = this.participants.get(id);
    if (!p) return;
    const graded = p.withQuality(level);
    this.participants.set(id, graded);
    if (id === this.me.id) this.me = graded;
    this.emit('quality', { participant: id, level });
  }
  fakeMedia(state: MediaState): void {
    this.mediaState = state;
    this.emit('media', state);
  }
  async stats(): Promise<RoomStats> {
    return fakeStats(this);
  }
  async leave(): Promise<void> {
    this.fakeState('closed');
  }
}

class FakeWatch extends Emitter<PresenceEvents> implements Watch {
  participants = new Map<string, Participant>();
  position = 'e.1';
  state = 'live' as const;
  speaking = [];
  constructor(
    people: number,
    away: number,
    readonly locked: boolean,
  ) {
    super();
    for (let n = 0; n < people; n++)
      this.participants.set(
        `p${n}`,
        somebody(n, false, away && n === 0 ? new Date(Date.now() - away * 1000) : undefined),
      );
  }
  close(): void {}
}

let lastRoom: FakeRoom | undefined;

/** A backend that plays a scenario. */
export function fakeBackend(s: Scenario): Backend {
  const capture = async (kind: 'camera' | 'microphone') => {
    if (s.device) throw new ParleyError(s.device as ParleyError['code']);
    if (kind === 'camera') return picture(99);
    return navigator.mediaDevices.getUserMedia({ audio: true }).then((m) => m.getAudioTracks()[0] as MediaStreamTrack);
  };
  return {
    ...fakeDoor(s.door),
    async connect(options: ConnectOptions) {
      await fakeWait(s.door, options);
      if (s.fail) throw new ParleyError(s.fail as ParleyError['code'], undefined, false, s.door.retry || undefined);
      const me = new Participant({
        id: 'me',
        identity: 'me',
        name: options.name ?? 'Me',
        joined_at: '2026-11-21T09:30:00Z',
      });
      lastRoom = new FakeRoom(options.room, s, me);
      return lastRoom;
    },
    watch: () => new FakeWatch(Math.max(0, s.people - 1), s.away, s.locked),
    listDevices: async () => devices,
    onDeviceChange: () => () => {},
    levelMeter: (_track, listener) => {
      const timer = setInterval(() => listener(0.45), 100);
      return () => clearInterval(timer);
    },
    captureMicrophone: () => capture('microphone'),
    captureCamera: () => capture('camera'),
    unsupported: () => (s.unsupported ? new ParleyError('unsupported_browser') : undefined),
  };
}

const device = (kind: MediaDeviceKind, label: string): MediaDeviceInfo => ({
  deviceId: label,
  groupId: '',
  kind,
  label,
  toJSON: () => ({}),
});
const devices = {
  cameras: [device('videoinput', 'Built-in camera'), device('videoinput', 'Desk camera')],
  microphones: [
    device('audioinput', 'Built-in microphone'),
    device('audioinput', 'Headset with a rather long name (USB Audio)'),
  ],
  speakers: [device('audiooutput', 'Built-in speakers')],
};

/** Lets things happen in the room that was joined last. */
export function play(s: Scenario): void {
  const room = lastRoom;
  if (!room) return;
  if (s.camera) void room.setCamera(true);
  void room.setMicrophone(true);
  if (s.people > 1) room.fakeSpeak(['p0']);
  for (let n = 0; n < s.people - 1; n++) room.fakeGrade(`p${n}`, n % 5 === 3 ? 1 : n % 5 === 1 ? 3 : 5);
  room.fakeGrade('me', 4);
  if (s.away) room.fakeJoin(somebody(0, s.screen, new Date(Date.now() - s.away * 1000)));
  if (s.paused) room.fakePause('p0', 'camera', 'bandwidth');
  if (s.media !== 'connected') room.fakeMedia(s.media);
  if (s.chat) talk(room);
  if (s.files) send(room);
  if (s.batches) sendMany(room);
  void press(s.panel.split(',').filter(Boolean));
  if (s.promote) room.fakePermissions([...s.can, 'moderate', 'invite'] as Permission[]);
  if (s.state !== 'connected') room.fakeState(s.state);
  if (s.lost) lostSince.value = performance.now() - s.lost * 1000;
  if (s.close) room.fakeClose(s.close);
}

// What one click opens is there for the next some moments later.
async function press(ids: string[]): Promise<void> {
  for (const id of ids) {
    for (let n = 0; n < 60; n++) {
      const button = document.querySelector<HTMLButtonElement>(`[data-testid=${id}]`);
      if (button && !button.disabled) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    document.querySelector<HTMLElement>(`[data-testid=${id}]`)?.click();
  }
}

function talk(room: FakeRoom): void {
  room.fakeSay(
    'p0',
    'Good morning! The notes are at https://example.org/notes?week=47, have a look before we start.',
    undefined,
    42,
  );
  room.fakeSay('p0', 'And the agenda:\n1. Release\n2. What broke\n3. Lunch', undefined, 41);
  room.fakeSay('me', 'Thanks, reading.', undefined, 40);
  room.fakeSay(
    'p1',
    'I will be two minutes late, the train stands still. Averyveryverylongwordwithoutanybreakatallthatmustwrapsomewhere.',
    undefined,
    12,
  );
  room.fakeSay('p0', 'Can you take over the second point?', 'me', 3);
  room.fakeSay('me', 'Sure.', 'p0', 2);
}

// What was sent together, at different stages.
function sendMany(room: FakeRoom): void {
  const photos = { id: 'photos', count: 20, size: 34_200_000 };
  for (let n = 0; n < 20; n++) room.fakeFile(`IMG_${2000 + n}.jpg`, 1_710_000, 'in', 'p0', photos);
  const file = (name: string, size: number) => ({ name, size }) as File;
  const long = 'a very long name of a drawing that does not fit on one line.svg';
  sendFiles([file('plan.pdf', 3e6), file(long, 3e6), file('notes.txt', 3e6)], ['p1']);
  const [plan, drawing, notes] = room.transfers.slice(-3);
  plan?.set('done', 1);
  drawing?.set('active', 0.4);
  notes?.set('queued');
  const everybody = [...room.participants.keys()].filter((id) => id !== 'me');
  sendFiles([file('minutes.pdf', 1_340_000)], everybody);
  for (const [n, t] of room.transfers.slice(-everybody.length).entries()) t.set(n % 3 === 1 ? 'rejected' : 'done', 1);
}

function send(room: FakeRoom): void {
  room.fakeFile('holiday pictures.zip', 48_200_000, 'in', 'p0');
  room
    .fakeFile(
      'a report with a name so long that it will not fit on one line of the card, v2 final.pdf',
      1_340_000,
      'in',
      'p0',
    )
    .set('active', 0.62);
  room.fakeFile('notes.txt', 4_213, 'in', 'p0').set('done', 1);
  room.fakeFile('video.mp4', 220_000_000, 'in', 'p0').set('failed', 0.4, 'peer_unreachable');
}
