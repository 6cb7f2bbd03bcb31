import { ParleyError } from './errors';
export interface CameraOptions {
    deviceId?: string;
    /** On phones: the camera that looks at the user, or away. */
    facing?: 'user' | 'environment';
}
/** Asks for the microphone, with echo cancellation and noise suppression. */
export declare function captureMicrophone(options?: {
    deviceId?: string;
}): Promise<MediaStreamTrack>;
/** Asks for the camera: 1280 by 720 at 30 frames a second, where it can. */
export declare function captureCamera(options?: CameraOptions): Promise<MediaStreamTrack>;
/** Lets the user choose a screen, window or tab; with its sound where the browser offers that. */
export declare function captureScreen(audio: boolean): Promise<{
    video: MediaStreamTrack;
    audio?: MediaStreamTrack;
}>;
/** Names what getUserMedia failed with. */
export declare function captureError(what: string, error: unknown): ParleyError;
