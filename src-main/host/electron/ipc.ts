/** The bridge on Electron's IPC. Only the main frame of our own window, showing our own page, is listened to. */
import { type IpcMainEvent, type IpcMainInvokeEvent, ipcMain, type WebContents } from 'electron';
import type { IntentAnswer } from '../../../src-contract/screen.ts';
import type { Clock } from '../../clock.ts';
import type { TerminalEnd } from '../host.ts';
import type { HostLog } from '../log.ts';
import { linkScreen } from '../screen-link.ts';
import { CHANNELS, isOurs } from './channels.ts';

/** Connects a window's page to the terminal. Returns how to disconnect it. */
export function serveIpc(terminal: TerminalEnd, contents: WebContents, clock: Clock, log: HostLog): () => void {
  const link = linkScreen(terminal, clock, log);
  const isOurPage = ({ sender, senderFrame }: IpcMainEvent | IpcMainInvokeEvent): boolean => {
    const ours =
      sender === contents && senderFrame !== null && senderFrame === contents.mainFrame && isOurs(senderFrame.url);
    if (!ours) log.warn({}, 'screen: a message that is not from our page was refused');
    return ours;
  };
  const onFrame = (event: IpcMainEvent, message: unknown) => {
    if (isOurPage(event) && message instanceof Uint8Array) link.frame(message);
  };
  const onReady = (event: IpcMainEvent) => {
    if (!isOurPage(event)) return;
    link.attach({
      view: (view) => {
        if (!contents.isDestroyed()) contents.send(CHANNELS.view, view);
      },
      frameWanted: () => {
        if (!contents.isDestroyed()) contents.send(CHANNELS.frameWanted);
      },
    });
  };
  ipcMain.handle(CHANNELS.intent, (event, message: unknown): IntentAnswer => {
    if (!isOurPage(event)) throw new Error('refused: not the screen of this terminal');
    return link.intent(message);
  });
  ipcMain.on(CHANNELS.frame, onFrame);
  ipcMain.on(CHANNELS.ready, onReady);
  return () => {
    ipcMain.removeHandler(CHANNELS.intent);
    ipcMain.removeListener(CHANNELS.frame, onFrame);
    ipcMain.removeListener(CHANNELS.ready, onReady);
    link.close();
  };
}
