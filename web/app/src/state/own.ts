// Our own microphone, camera and screen during a call.
import { batch, signal } from '@preact/signals';
import type { Kind } from 'parley-sdk';
import type { CallRoom } from '../backend';
import { codeOf, notify, problemOf, problemOfDevice } from './notices';
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

export function toggleMicrophone(): Promise<void> {
  const on = !microphoneOn.value;
  return change('microphone', async (room) => {
    await room.setMicrophone(on, device(settings.value.microphone));
    saveSettings({ microphoneOn: on });
  });
}

export function toggleCamera(): Promise<void> {
  const on = !cameraOn.value;
  return change('camera', async (room) => {
    await room.setCamera(on, device(settings.value.camera));
    saveSettings({ cameraOn: on });
  });
}

export function toggleScreen(): Promise<void> {
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

/** Goes on with another device; a muted microphone stays muted. */
export async function chooseDevice(kind: 'microphone' | 'camera' | 'speaker', deviceId: string): Promise<void> {
  saveSettings({ [kind]: deviceId });
  if (kind === 'speaker') {
    try {
      await current?.setSpeaker(deviceId);
    } catch (error) {
      notify(problemOfDevice(error, 'speaker'));
    }
    return;
  }
  if (kind === 'microphone' && microphoneOn.value)
    await change(kind, (room) => room.setMicrophone(true, device(deviceId)));
  if (kind === 'camera' && cameraOn.value) await change(kind, (room) => room.setCamera(true, device(deviceId)));
}

function device(deviceId: string): { deviceId?: string } {
  return deviceId ? { deviceId } : {};
}

async function change(
  kind: 'microphone' | 'camera' | 'screen',
  what: (room: CallRoom) => Promise<void>,
): Promise<void> {
  const room = current;
  if (!room || switching.value.has(kind)) return;
  switching.value = new Set(switching.value).add(kind);
  try {
    await what(room);
  } catch (error) {
    // Closing the browser's own dialog needs no comment.
    if (codeOf(error) !== 'picker_cancelled') notify(problemOfDevice(error, kind));
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
  batch(() => {
    microphoneOn.value = room.local('microphone').on;
    cameraOn.value = room.local('camera').on;
    screenOn.value = room.local('screen').on;
    cameraTrack.value = room.local('camera').on ? room.local('camera').track : undefined;
  });
}
