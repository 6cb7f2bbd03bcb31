// A video element that shows one local track.
import { useEffect, useRef } from 'preact/hooks';

export function TrackVideo({ track, label }: { track: MediaStreamTrack; label: string }) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    video.srcObject = new MediaStream([track]);
    video.play().catch(() => undefined); // Refused only while hidden; autoplay takes over.
    return () => {
      video.srcObject = null;
    };
  }, [track]);
  return <video ref={ref} autoplay playsInline muted aria-label={label} />;
}
