import { useContext, useEffect, useRef } from 'react';
import { CameraContext } from './camera-context.ts';

/** The same stream the terminal looks at, mirrored, because people move by their mirror image. */
export function CameraPreview({ label }: { label: string }) {
  const stream = useContext(CameraContext);
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = stream;
    return () => {
      element.srcObject = null;
    };
  }, [stream]);
  return <video ref={video} className="camera-preview" aria-label={label} autoPlay muted playsInline />;
}
