// Our own microphone, camera and screen during a call.
import { batch, signal } from '@preact/signals';
import type { Kind } from 'parley-sdk';
import type { CallRoom } from '../backend';
import { codeOf, notify, problemOf, problemOfDevice } from './notices';
import { type Captured, deviceOf, openSaved } from './saved';
import { saveSettings, settings } from './settings';

export interface OwnTracks {
  microphone: Promise<MediaStreamTrack | undefined>;
  camera: Promise<MediaStreamTrack | undefined>;
}

export const microphoneOn = signal(false);
export const cameraOn = signal(false);
export const screenOn = signal(false);
/** Our camera's track, for the self view. */
export const cameraTrack = signal<MediaStreamTrack | undefined>(undefined);
/** The devices that are open, by id: what the menu shows. */
export const used = signal<Record<Captured, string>>({ camera: '', microphone: '' });
/** What is being switched just now: its button waits. */
export const switching = signal<ReadonlySet<Kind>>(new Set());

let current: CallRoom | undefined;

// Tracks that we opened and lent to the room: closing them stays our duty, or the camera's light stays on.
const lent = new Map<Kind, MediaStreamTrack>();

/** Mirrors our own capture in signals until the returned function is called. */
export function followOwn(room: CallRoom): () => void {
  current = room;
  read(room);
  // A speaker that is gone since: the system's own serves.
  if (settings.value.speaker) room.setSpeaker(settings.value.speaker).catch(() => saveSettings({ speaker: '' }));
  const stops = [
    room.on('local', () => read(room)),
    room.on('muted', ({ kind, by }) => {
      if (kind === 'camera') takeBack(kind); // its light goes out, whoever switched it off
      read(room);
      const who = room.participants.get(by)?.name || 'A moderator';
      const what = { microphone: 'muted your microphone', camera: 'switched your camera off' }[kind as string];
      notify({ title: `${who} ${what ?? 'stopped your screen share'}` });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    current = undefined;
    for (const kind of lent.keys()) takeBack(kind);
    batch(() => {
      microphoneOn.value = false;
      cameraOn.value = false;
      screenOn.value = false;
      cameraTrack.value = undefined;
      switching.value = new Set();
    });
  };
}

/** Publishes the tracks that the check before the call has opened. What may not be published is closed again. */
export async function giveTracks(room: CallRoom, tracks: OwnTracks): Promise<void> {
  const give = async (kind: 'microphone' | 'camera') => {
    const track = await tracks[kind];
    if (!track) return;
    if (current !== room) return track.stop(); // left meanwhile
    if (!room.can.has('publish')) return track.stop();
    lent.set(kind, track);
    try {
      await room.publish(kind, track);
    } catch (error) {
      takeBack(kind);
      notify(problemOf(error));
    }
  };
  await Promise.all([give('microphone'), give('camera')]);
  read(room);
}

export function toggleMicrophone(): Promise<unknown> {
  return toggle('microphone', !microphoneOn.value);
}

export function toggleCamera(): Promise<unknown> {
  return toggle('camera', !cameraOn.value);
}

async function toggle(kind: Captured, on: boolean): Promise<void> {
  const done = await change(kind, (room) => (on ? openSaved(kind, open(room, kind)) : set(room, kind, false)));
  if (done) saveSettings({ [`${kind}On`]: on });
}

function set(room: CallRoom, kind: Captured, on: boolean, wish: { deviceId?: string } = {}): Promise<void> {
  return kind === 'camera' ? room.setCamera(on, wish) : room.setMicrophone(on, wish);
}

function open(room: CallRoom, kind: Captured): (wish: { deviceId?: string }) => Promise<void> {
  return (wish) => set(room, kind, true, wish);
}

export function toggleScreen(): Promise<unknown> {
  const on = !screenOn.value;
  if (on && !canShareScreen()) {
    notify(problemOfDevice({ code: 'screen_unsupported' }, 'screen'));
    return Promise.resolve();
  }
  return change('screen', (room) => room.setScreen(on, { audio: true }));
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
}

/** Goes on with another device, and remembers it unless it does not open; a muted microphone stays muted. */
export async function chooseDevice(kind: Captured | 'speaker', deviceId: string): Promise<void> {
  if (kind === 'speaker') {
    saveSettings({ speaker: deviceId });
    try {
      await current?.setSpeaker(deviceId);
    } catch (error) {
      notify(problemOfDevice(error, 'speaker'));
    }
    return;
  }
  const on = (kind === 'camera' ? cameraOn : microphoneOn).value;
  if (!on || (await change(kind, (room) => set(room, kind, true, { deviceId })))) saveSettings({ [kind]: deviceId });
}

const followed = new WeakSet<MediaStreamTrack>();

// A device that is pulled out in the midst of a call.
function followTrack(room: CallRoom, kind: Captured): void {
  const { track } = room.local(kind);
  if (!track || followed.has(track)) return;
  followed.add(track);
  track.addEventListener('ended', () => {
    const on = (kind === 'camera' ? cameraOn : microphoneOn).value;
    if (current === room && on) void unplugged(room, kind);
  });
}

/** Speaking goes on with another microphone. What another camera shows is for the person to decide. */
async function unplugged(room: CallRoom, kind: Captured): Promise<void> {
  const title = `The ${kind} was unplugged`;
  if (kind === 'camera') {
    notify({ title, advice: 'Nobody sees you now. Switch the camera on again to go on with another one.' });
    return;
  }
  if (!(await change(kind, () => openSaved(kind, open(room, kind))))) return;
  const name = room.local(kind).track?.label;
  notify({ title, advice: `${name ? `“${name}”` : 'Another one'} is used now.` });
}

async function change(
  kind: 'microphone' | 'camera' | 'screen',
  what: (room: CallRoom) => Promise<void>,
): Promise<boolean> {
  const room = current;
  if (!room || switching.value.has(kind)) return false;
  switching.value = new Set(switching.value).add(kind);
  try {
    await what(room);
    return true;
  } catch (error) {
    // Closing the browser's own dialog needs no comment.
    if (codeOf(error) !== 'picker_cancelled') notify(problemOfDevice(error, kind));
    return false;
  } finally {
    const rest = new Set(switching.value);
    rest.delete(kind);
    switching.value = rest;
    if (current === room) {
      closeUnused(room);
      read(room);
    }
  }
}

function takeBack(kind: Kind): void {
  lent.get(kind)?.stop();
  lent.delete(kind);
}

// A lent track that is not sent any more is closed; a muted microphone stays open, so that speaking again is instant.
function closeUnused(room: CallRoom): void {
  for (const [kind, track] of lent) {
    const { track: used, on } = room.local(kind);
    if (used !== track || (kind === 'camera' && !on)) takeBack(kind);
  }
}

function read(room: CallRoom): void {
  followTrack(room, 'microphone');
  followTrack(room, 'camera');
  batch(() => {
    used.value = { camera: deviceOf(room.local('camera').track), microphone: deviceOf(room.local('microphone').track) };
    microphoneOn.value = room.local('microphone').on;
    cameraOn.value = room.local('camera').on;
    screenOn.value = room.local('screen').on;
    cameraTrack.value = room.local('camera').on ? room.local('camera').track : undefined;
  });
}
