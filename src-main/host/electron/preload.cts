/**
 * Runs in the page's sandbox before the page does, and puts the few functions of the bridge on its window. CommonJS, because a
 * sandboxed preload script can be nothing else (Electron's "Process sandboxing", preload scripts).
 */
import type { Channels } from './channels.ts' with { 'resolution-mode': 'import' };

const { contextBridge, ipcRenderer } = require('electron') as typeof import('electron');

const channels: Channels = {
  intent: 'kaopass:intent',
  frame: 'kaopass:frame',
  ready: 'kaopass:ready',
  view: 'kaopass:view',
  frameWanted: 'kaopass:frame-wanted',
};

// The page gets values, never Electron's event objects: those lead back to ipcRenderer.
contextBridge.exposeInMainWorld('kaopass', {
  intent: (message: unknown): Promise<unknown> => ipcRenderer.invoke(channels.intent, message),
  frame: (message: Uint8Array): void => ipcRenderer.send(channels.frame, message),
  onView: (listener: (view: unknown) => void): void => {
    ipcRenderer.on(channels.view, (_event, view: unknown) => listener(view));
  },
  onFrameWanted: (listener: () => void): void => {
    ipcRenderer.on(channels.frameWanted, () => listener());
  },
  ready: (): void => ipcRenderer.send(channels.ready),
});
