export interface Devices {
    microphones: MediaDeviceInfo[];
    cameras: MediaDeviceInfo[];
    speakers: MediaDeviceInfo[];
}
/** The devices there are. Their names are empty until the page was allowed to use one. */
export declare function listDevices(): Promise<Devices>;
/** Calls `listener` when a device was plugged in or out; returns what ends that. */
export declare function onDeviceChange(listener: (devices: Devices) => void): () => void;
/** Measures how loud the track is, about 15 times a second, from 0 (silent) to 1 (full scale); returns what stops it. */
export declare function levelMeter(track: MediaStreamTrack, listener: (level: number) => void): () => void;
/** Root mean square of the samples on a logarithmic scale from -60 dBFS (0) to 0 dBFS (1). */
export declare function loudness(samples: Float32Array): number;
