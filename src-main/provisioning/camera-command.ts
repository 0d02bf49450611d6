/** `kaopass camera`: which camera is the terminal's own, which are attached, and pinning another. */
import { rmSync } from 'node:fs';
import { attachedCameras } from '../camera/attached.ts';
import { pinFile } from '../camera/guard.ts';
import { type AttachedCamera, type CameraIdentity, cameraInWords } from '../camera/identity.ts';
import { TerminalError } from '../errors.ts';
import { dataPlaces } from '../places.ts';
import { lockData } from '../running-lock.ts';
import type { FetchPort } from '../sync/bank-client.ts';
import { flagsOf, needed, takeSwitch, UsageError } from './flags.ts';
import { runningTerminal } from './running-terminal.ts';

const CAMERA_USAGE = `kaopass camera: the camera that a terminal is held to.

  kaopass camera [show] --data DIR [--json]
      The pinned camera, and the cameras that the kernel has (Linux). Changes nothing.

  kaopass camera pin --data DIR
      Takes the camera that the running terminal opened last for its own. Open it first:
      kaopass devices test camera --data DIR. Not while a customer is served.

  kaopass camera forget --data DIR
      Forgets the pinned camera: the first one that the terminal opens then is pinned. Only while the
      terminal does not run.

A camera that is a program is never pinned, and serves only a demonstration.
Ends with 0 when done, 1 when it could not be done, 2 when the command was not understood.
`;

export interface CameraPorts {
  readonly fetch: FetchPort;
  readonly out: (text: string) => void;
  readonly signal: AbortSignal;
  /** The system's own when not given. */
  readonly attached?: () => readonly AttachedCamera[] | null;
}

/** Resolves with the exit code. Throws UsageError or TerminalError. */
export async function runCamera(args: readonly string[], ports: CameraPorts): Promise<0> {
  if (args.includes('--help') || args.includes('-h')) {
    ports.out(CAMERA_USAGE);
    return 0;
  }
  const [asJson, rest] = takeSwitch(args, '--json');
  const [what = 'show', ...more] = rest[0]?.startsWith('--') ? ['show', ...rest] : rest;
  if (what !== 'show' && what !== 'pin' && what !== 'forget')
    throw new UsageError(`there is no command "camera ${what}"`);
  const places = dataPlaces(needed(flagsOf(more, ['data']), 'data'));
  if (what === 'show') {
    const pinned = pinFile(places.camera).read();
    const attached = (ports.attached ?? attachedCameras)();
    ports.out(asJson ? `${JSON.stringify({ pinned, attached }, null, 2)}\n` : inWords(pinned, attached));
  } else if (what === 'pin') {
    const terminal = runningTerminal(places.servicePage, ports.fetch);
    if (!terminal)
      throw new TerminalError('DEVICE_UNAVAILABLE', 'the terminal has to run: its screen opens the camera');
    ports.out(`Pinned: ${await terminal.pinCamera(ports.signal)}.\n`);
  } else {
    const release = lockData(places.lock);
    try {
      rmSync(places.camera, { force: true });
    } finally {
      release();
    }
    ports.out('Forgotten: the first camera that the terminal opens will be pinned.\n');
  }
  return 0;
}

function inWords(pinned: CameraIdentity | null, attached: readonly AttachedCamera[] | null): string {
  const lines = [`pinned    ${pinned ? cameraInWords(pinned) : 'none: the first camera that is opened will be'}`];
  if (attached === null) lines.push('attached  not known: this kernel is not asked');
  else if (attached.length === 0) lines.push('attached  none');
  for (const { name, model, serial, virtual } of attached ?? []) {
    const more = [model && `(${model})`, serial && `serial number ${serial}`, virtual && '- a program'].filter(Boolean);
    lines.push(`attached  "${name}" ${more.join(' ')}`.trimEnd());
  }
  return `${lines.join('\n')}\n`;
}
