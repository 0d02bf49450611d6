/**
 * {@link SimulatedControl} and what stands before the camera, over HTTP on 127.0.0.1 (local-page/server.ts), for the panel
 * (control-panel.ts) and for tests in other processes. Where the devices are no simulated ones, only the camera is here.
 *
 * | request                  | body                                              |
 * |--------------------------|---------------------------------------------------|
 * | GET /                    | the panel                                         |
 * | GET /state               |                                                   |
 * | POST /notes/insert       | notes: [{denominationMinor, count}], unrecognised?, waitMs? |
 * | POST /notes/take         | waitMs?                                           |
 * | POST /notes/take-returned| waitMs?                                           |
 * | POST /pin/keys           | keys, waitMs?                                     |
 * | POST /scan               | text                                              |
 * | POST /faults             | device, fault, mode?, unit?, command? (faults.ts) |
 * | POST /faults/clear       | device?, fault?                                   |
 * | POST /paper              | receipts                                          |
 * | POST /camera             | scene: id of one offered, or source               |
 * | GET /receipts            | newest first; each GET /receipts/<name>.png, .escpos |
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Profile } from '../../../src-contract/primitives.ts';
import { CameraSource, NoteCount } from '../../../src-contract/screen.ts';
import type { Chance, Clock } from '../../clock.ts';
import { json, type PageAnswer, refuse, startPageServer } from '../../local-page/server.ts';
import type { SimulatedControl } from './control.ts';
import { controlPanel, type PanelGoods, type PanelScene } from './control-panel.ts';
import type { DemonstrationCamera } from './demonstration-camera.ts';
import { FAULTS, FaultOrder } from './faults.ts';

export interface ControlServerOptions {
  /** Null where the devices are no simulated ones. */
  readonly control: SimulatedControl | null;
  readonly camera: DemonstrationCamera;
  readonly profile: Profile;
  /** 0 takes any free one. */
  readonly port: number;
  /** At least 16 characters; whoever has it can use the devices. */
  readonly token: string;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Goods the panel can show to the scanner. */
  readonly goods?: readonly PanelGoods[];
  /** Who can stand before the camera. */
  readonly scenes?: readonly PanelScene[];
  readonly terminalName?: string;
}

export interface ControlServer {
  /** The panel, with the token. */
  readonly url: string;
  /** Without path or token, e.g. "http://127.0.0.1:4711". */
  readonly origin: string;
  close(): Promise<void>;
}

const WAIT_MS_MAX = 60_000;

const waitMs = z.int().min(0).max(WAIT_MS_MAX).default(0);
const Bodies = {
  insert: z.strictObject({
    notes: z.array(NoteCount).max(10).default([]),
    unrecognised: z.int().min(0).max(200).default(0),
    waitMs,
  }),
  wait: z.strictObject({ waitMs }),
  keys: z.strictObject({ keys: z.string().min(1).max(64), waitMs }),
  scan: z.strictObject({ text: z.string().min(1).max(500) }),
  clear: z.strictObject({
    device: z.enum(Object.keys(FAULTS) as [keyof typeof FAULTS, ...(keyof typeof FAULTS)[]]).optional(),
    fault: z.string().max(40).optional(),
  }),
  paper: z.strictObject({ receipts: z.int() }),
  camera: z.union([z.strictObject({ scene: z.string().max(80) }), z.strictObject({ source: CameraSource })]),
};

/** What the panel draws of a terminal whose devices are elsewhere. */
const NO_DEVICES = { health: {}, cash: null, pinPad: null, printer: null, lights: {}, faults: [] };

const deed = (answer: { readonly ok: boolean }) => json(answer.ok ? 200 : 409, answer);

/** Throws PORT_IN_USE naming the port. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const server = await startPageServer({
    name: 'device control',
    access: 'token',
    ...options,
    handle: ({ method, path, body }) => (method === 'GET' ? read(options, path) : act(options, path, body)),
  });
  return { origin: server.origin, url: server.issueUrl(), close: server.close };
}

async function read(options: ControlServerOptions, path: string): Promise<PageAnswer> {
  const { control, camera, profile, goods, scenes, terminalName } = options;
  if (path === '/') {
    const devices = control ? profile : null;
    return controlPanel({ devices, goods: goods ?? [], scenes: scenes ?? [], name: terminalName ?? 'Kaopass' });
  }
  if (path === '/state') {
    return json(200, { ok: true, state: { ...(control?.state() ?? NO_DEVICES), camera: camera.source() } });
  }
  if (!control) return refuse(404, `nothing is at ${path}: these devices are not simulated`);
  const receipts = await control.receipts();
  if (path === '/receipts') {
    return json(200, {
      ok: true,
      receipts: receipts.map(({ name }) => ({
        name,
        png: `/receipts/${name}.png`,
        escpos: `/receipts/${name}.escpos`,
      })),
    });
  }
  // Only names that the printer lists are looked up; no path from outside ever reaches the disk.
  for (const receipt of receipts) {
    if (path === `/receipts/${receipt.name}.png`) {
      return { status: 200, type: 'image/png', body: await readFile(receipt.pngPath) };
    }
    if (path === `/receipts/${receipt.name}.escpos`) {
      return { status: 200, type: 'application/octet-stream', body: await readFile(receipt.escposPath) };
    }
  }
  return refuse(404, `nothing is at ${path}`);
}

async function act(options: ControlServerOptions, path: string, body: unknown): Promise<PageAnswer> {
  const { control, camera, scenes } = options;
  if (path === '/camera') {
    const wanted = Bodies.camera.parse(body);
    const source = 'source' in wanted ? wanted.source : scenes?.find((scene) => scene.id === wanted.scene)?.source;
    if (!source) return refuse(409, 'no such scene is offered');
    camera.show(source);
    return json(200, { ok: true });
  }
  if (!control) return refuse(404, `nothing is at ${path}: these devices are not simulated`);
  switch (path) {
    case '/notes/insert': {
      const { notes, ...rest } = Bodies.insert.parse(body);
      return deed(await control.insertNotes(notes, rest));
    }
    case '/notes/take':
      return deed(await control.takeNotes(Bodies.wait.parse(body)));
    case '/notes/take-returned':
      return deed(await control.takeReturned(Bodies.wait.parse(body)));
    case '/pin/keys': {
      const { keys, ...rest } = Bodies.keys.parse(body);
      return deed(await control.pressKeys(keys, rest));
    }
    case '/scan':
      return deed(await control.scan(Bodies.scan.parse(body).text));
    case '/faults':
      control.armFault(FaultOrder.parse(body));
      return json(200, { ok: true });
    case '/faults/clear': {
      const { device, fault } = Bodies.clear.parse(body);
      control.clearFault(device, fault);
      return json(200, { ok: true });
    }
    case '/paper':
      return deed(control.setPaper(Bodies.paper.parse(body).receipts));
    default:
      return refuse(404, `nothing is at ${path}`);
  }
}
