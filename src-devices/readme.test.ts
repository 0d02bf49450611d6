/** The README of this folder names every fault, switch, request and flag there is. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CASH_FAULTS } from './cash/cash-faults.ts';
import { REQUESTS } from './control/api.ts';
import { switches } from './control/dialect-switches.ts';
import { USAGE } from './options.ts';
import { PERIPHERAL_FAULTS } from './peripherals.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

const README = readFileSync(new URL('README.md', import.meta.url), 'utf8');

describe('the README of the devices', () => {
  it.each([...WIRE_FAULTS, ...CASH_FAULTS, ...PERIPHERAL_FAULTS])(
    'tells what $name does, in its own words',
    ({ name, says }) => {
      const row = README.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      expect(row).toContain(says);
    },
  );

  it('names every switch of the dialect', () => {
    for (const { name } of switches()) expect(README).toContain(`| \`${name}\` |`);
  });

  it('names every request of the control interface', () => {
    for (const path of REQUESTS) expect(README).toContain(path.replace('/api/units/insert', '`, `/insert`'));
  });

  it('names every flag', () => {
    for (const [flag] of USAGE.matchAll(/--[a-z-]+/g)) if (flag !== '--help') expect(README).toContain(flag);
  });
});
