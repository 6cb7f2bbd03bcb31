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
export declare function captureMicrophone(options?: {
    deviceId?: string;
}): Promise<MediaStreamTrack>;
/** Asks for the camera: 1280 by 720 at 30 frames a second, where it can. */
export declare function captureCamera(options?: CameraOptions): Promise<MediaStreamTrack>;
/** Lets the user choose a screen, window or tab. */
export declare function captureScreen(options: ScreenOptions): Promise<CapturedScreen>;
/** Names what getUserMedia failed with. */
export declare function captureError(what: string, error: unknown): ParleyError;
