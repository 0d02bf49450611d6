/** The whole screen: whatever the terminal's newest view says, or that there is none. */
import type { TerminalBridge } from '../src-contract/bridge.ts';
import { CameraContext } from './camera/camera-context.ts';
import { useCamera } from './camera/use-camera.ts';
import { ScreenOf } from './screens/screen-of.tsx';
import { ConnectionLost } from './shell/connection-lost.tsx';
import { Shell } from './shell/shell.tsx';
import { StartingAlone } from './shell/starting-alone.tsx';
import { TimeoutWarning } from './shell/timeout-warning.tsx';
import { TerminalContext } from './terminal-context.ts';
import { useBridge } from './use-bridge.ts';

export function App({ bridge }: { bridge: TerminalBridge }) {
  const { terminal, connected } = useBridge(bridge);
  const stream = useCamera(bridge, terminal?.view ?? null);
  if (!terminal) return <StartingAlone />;
  if (!connected) return <ConnectionLost />;
  return (
    <TerminalContext value={terminal}>
      <CameraContext value={stream}>
        <Shell>
          <ScreenOf screen={terminal.view.screen} />
        </Shell>
        <TimeoutWarning />
      </CameraContext>
    </TerminalContext>
  );
}
