/** A real camera, by getUserMedia. */
import type { OpenSource } from './camera.ts';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from './frame-size.ts';

/** @param label as the browser names the device, whole or in part; null takes the first camera. Rejects with the browser's
 *  own error, or NotFoundError naming the label and what there is instead. */
export async function openDevice(label: string | null): Promise<OpenSource> {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (!devices) throw new DOMException('this page has no cameras: it is not a secure context', 'SecurityError');
  const first = await devices.getUserMedia({ video: wanted() });
  if (label === null || first.getVideoTracks()[0]?.label.includes(label)) return opened(first);
  // Labels are told only to a page that was allowed a camera, so the first one had to be opened to find the other.
  stop(first);
  const cameras = (await devices.enumerateDevices()).filter((device) => device.kind === 'videoinput');
  const match = cameras.find((camera) => camera.label.includes(label));
  if (!match) {
    const names = cameras.map((camera) => `"${camera.label}"`).join(', ');
    throw new DOMException(`no camera is called "${label}"; there is ${names || 'none'}`, 'NotFoundError');
  }
  return opened(await devices.getUserMedia({ video: { ...wanted(), deviceId: { exact: match.deviceId } } }));
}

function wanted(): MediaTrackConstraints {
  return { width: { ideal: FRAME_WIDTH_PX }, height: { ideal: FRAME_HEIGHT_PX }, frameRate: { ideal: 30 } };
}

function opened(stream: MediaStream): OpenSource {
  return { stream, close: () => stop(stream) };
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
