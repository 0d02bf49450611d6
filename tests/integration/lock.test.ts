import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { missingOptional } from '../../scripts/complete-lock.mjs';

const lock = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package-lock.json'), 'utf8'));

it('package-lock.json names the optional packages of every platform (else: node scripts/complete-lock.mjs)', () => {
  expect(Object.keys(missingOptional(lock))).toEqual([]);
});

it('no npm runs the install script that fetches GPU libraries (else: node scripts/complete-lock.mjs)', () => {
  expect(lock.packages['node_modules/onnxruntime-node'].hasInstallScript).toBeUndefined();
});

it('package-lock.json names no registry: whoever installs has their own', () => {
  const addresses = Object.values<{ resolved?: string }>(lock.packages).filter(({ resolved }) => resolved);
  expect(addresses).toEqual([]);
});

it('scripts/node.json is of the version of Node that package-lock.json names (else: its integrity, sha256 and bytes)', () => {
  const node = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../scripts/node.json'), 'utf8'));
  expect(node.source.version).toBe(lock.packages['node_modules/node'].version);
});

it('a package of another platform is added with what its name says, so that npm passes it over', () => {
  const packages = {
    '': {},
    'node_modules/tool': {
      optionalDependencies: {
        '@tool/linux-x64-musl': '1.2.3',
        '@tool/win32-ia32-msvc': '1.2.3',
        '@tool/there': '1.2.3',
      },
      dev: true,
    },
    'node_modules/tool/node_modules/@tool/there': { version: '1.2.3' },
  };
  expect(missingOptional({ packages })).toEqual({
    'node_modules/@tool/linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      os: ['linux'],
      libc: ['musl'],
      dev: true,
      optional: true,
    },
    'node_modules/@tool/win32-ia32-msvc': { version: '1.2.3', cpu: ['ia32'], os: ['win32'], dev: true, optional: true },
  });
});
