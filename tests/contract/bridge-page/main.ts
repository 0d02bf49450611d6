/** A page with nothing on it but the real bridge, for the contract suite to hold by its window. */
import type { Intent, View } from '../../../src-contract/screen.ts';
import { connectBridge } from '../../../src-renderer/bridge/connect.ts';

const bridge = connectBridge();
const heard = { views: [] as View[], wishes: 0, connections: [] as boolean[] };
bridge.onView((view) => heard.views.push(view));
bridge.onFrameWanted(() => {
  heard.wishes += 1;
});
bridge.onConnection((connected) => heard.connections.push(connected));

Object.assign(window, {
  heard,
  send: (intent: Intent) => bridge.send(intent),
  sendFrame: (bytes: number[]) => bridge.sendFrame(new Uint8Array(bytes)),
});
