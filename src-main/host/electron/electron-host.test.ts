/** The Electron host against a fake of Electron's documented API, and the bridge's contract over the same fake's IPC. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectElectron } from '../../../src-renderer/bridge/electron.ts';
import { type BridgeScreen, bridgeContract } from '../../../tests/contract/bridge.ts';
import { scriptedTerminal, silentLog } from '../../../tests/contract/scripted-terminal.ts';
import { manualClock } from '../manual-clock.fixture.ts';
import { CHANNELS, isOurs } from './channels.ts';
import { prepareElectron, startElectronHost } from './electron-host.ts';
import { leavesKiosk } from './keys.ts';
import { answer } from './protocol.ts';
import { RELOADS_MAX } from './window.ts';

const electron = vi.hoisted(() => ({ current: undefined as unknown as Fake }));
vi.mock('electron', () => ({
  get app() {
    return electron.current.app;
  },
  get BrowserWindow() {
    return electron.current.windowClass;
  },
  get ipcMain() {
    return electron.current.ipcMain;
  },
  get Menu() {
    return { setApplicationMenu: electron.current.setApplicationMenu };
  },
  get protocol() {
    return { registerSchemesAsPrivileged: electron.current.registerSchemes };
  },
  get session() {
    return { fromPartition: electron.current.fromPartition };
  },
}));

type Handler = (event: object, message: unknown) => unknown;
type Fake = ReturnType<typeof fakeElectron>;

/** As Electron's documentation of each class describes it, as far as the host uses it. */
function fakeElectron() {
  const mainFrame = { url: 'kaopass://terminal/' };
  const contents = Object.assign(new EventEmitter(), {
    mainFrame,
    destroyed: false,
    sent: [] as [string, unknown][],
    toPage: new EventEmitter(),
    openHandler: (): unknown => undefined,
    isDestroyed: () => contents.destroyed,
    send(channel: string, value: unknown) {
      contents.sent.push([channel, value]);
      contents.toPage.emit(channel, value);
    },
    setWindowOpenHandler(handler: () => unknown) {
      contents.openHandler = handler;
    },
    forcefullyCrashRenderer: vi.fn(),
  });
  const window = Object.assign(new EventEmitter(), {
    webContents: contents,
    options: {} as Record<string, unknown>,
    loaded: [] as string[],
    removeMenu: vi.fn(),
    show: vi.fn(),
    focus: vi.fn(),
    isDestroyed: () => contents.destroyed,
    async loadURL(url: string) {
      window.loaded.push(url);
    },
    destroy() {
      contents.destroyed = true;
      window.emit('closed');
    },
  });
  const handlers = new Map<string, Handler>();
  const ipcMain = Object.assign(new EventEmitter(), {
    handle: (channel: string, handler: Handler) => void handlers.set(channel, handler),
    removeHandler: (channel: string) => void handlers.delete(channel),
  });
  const session = Object.assign(new EventEmitter(), {
    request: (..._: unknown[]): unknown => undefined,
    check: (..._: unknown[]): unknown => undefined,
    setPermissionRequestHandler: (handler: (...args: unknown[]) => unknown) => {
      session.request = handler;
    },
    setPermissionCheckHandler: (handler: (...args: unknown[]) => unknown) => {
      session.check = handler;
    },
    setDevicePermissionHandler: vi.fn(),
    protocol: { handle: vi.fn() },
    webRequest: { onBeforeRequest: vi.fn() },
  });
  const app = Object.assign(new EventEmitter(), {
    requestSingleInstanceLock: vi.fn(() => true),
    enableSandbox: vi.fn(),
    commandLine: { appendSwitch: vi.fn() },
  });
  return {
    app,
    window,
    contents,
    mainFrame,
    ipcMain,
    handlers,
    session,
    setApplicationMenu: vi.fn(),
    registerSchemes: vi.fn(),
    fromPartition: vi.fn(() => session),
    windowClass: function openWindow(options: Record<string, unknown>) {
      window.options = options;
      return window;
    },
    ourEvent: () => ({ sender: contents, senderFrame: mainFrame }),
  };
}

function start() {
  const fake = fakeElectron();
  electron.current = fake;
  const terminal = scriptedTerminal();
  terminal.show({ name: 'attract' });
  const clock = manualClock();
  const host = startElectronHost({ terminal, rendererDir: '/renderer', footageDir: null, log: silentLog, clock });
  return { ...fake, terminal, clock, host };
}

/** What preload.cts puts on the window, over the fake's IPC. */
function preloaded({ handlers, ipcMain, contents, ourEvent }: Fake) {
  return {
    intent: async (message: unknown) => handlers.get(CHANNELS.intent)?.(ourEvent(), structuredClone(message)),
    frame: (message: Uint8Array) => void ipcMain.emit(CHANNELS.frame, ourEvent(), structuredClone(message)),
    onView: (listener: (view: unknown) => void) => void contents.toPage.on(CHANNELS.view, listener),
    onFrameWanted: (listener: () => void) => void contents.toPage.on(CHANNELS.frameWanted, () => listener()),
    ready: () => void ipcMain.emit(CHANNELS.ready, ourEvent()),
  };
}

bridgeContract("Electron's IPC", async () => {
  const { terminal, host } = start();
  const fake = electron.current;
  const load = () => {
    fake.contents.toPage.removeAllListeners();
    const heard: Awaited<ReturnType<BridgeScreen['heard']>> = { views: [], wishes: 0, connections: [] };
    const bridge = connectElectron(preloaded(fake));
    bridge.onView((view) => heard.views.push(view));
    bridge.onFrameWanted(() => {
      heard.wishes += 1;
    });
    bridge.onConnection((connected) => heard.connections.push(connected));
    return { bridge, heard };
  };
  let page = load();
  return {
    terminal,
    send: (intent) => page.bridge.send(intent),
    sendFrame: async (bytes) => page.bridge.sendFrame(new Uint8Array(bytes)),
    heard: async () => page.heard,
    reload: async () => {
      page = load();
    },
    close: () => host.close(),
  };
});

describe('the Electron host', () => {
  let all: ReturnType<typeof start>;
  beforeEach(() => {
    all = start();
  });
  afterEach(() => all.host.close());

  it('opens one kiosk window whose page is in the sandbox, and loads only our own page', () => {
    expect(all.window.options).toMatchObject({
      kiosk: true,
      webPreferences: {
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webSecurity: true,
        devTools: false,
      },
    });
    expect(all.window.loaded).toEqual(['kaopass://terminal/']);
    expect(all.setApplicationMenu).toHaveBeenCalledWith(null);
  });

  it('keeps nothing of a visit on disk', () => {
    expect(all.fromPartition).toHaveBeenCalledWith(expect.not.stringMatching(/^persist:/));
  });

  it('listens to the main frame of its own page alone', () => {
    const intent = all.handlers.get(CHANNELS.intent);
    const strangers = [
      { sender: {}, senderFrame: all.mainFrame },
      { sender: all.contents, senderFrame: null },
      { sender: all.contents, senderFrame: { url: 'kaopass://terminal/' } },
      { sender: all.contents, senderFrame: Object.assign(all.mainFrame, { url: 'https://bank.example/' }) },
    ];
    for (const event of strangers) expect(() => intent?.(event, {})).toThrow('refused');
    for (const event of strangers) all.ipcMain.emit(CHANNELS.frame, event, new Uint8Array(1));
    for (const event of strangers) all.ipcMain.emit(CHANNELS.ready, event);
    expect(all.terminal.messages).toEqual([]);
    expect(all.terminal.frames).toEqual([]);
    expect(all.contents.sent).toEqual([]);
  });

  it('goes nowhere else and opens no window', () => {
    const prevented = (name: string, url: string, isMainFrame = true) => {
      const event = { url, isMainFrame, preventDefault: vi.fn() };
      all.contents.emit(name, event);
      return event.preventDefault.mock.calls.length > 0;
    };
    expect(prevented('will-navigate', 'https://bank.example/')).toBe(true);
    expect(prevented('will-navigate', 'kaopass://terminal.evil/')).toBe(true);
    expect(prevented('will-navigate', 'kaopass://terminal/')).toBe(false);
    expect(prevented('will-frame-navigate', 'kaopass://terminal/', false)).toBe(true);
    expect(prevented('will-redirect', 'kaopass://terminal/')).toBe(true);
    expect(prevented('will-attach-webview', '')).toBe(true);
    expect(all.contents.openHandler()).toEqual({ action: 'deny' });
  });

  it('allows our page the camera without sound, and nothing else to anybody', () => {
    const asked = (permission: string, details: object) => {
      const decide = vi.fn();
      all.session.request(all.contents, permission, decide, {
        isMainFrame: true,
        requestingUrl: 'kaopass://terminal/',
        ...details,
      });
      return decide.mock.calls[0]?.[0];
    };
    expect(asked('media', { mediaTypes: ['video'] })).toBe(true);
    expect(asked('media', { mediaTypes: ['video', 'audio'] })).toBe(false);
    expect(asked('media', { mediaTypes: [] })).toBe(false);
    expect(asked('media', { mediaTypes: ['video'], isMainFrame: false })).toBe(false);
    expect(asked('media', { mediaTypes: ['video'], requestingUrl: 'https://bank.example/' })).toBe(false);
    expect(asked('geolocation', {})).toBe(false);
    expect(all.session.check(null, 'media', 'kaopass://terminal/', { mediaType: 'video' })).toBe(true);
    expect(all.session.check(null, 'media', 'kaopass://terminal/', { mediaType: 'audio' })).toBe(false);
    expect(all.session.check(null, 'hid', 'kaopass://terminal/', {})).toBe(false);
  });

  it('loads the page anew after a crash, a bounded number of times, then says why it gave up', async () => {
    const crash = async () => {
      all.contents.emit('render-process-gone', {}, { reason: 'oom' });
      await all.clock.advance(1000);
    };
    for (let i = 0; i < RELOADS_MAX; i++) await crash();
    expect(all.window.loaded).toHaveLength(RELOADS_MAX + 1);
    await crash();
    expect(await all.host.closed).toContain('its process is gone: oom');
    expect(all.window.isDestroyed()).toBe(true);
  });

  it('ends a page that hangs', () => {
    all.contents.emit('unresponsive');
    expect(all.contents.forcefullyCrashRenderer).toHaveBeenCalledOnce();
  });

  it('lets go of the terminal when its window goes', async () => {
    all.window.destroy();
    expect(await all.host.closed).toBe('the window was closed');
    expect(all.handlers.size).toBe(0);
    expect(all.ipcMain.listenerCount(CHANNELS.frame)).toBe(0);
  });
});

it('runs once per machine and prepares the scheme before Electron is ready', () => {
  electron.current = fakeElectron();
  expect(prepareElectron(() => {})).toBe(true);
  expect(electron.current.app.enableSandbox).toHaveBeenCalledOnce();
  expect(electron.current.registerSchemes).toHaveBeenCalledWith([
    { scheme: 'kaopass', privileges: expect.objectContaining({ standard: true, secure: true }) },
  ]);
  electron.current.app.requestSingleInstanceLock.mockReturnValue(false);
  expect(prepareElectron(() => {})).toBe(false);
});

describe('keys of a customer', () => {
  const key = (name: string, modifiers = {}) =>
    leavesKiosk({ key: name, control: false, alt: false, meta: false, ...modifiers });

  it.each([
    ['F11'],
    ['Escape'],
    ['F5'],
    ['BrowserBack'],
    ['ContextMenu'],
    ['PrintScreen'],
    ['F4', { alt: true }],
    ['w', { control: true }],
    ['r', { control: true }],
    ['I', { control: true, shift: true }],
    ['q', { meta: true }],
    ['Tab', { alt: true }],
  ])('%s %j could leave the kiosk', (name: string, modifiers: object = {}) => {
    expect(key(name, modifiers)).toBe(true);
  });

  it.each(['Tab', 'Enter', ' ', 'ArrowDown', 'Backspace', '4', 'a', 'あ'])('%j could not', (name) => {
    expect(key(name)).toBe(false);
  });
});

describe('kaopass://terminal/', () => {
  it('serves the same files and headers as the other host, parts of them too, and no other origin', async () => {
    const rendererDir = mkdtempSync(path.join(tmpdir(), 'kaopass-protocol-'));
    writeFileSync(path.join(rendererDir, 'index.html'), '0123456789');
    const roots = { rendererDir, footageDir: null };
    const whole = await answer(new Request('kaopass://terminal/'), roots);
    expect(await whole.text()).toBe('0123456789');
    expect(whole.headers.get('Content-Security-Policy')).toContain("script-src 'self'");
    const part = await answer(new Request('kaopass://terminal/index.html', { headers: { Range: 'bytes=2-3' } }), roots);
    expect([part.status, await part.text()]).toEqual([206, '23']);
    expect((await answer(new Request('kaopass://terminal/../../etc/passwd'), roots)).status).toBe(404);
    expect((await answer(new Request('kaopass://elsewhere/'), roots)).status).toBe(403);
    expect((await answer(new Request('kaopass://terminal/', { method: 'POST' }), roots)).status).toBe(403);
  });

  it.each(['https://terminal/', 'kaopass://terminal.evil/', 'kaopass:terminal', 'nonsense', '', undefined])(
    'is not %j',
    (url) => expect(isOurs(url)).toBe(false),
  );
});
