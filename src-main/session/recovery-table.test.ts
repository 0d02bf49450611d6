import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Service } from '../../src-contract/primitives.ts';
import type { PortsOf, SessionPorts, StepPorts } from './ports.ts';
import {
  ASKING_BANK,
  type Ending,
  type EventOf,
  RECOVERY,
  type Row,
  type Rule,
  ruleFor,
  type State,
} from './recovery-table.ts';

const PAGE = join(import.meta.dirname, '../../docs/money.md');

const rows = Object.entries(RECOVERY).flatMap(([service, { device, states }]) =>
  Object.entries<Row>(states).map(([state, row]) => ({ service: service as Service, device, state, ...row })),
);

/** As an auditor reads it. */
function words(rule: Rule): string {
  const ending = ({ as, reverse }: Ending) => `${as}${reverse ? ', and have the bank let go' : ''}`;
  switch (rule.rule) {
    case 'over':
      return '— (over)';
    case 'end':
      return `end as ${ending(rule)}`;
    case 'ask-dispenser':
      return 'ask the dispenser, and settle by what it says';
    case 'ask-acceptor':
      return 'ask the acceptor, and settle by what it says';
    case 'ask-bank': {
      const answers = Object.entries(rule.answers).map(([answer, one]) => `${answer}: ${ending(one)}`);
      return `ask the bank by idempotency key. ${[...answers, `never seen, and barred now: ${ending(rule.barred)}`].join('; ')}`;
    }
    case 'forget':
      return 'forget the person';
    case 'suspect':
      return 'stay suspect: amount held, device blocked, for a technician’s count';
  }
}

/** What docs/money.md has between its two marks. */
function asMarkdown(): string {
  return Object.entries(RECOVERY)
    .map(([service, { states }]) => {
      const lines = Object.entries<Row>(states).map(
        ([state, { known, onRestart }]) => `| \`${state}\` | ${known} | ${words(onRestart)} |`,
      );
      return `\n### ${service}\n\n| state | what is known | on a restart |\n|---|---|---|\n${lines.join('\n')}\n`;
    })
    .join('');
}

describe('the recovery table', () => {
  it('is what docs/money.md shows', () => {
    const place = /(<!-- recovery table.*-->\n).*(\n<!-- end of the recovery table -->)/s;
    const page = readFileSync(PAGE, 'utf8');
    const right = page.replace(place, (_, before, after) => before + asMarkdown() + after);
    // KAOPASS_WRITE_DOCS=1 brings the page up to date.
    if (process.env['KAOPASS_WRITE_DOCS']) writeFileSync(PAGE, right);
    else expect(page).toBe(right);
    expect(place.test(page)).toBe(true);
  });

  it('ends transactions only in states of their own service', () => {
    for (const { service, state, onRestart } of rows) {
      const endings: readonly Ending[] =
        onRestart.rule === 'end'
          ? [onRestart]
          : onRestart.rule === 'ask-bank'
            ? [...Object.values(onRestart.answers), onRestart.barred]
            : [];
      for (const { as } of endings) expect(Object.keys(RECOVERY[service].states), `${service} ${state}`).toContain(as);
    }
  });

  it('asks no device that the service has not', () => {
    for (const { service, device, state, onRestart } of rows) {
      const asked = { 'ask-dispenser': 'cashDispenser', 'ask-acceptor': 'cashAcceptor' }[onRestart.rule as string];
      if (asked !== undefined) expect(device, `${service} ${state}`).toBe(asked);
    }
  });

  it('has a place to wait wherever the bank is asked, under the same rule', () => {
    for (const { service, onRestart } of rows.filter(({ onRestart }) => onRestart.rule === 'ask-bank')) {
      expect(ruleFor(service, ASKING_BANK), service).toEqual(onRestart);
    }
  });

  it('lets every service begin and be interrupted', () => {
    for (const [service, { states }] of Object.entries(RECOVERY)) {
      expect(Object.keys(states), service).toEqual(expect.arrayContaining(['begun']));
      expect(ruleFor(service as Service, 'begun').rule, service).not.toBe('over');
    }
  });

  it('guesses nothing about a state it does not have', () => {
    for (const state of ['teleported', 'constructor', '']) {
      expect(ruleFor('withdraw', state)).toEqual({ rule: 'suspect' });
    }
  });
});

describe('the compiler', () => {
  it('lets a visit record the states of its service, and no others', () => {
    type Recorded<Ports extends { journal: { record: (...given: never) => void } }> = Parameters<
      Ports['journal']['record']
    >[1];
    const withdrawal: Recorded<PortsOf<'withdraw'>>[] = [
      { state: 'dispensing' },
      { state: 'paid', final: true },
      { state: 'declined', final: Boolean(rows.length) },
      // @ts-expect-error: no such state
      { state: 'dispencing' },
      // @ts-expect-error: a state of another service
      { state: 'stood-in', final: true },
      // @ts-expect-error: over, and not said to be the last
      { state: 'paid' },
    ];
    const shared: State<'withdraw' | 'purchase'>[] = [
      'authorising',
      // @ts-expect-error: not of both
      'dispensing',
    ];
    const event: EventOf<'deposit'> = { state: 'storing' };
    // @ts-expect-error: a step that any service takes records nothing
    const nothing: Recorded<StepPorts> = event;
    // @ts-expect-error: ports of one service are not those of another
    const other = (ports: PortsOf<'deposit'>): PortsOf<'withdraw'> => ports;
    const whole = (ports: SessionPorts): PortsOf<'withdraw' | 'purchase'> => ports;
    expect([withdrawal.length, shared.length, nothing, other(null as never), whole(null as never)]).toHaveLength(5);
  });
});
