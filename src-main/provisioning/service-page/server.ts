/**
 * The technician's page: every device with its state, its last problem and its counts, every service with what keeps it away,
 * and a test of each device. On 127.0.0.1, opened by an address that works once (local-page/server.ts).
 *
 * | request          | body             |                                                                       |
 * |------------------|------------------|-----------------------------------------------------------------------|
 * | GET /            |                  | the page                                                              |
 * | GET /state       |                  | what it shows                                                         |
 * | POST /test       | device           | 200 with what was seen, whether it passed or not; 409 while not possible |
 * | POST /identify   | device           | the same, with the light beside it                                    |
 * | POST /day-close  |                  | closes the business day now; 409 while a customer is served            |
 * | POST /clear      | transactionId    | 200 once the suspect's device is clear; 400 names what stands against it |
 * | POST /count      | CountOrder       | 200 once the count is journaled; 400 names the field                  |
 * | POST /camera-pin |                  | takes the camera opened last for the terminal's own; 409 while a customer is served or none was |
 * | POST /launch     |                  | a new address, for who has the token (kaopass status)                 |
 *
 * A test takes its device from the customers: none is begun while somebody is served, one runs at a time, and the device is not
 * offered until it is over. The same goes for clearing a device and entering what was counted: the count of a suspect moves no money by
 * itself, the bank acts on it by a code of its own (session/suspects.ts).
 */
import { z } from 'zod';
import { type Profile, type Service, Uuid } from '../../../src-contract/primitives.ts';
import type { Chance, Clock } from '../../clock.ts';
import type { DayCloser } from '../../day-close/day-close.ts';
import { dayCloseReport } from '../../day-close/report.ts';
import { TerminalError } from '../../errors.ts';
import { json, type PageAnswer, type PageServer, refuse, startPageServer } from '../../local-page/server.ts';
import type { Hindrance } from '../../session/availability.ts';
import type { Words } from '../../session/standing.ts';
import { CountOrder, type Refused, type SuspectDesk } from '../../session/suspects.ts';
import type { DeviceKey, HealthWatch } from '../device-health.ts';
import type { TestResult } from '../device-tests.ts';
import { servicePage } from './page.ts';

export interface ServiceReport {
  readonly service: Service;
  /** What keeps it from being offered; none: it is offered. */
  readonly hindrances: readonly Hindrance[];
  readonly warnings: readonly Hindrance[];
}

export interface ServicePageOptions {
  readonly terminalName: string;
  readonly profile: Profile;
  /** 0 takes any free one. */
  readonly port: number;
  readonly token: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly keys: readonly DeviceKey[];
  readonly health: HealthWatch;
  readonly services: () => readonly ServiceReport[];
  /** What is wrong with the terminal as a whole, a sentence each. */
  readonly notices: () => readonly Words[];
  readonly dayCloser: Pick<DayCloser, 'closeNow' | 'last'>;
  /** Whether a customer is being served. */
  readonly busy: () => boolean;
  /** Keeps the device from being offered. Returns how to give it back. */
  readonly hold: (key: DeviceKey) => () => void;
  readonly test: (key: DeviceKey, signal: AbortSignal) => Promise<TestResult>;
  readonly identify: (key: DeviceKey, signal: AbortSignal) => Promise<TestResult>;
  /** The camera that is this terminal's own, in words; null while none is. Pinning throws DEVICE_UNAVAILABLE. */
  readonly camera: { readonly pinned: () => string | null; readonly pin: () => string };
  readonly suspects: SuspectDesk;
}

const SuspectNamed = z.strictObject({ transactionId: Uuid });
const isRefused = (done: object): done is Refused => 'outcome' in done && done.outcome === 'refused';

/** Throws PORT_IN_USE naming the port. */
export async function startServicePage(options: ServicePageOptions): Promise<PageServer> {
  const Order = z.strictObject({ device: z.enum(options.keys as [DeviceKey, ...DeviceKey[]]) });
  const closed = new AbortController();
  let testing: DeviceKey | 'suspect' | null = null;

  const state = async (): Promise<PageAnswer> =>
    json(200, {
      ok: true,
      at: options.clock.now(),
      busy: options.busy(),
      testing,
      devices: await options.health.report(closed.signal),
      services: options.services(),
      notices: options.notices(),
      dayClose: dayCloseReport(options.dayCloser.last()),
      history: options.health.history(),
      suspects: options.suspects.list(),
      camera: { pinned: options.camera.pinned() },
    });

  const carryOut = async (what: 'test' | 'identify', body: unknown): Promise<PageAnswer> => {
    const { device } = Order.parse(body);
    if (testing !== null) return refuse(409, `a test of ${testing} is running`);
    if (options.busy()) return refuse(409, 'a customer is being served');
    testing = device;
    const giveBack = options.hold(device);
    try {
      return json(200, { ok: true, ...(await options[what](device, closed.signal)) });
    } finally {
      giveBack();
      testing = null;
    }
  };

  const closeDay = async (): Promise<PageAnswer> => {
    if (testing !== null) return refuse(409, `a test of ${testing} is running`);
    if (options.busy()) return refuse(409, 'a customer is being served');
    const dayClose = dayCloseReport(await options.dayCloser.closeNow(closed.signal));
    return json(200, { ok: true, dayClose });
  };

  const pinCamera = (): PageAnswer => {
    if (testing !== null) return refuse(409, `a test of ${testing} is running`);
    if (options.busy()) return refuse(409, 'a customer is being served');
    try {
      return json(200, { ok: true, pinned: options.camera.pin() });
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      return refuse(409, error.message);
    }
  };

  const settle = async <Done extends object>(work: (signal: AbortSignal) => Promise<Done | Refused>) => {
    if (testing !== null) return refuse(409, 'a device is being tested or cleared');
    if (options.busy()) return refuse(409, 'a customer is being served');
    testing = 'suspect';
    try {
      const done = await work(closed.signal);
      if (!isRefused(done)) return json(200, { ok: true, ...done });
      const { field, message } = done;
      return json(400, { ok: false, message: `${field}: ${message}`, fields: [{ field, message }] });
    } finally {
      testing = null;
    }
  };

  const server = await startPageServer({
    name: 'service page',
    access: 'launch-once',
    port: options.port,
    token: options.token,
    clock: options.clock,
    chance: options.chance,
    handle: async ({ method, path, body }) => {
      if (method === 'GET' && path === '/') return servicePage(options);
      if (method === 'GET' && path === '/state') return await state();
      if (method === 'POST' && path === '/day-close') return await closeDay();
      if (method === 'POST' && path === '/camera-pin') return pinCamera();
      if (method === 'POST' && path === '/test') return await carryOut('test', body);
      if (method === 'POST' && path === '/identify') return await carryOut('identify', body);
      if (method === 'POST' && path === '/clear') {
        const { transactionId } = SuspectNamed.parse(body);
        return await settle((signal) => options.suspects.clear(transactionId, signal));
      }
      if (method === 'POST' && path === '/count') {
        const order = CountOrder.parse(body);
        return await settle((signal) => options.suspects.count(order, signal));
      }
      return refuse(404, `nothing is at ${path}`);
    },
  });
  return {
    ...server,
    close: async () => {
      closed.abort(new Error('the terminal is closing'));
      await server.close();
    },
  };
}
