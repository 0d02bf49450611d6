/**
 * The suites that look through a camera, one after the other: two browsers at once deliver too few frames. Everything else runs beside
 * them and stands back (tests/support/stand-back.ts). One alone: `npx vitest run --project camera -t browser/terminal-camera`.
 */
import { describe } from 'vitest';

describe('browser/terminal', async () => void (await import('./browser/terminal.suite.ts')));
describe('browser/demonstration', async () => void (await import('./browser/demonstration.suite.ts')));
describe('browser/terminal-camera', async () => void (await import('./browser/terminal-camera.suite.ts')));
describe('browser/camera', async () => void (await import('./browser/camera.suite.ts')));
describe('integration/crash', async () => void (await import('./integration/crash.suite.ts')));
