import { ParleyError } from './errors';

export interface CameraOptions {
  deviceId?: string;
  /** On phones: the camera that looks at the user, or away. */
  facing?: 'user' | 'environment';
}

export interface ScreenOptions {
  /** Its sound too, where the browser offers that. */
  audio?: boolean;
  /** `text` (the default): sharp, at fewer frames where the network is short. `motion`: a film, smooth rather than sharp. */
  content?: 'text' | 'motion';
}

/** A screen, window or tab that was chosen, with its sound where there is some. */
export interface CapturedScreen {
  video: MediaStreamTrack;
  audio?: MediaStreamTrack | undefined;
}

/** Asks for the microphone, with echo cancellation and noise suppression. */
export async function captureMicrophone(options: { deviceId?: string } = {}): Promise<MediaStreamTrack> {
  const audio: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  if (options.deviceId) audio.deviceId = { exact: options.deviceId };
  return track(await capture('microphone', { audio }));
}

/** Asks for the camera: 1280 by 720 at 30 frames a second, where it can. */
export async function captureCamera(options: CameraOptions = {}): Promise<MediaStreamTrack> {
  const video: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  if (options.deviceId) video.deviceId = { exact: options.deviceId };
  else if (options.facing) video.facingMode = { ideal: options.facing };
  return track(await capture('camera', { video }));
}

/** Lets the user choose a screen, window or tab. */
export async function captureScreen(options: ScreenOptions): Promise<CapturedScreen> {
  const devices = available();
  if (typeof devices.getDisplayMedia !== 'function') {
    throw new ParleyError(
      'unsupported_browser',
      'This browser cannot share the screen. Use a computer instead of a phone.',
    );
  }
  try {
    const motion = options.content === 'motion';
    const frameRate = { ideal: motion ? 30 : 15, max: 30 };
    const stream = await devices.getDisplayMedia({ video: { frameRate }, audio: options.audio ?? false });
    const video = track(stream);
    video.contentHint = motion ? 'motion' : 'detail';
    return { video, audio: stream.getAudioTracks()[0] };
  } catch (error) {
    // The browser does not tell a refusal from a picker that was closed.
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'NotAllowedError' || name === 'AbortError') {
      throw new ParleyError('picker_cancelled', undefined, true, undefined, { cause: error });
    }
    throw captureError('screen', error);
  }
}

async function capture(what: string, constraints: MediaStreamConstraints): Promise<MediaStream> {
  try {
    return await available().getUserMedia(constraints);
  } catch (error) {
    throw error instanceof ParleyError ? error : captureError(what, error);
  }
}

function available(): MediaDevices {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices) return devices;
  throw new ParleyError(globalThis.isSecureContext === false ? 'insecure_page' : 'unsupported_browser');
}

function track(stream: MediaStream): MediaStreamTrack {
  const first = stream.getVideoTracks()[0] ?? stream.getAudioTracks()[0];
  if (!first) throw new ParleyError('no_device');
  return first;
}

/** Names what getUserMedia failed with. */
export function captureError(what: string, error: unknown): ParleyError {
  const options = { cause: error };
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return new ParleyError(
        'permission_denied',
        `The ${what} is not allowed here. Allow it in the address bar, then try again.`,
        false,
        undefined,
        options,
      );
    case 'NotFoundError':
    case 'OverconstrainedError':
      return new ParleyError(
        'no_device',
        `No ${what} was found. Plug one in or choose another, then try again.`,
        false,
        undefined,
        options,
      );
    case 'NotReadableError':
    case 'AbortError':
      return new ParleyError(
        'device_busy',
        `The ${what} is in use by another program. Close that program, then try again.`,
        true,
        undefined,
        options,
      );
    default:
      return new ParleyError(
        'no_device',
        `The ${what} could not be started. Choose another, then try again.`,
        true,
        undefined,
        options,
      );
  }
}
