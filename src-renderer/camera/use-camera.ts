/** Runs the camera while views want one, and answers the terminal's wish for frames. */
import { useEffect, useRef, useState } from 'react';
import type { TerminalBridge } from '../../src-contract/bridge.ts';
import type { View } from '../../src-contract/screen.ts';
import { answerTo } from '../answer.ts';
import { Camera, type CameraReport } from './camera.ts';
import { FrameDesk } from './frame-desk.ts';

/** The stream to show, null while there is none. */
export function useCamera(bridge: TerminalBridge, view: View | null): MediaStream | null {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [report, setReport] = useState<CameraReport | null>(null);
  const newest = useRef(view);
  newest.current = view;

  const [camera, setCamera] = useState<Camera | null>(null);
  useEffect(() => {
    const desk = new FrameDesk((message) => bridge.sendFrame(message));
    const started = new Camera({
      onStream: (next) => {
        if (!next) desk.clear();
        setStream(next);
      },
      onReport: setReport,
      onFrame: (frame) => desk.put(frame),
    });
    const stopWanting = bridge.onFrameWanted(() => desk.want());
    setCamera(started);
    return () => {
      stopWanting();
      started.use(null);
    };
  }, [bridge]);

  // Views come many times a second; the camera is touched only when what it should show is another.
  const source = view?.camera ? JSON.stringify(view.camera.source) : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the source stands for the view
  useEffect(() => camera?.use(newest.current?.camera?.source ?? null), [camera, source]);

  // The newest report waits until the terminal takes reports, and is made once.
  const offered = view?.offers.includes('report-camera') ?? false;
  useEffect(() => {
    if (!report || !offered) return;
    setReport(null);
    void answerTo(bridge, () => newest.current, { kind: 'report-camera', ...report });
  }, [bridge, report, offered]);

  return stream;
}
