/**
 * One terminal's configuration: a JSON file the technician writes (or provisioning does), parsed strictly. A key we don't
 * know or a value that doesn't fit refuses to start and names the key; nothing is guessed.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Language, Profile, Service } from '../../src-contract/primitives.ts';
import { CameraSource } from '../../src-contract/screen.ts';
import { BusinessDayConfig } from '../day-close/business-day.ts';
import { TerminalError } from '../errors.ts';
import { DEVICES_DEFAULT, DevicesConfig, Port } from './devices.ts';

/** How often a terminal and its bank talk unasked. */
export const SYNC_DEFAULT = { roundMs: 10_000, probeMs: 3_000 };

export const Config = z.strictObject({
  /** Shown on screen and receipts. */
  name: z.string().min(1).max(60),
  profile: Profile,
  /** Language of a new visit. */
  language: Language.default('ja'),
  /** Offered services; null means all the profile can do. */
  services: z.array(Service).min(1).nullable().default(null),
  /** Origin of the bank's API. */
  bankUrl: z.url({ protocol: /^https?$/ }),
  camera: CameraSource.default({ kind: 'device', label: null }),
  /** True paints "demonstration" on every screen: the camera is footage, the money is not real. */
  demonstration: z.boolean().default(false),
  devices: DevicesConfig.prefault(DEVICES_DEFAULT),
  /** Port of the technician's page on 127.0.0.1; 0 takes any free one. */
  servicePage: z.strictObject({ port: Port.default(0) }).default({ port: 0 }),
  screen: z
    .strictObject({
      /** Port of the Chromium host on 127.0.0.1; 0 takes any free one. */
      port: Port.default(0),
      /** No window: for machines without a display. */
      headless: z.boolean().default(false),
      /** Lets a debugger on this machine drive the browser. Only for demonstrations and tests. */
      remoteDebugging: z.boolean().default(false),
      /** An MJPEG file that Chromium shows as its camera. Only for a demonstration. */
      fakeCamera: z.string().nullable().default(null),
    })
    .default({ port: 0, headless: false, remoteDebugging: false, fakeCamera: null }),
  /** When the business day ends, and where; the day is closed at the first quiet moment after. */
  businessDay: BusinessDayConfig.prefault({}),
  vision: z.strictObject({ threads: z.int().min(1).max(16).default(1) }).default({ threads: 1 }),
  /** Path of a JSON file of goods, relative to the data directory; null takes the demonstration's. */
  goods: z.string().nullable().default(null),
  patience: z
    .strictObject({
      /** How long a screen waits for a person, ms. */
      answerMs: z.int().min(1_000).max(600_000).default(45_000),
      /** How long before its end the screen warns, ms. */
      warnMs: z.int().min(500).max(120_000).default(15_000),
      /** How long a look may take before it ends as a refusal, ms. */
      lookMs: z.int().min(3_000).max(120_000).default(20_000),
      /** How long notes stay in the customer's reach before they are retracted, ms. */
      takeMs: z.int().min(1_000).max(120_000).default(30_000),
      /** How long the last screen of a visit stays, ms. */
      farewellMs: z.int().min(500).max(60_000).default(6_000),
    })
    .default({ answerMs: 45_000, warnMs: 15_000, lookMs: 20_000, takeMs: 30_000, farewellMs: 6_000 }),
  sync: z
    .strictObject({
      /** Pause between two rounds with the bank (what waits goes up, gallery and policy come down) while it answers, ms. */
      roundMs: z.int().min(500).max(600_000).default(SYNC_DEFAULT.roundMs),
      /** Pause between two questions after the bank's health while it does not, ms. */
      probeMs: z.int().min(500).max(60_000).default(SYNC_DEFAULT.probeMs),
    })
    .default(SYNC_DEFAULT),
});
export type Config = z.infer<typeof Config>;

/** Says what is wrong with a value in one sentence: the key's path, and what was expected there. */
export function explainIssues(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const where = issue.path.length > 0 ? issue.path.join('.') : 'the top level';
      if (issue.code === 'unrecognized_keys')
        return `unknown key ${issue.keys.map((k) => `"${k}"`).join(', ')} at ${where}`;
      return `${where}: ${issue.message}`;
    })
    .join('; ');
}

export function parseConfig(value: unknown, source: string): Config {
  const parsed = Config.safeParse(value);
  if (!parsed.success) throw new TerminalError('CONFIG_INVALID', `${source}: ${explainIssues(parsed.error)}`);
  const { demonstration, camera, screen } = parsed.data;
  if (!demonstration && camera.kind === 'scene') {
    throw new TerminalError('CONFIG_INVALID', `${source}: camera.kind: "scene" is for a demonstration only`);
  }
  if (!demonstration && screen.fakeCamera !== null) {
    throw new TerminalError('CONFIG_INVALID', `${source}: screen.fakeCamera: only for a demonstration`);
  }
  if (parsed.data.services) {
    const possible = PROFILE_SERVICES[parsed.data.profile];
    const stray = parsed.data.services.filter((service) => !possible.includes(service));
    if (stray.length > 0) {
      throw new TerminalError(
        'CONFIG_INVALID',
        `${source}: services: profile "${parsed.data.profile}" has no ${stray.join(', ')}`,
      );
    }
  }
  return parsed.data;
}

/** Reads a configuration file. Throws TerminalError CONFIG_INVALID that names the file and what is wrong in it. */
export function loadConfig(path: string): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TerminalError(
      'CONFIG_INVALID',
      `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'error'})`,
      { cause },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TerminalError('CONFIG_INVALID', `${path}: is not JSON (${(cause as Error).message})`, { cause });
  }
  return parseConfig(value, path);
}

/** What a profile can offer. */
export const PROFILE_SERVICES: Readonly<Record<Profile, readonly Service[]>> = {
  atm: ['withdraw', 'deposit', 'transfer', 'balance', 'enrol', 'opt-out'],
  checkout: ['purchase', 'opt-out'],
  gate: [],
};
