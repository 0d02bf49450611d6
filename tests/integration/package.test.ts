/** What a terminal installs, with a stand-in where Electron's binary would be: decided by electron-builder, read back by us. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageTerminal } from '../../scripts/package.ts';
import { inspectPackage, type PackageContents } from '../../scripts/package-contents.ts';

let outDir = '';
let made = '';
let contents: PackageContents;
beforeAll(async () => {
  outDir = mkdtempSync(path.join(tmpdir(), 'kaopass-package-'));
  // `npm test` has checked the types.
  made = await packageTerminal({ standIn: true, outDir, checked: true });
  contents = inspectPackage(made);
}, 300_000);
afterAll(() => rmSync(outDir, { recursive: true, force: true }));

describe('the package', () => {
  it('has everything a terminal starts with, and nothing that has no place in it', () => {
    expect(contents.problems).toEqual([]);
  });

  it('has the models beside the archive, their weights and no others', () => {
    expect(contents.resources.filter((name) => /^(models|weights)\//.test(name) && !name.endsWith('.md'))).toEqual([
      'models/detector.json',
      'models/embedder.json',
      'models/landmarks.json',
      'models/liveness.json',
      'weights/embedder.onnx',
      'weights/fr_detect.onnx',
      'weights/fr_landmark.onnx',
      'weights/fr_liveness.onnx',
    ]);
  });

  it('has the four files of the receipt font, of more than a thousand', () => {
    expect(contents.archived.filter((name) => name.endsWith('.woff'))).toHaveLength(4);
  });

  it('has no server of the bank and no driver of its database', () => {
    expect(contents.archived.filter((name) => /^node_modules\/(fastify|pg|kysely|@electric-sql)\//.test(name))).toEqual(
      [],
    );
  });

  it('is called wrong when footage comes with it or a part is missing', () => {
    writeFileSync(path.join(made, 'resources/franck.webm'), '');
    rmSync(path.join(made, 'resources/renderer/index.html'));
    expect(inspectPackage(made).problems).toEqual([
      expect.stringContaining('resources: nothing is /^renderer'),
      'franck.webm has no place in it',
    ]);
  });
});
