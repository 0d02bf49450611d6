/**
 * The technician's page of a running terminal: what it watches, what its tests hold back, and where it is announced. Takes ports;
 * src-main/terminal.ts gives them.
 */
import type { Logger } from 'pino';
import type { Profile, Service } from '../../../src-contract/primitives.ts';
import type { CameraGuard } from '../../camera/guard.ts';
import { cameraInWords } from '../../camera/identity.ts';
import type { Chance, Clock } from '../../clock.ts';
import type { DayCloser } from '../../day-close/day-close.ts';
import type { Devices } from '../../devices/devices.ts';
import { hindrances, warnings } from '../../session/availability.ts';
import type { Words } from '../../session/standing.ts';
import type { SuspectDesk } from '../../session/suspects.ts';
import type { CameraHealth } from '../camera-health.ts';
import { type DeviceKey, type Patient, patientsOf, watchHealth } from '../device-health.ts';
import { identifyDevice, type TestTools, testDevice } from '../device-tests.ts';
import { announceTerminal } from '../running-terminal.ts';
import { startServicePage } from './server.ts';

export interface OpenServicePageOptions {
  readonly terminal: { readonly name: string; readonly profile: Profile; readonly services: readonly Service[] };
  readonly devices: Devices;
  /** Which driver each device has, and how it is reached; null where there is no such device. */
  readonly origins: {
    readonly [Key in keyof Devices]: { readonly driver: string; readonly connection: string } | null;
  };
  readonly camera: {
    readonly health: CameraHealth;
    /** Which one, now. */
    readonly connection: () => string;
    readonly watch: TestTools['watch'];
    readonly guard: Pick<CameraGuard, 'pinned' | 'pin'>;
  };
  /** Devices that are not offered: by a suspect transaction, and for as long as a test takes. */
  readonly blocked: Set<string>;
  readonly online: () => boolean;
  /** What is wrong with the terminal as a whole, a sentence each. */
  readonly notices: () => readonly Words[];
  readonly dayCloser: Pick<DayCloser, 'closeNow' | 'last'>;
  /** Whether a customer is being served. */
  readonly busy: () => boolean;
  readonly suspects: SuspectDesk;
  readonly port: number;
  /** File that says where the page is, for `kaopass status`. */
  readonly addressFile: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Logger;
}

export interface ServicePage {
  /** An address that opens the page once. */
  issueUrl(): string;
  close(): Promise<void>;
}

/** Throws PORT_IN_USE naming the port. Says in the log which devices are not well, now and at every change. */
export async function openServicePage(options: OpenServicePageOptions): Promise<ServicePage> {
  const { terminal, devices, camera, blocked, clock, chance, log } = options;
  const underTest = new Set<string>();
  const patients: readonly Patient[] = [
    ...patientsOf(options),
    {
      key: 'camera',
      device: camera.health,
      driver: 'screen',
      get connection() {
        return camera.connection();
      },
    },
  ];
  const nameOf = (key: DeviceKey) => (key === 'camera' ? camera.health.name : (devices[key]?.name ?? key));

  const health = watchHealth({
    patients,
    clock,
    held: (name) => (underTest.has(name) ? 'test' : blocked.has(name) ? 'suspect' : null),
    onChange: ({ device, state, problem }) => {
      if (state === 'online' && problem === null) log.info({ device }, 'the device is well again');
      else log.warn({ device, state, problem }, 'the device is not well');
    },
  });
  const tools: TestTools = { devices, clock, chance, terminalName: terminal.name, watch: camera.watch };
  const token = Buffer.from(chance.bytes(24)).toString('base64url');
  const server = await startServicePage({
    terminalName: terminal.name,
    profile: terminal.profile,
    port: options.port,
    token,
    clock,
    chance,
    keys: patients.map(({ key }) => key),
    health,
    services: () => {
      const surroundings = { devices, online: options.online(), blocked };
      return terminal.services.map((service) => ({
        service,
        hindrances: hindrances(service, surroundings),
        warnings: warnings(service, surroundings),
      }));
    },
    dayCloser: options.dayCloser,
    notices: options.notices,
    busy: options.busy,
    hold: (key) => {
      const name = nameOf(key);
      const suspect = blocked.has(name);
      underTest.add(name);
      blocked.add(name);
      return () => {
        underTest.delete(name);
        if (!suspect) blocked.delete(name);
      };
    },
    test: (key, signal) => testDevice(key, tools, signal),
    identify: (key, signal) => identifyDevice(key, tools, signal),
    camera: {
      pinned: () => (camera.guard.pinned ? cameraInWords(camera.guard.pinned) : null),
      pin: () => {
        const pinned = cameraInWords(camera.guard.pin());
        log.warn({ camera: pinned }, 'a technician has pinned this camera as the terminal’s own');
        return pinned;
      },
    },
    suspects: options.suspects,
  });
  const withdraw = announceTerminal(options.addressFile, { origin: server.origin, token });
  return {
    issueUrl: server.issueUrl,
    close: async () => {
      withdraw();
      health.stop();
      await server.close();
    },
  };
}
