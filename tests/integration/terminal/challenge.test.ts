/** What is asked of people before the camera, at a whole terminal: the accepting path, the refusing one, and every way round. */
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { MatchResult } from '../../../src-contract/match-result.ts';
import { idle, obeying, repeating } from '../../support/obeying.ts';
import { reckon } from '../../support/reckoning.ts';
import { newFace, resembling } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';

/** Above what the default policy lets pass with a look alone. */
const MUCH = 150_000;

let world: World;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  atm = await world.terminal();
  await atm.start();
  person = await registered(atm, newFace(), { yen: 300_000 });
});
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

/** As the bank has it. */
const lastResult = async () => {
  await atm.run.sync.flush(never);
  const { body } = await world.admin.get<{ results: { jws: string }[] }>(
    `/admin/results?terminalId=${atm.run.terminalId}`,
  );
  return MatchResult.parse(decodeJwt(body.results.at(-1)!.jws));
};
const asksForMuch = async () => {
  await atm.run.customer.chooses('withdraw');
  await atm.run.customer.asksFor(MUCH);
};
const nothingMoved = async () => {
  await reckon(atm);
  expect(await world.balanceOf(person.personId)).toEqual({ ledger: 300_000, available: 300_000 });
};

test('who does what is asked for gets the money, and the bank has the evidence', async () => {
  const { customer, camera } = atm.run;
  camera.acting = obeying(() => customer.view);
  await asksForMuch();
  await customer.sees('challenge');
  await customer.sees('pin', { purpose: 'verify' });
  const { challenge, outcome } = await lastResult();
  expect(outcome).toBe('accepted');
  expect(challenge?.outcome).toBe('passed');
  expect(challenge?.steps.length).toBeGreaterThan(0);
  expect(challenge?.steps.every((step) => step.outcome === 'passed' && step.try === 1)).toBe(true);
  await customer.keys(PIN);
  await customer.takesCash();
  await customer.wantsReceipt(false);
  await customer.sees('done', { service: 'withdraw' });
  await reckon(atm);
  expect(await world.balanceOf(person.personId)).toEqual({ ledger: 150_000, available: 150_000 });
});

test('a usual amount asks for nothing but a look', async () => {
  const { customer } = atm.run;
  await customer.chooses('withdraw');
  await customer.asksFor(100_000);
  await customer.sees('pin', { purpose: 'verify' });
  expect((await lastResult()).challenge).toBeNull();
  expect(atm.views.some((view) => view.includes('"name":"challenge"'))).toBe(false);
});

test('who does nothing is refused after the tries the policy gives, and no money moves', async () => {
  const { customer, camera } = atm.run;
  camera.acting = idle;
  await asksForMuch();
  await customer.sees('challenge', { problem: 'late' });
  await customer.sees('sorry', { code: 'challenge-failed' });
  const { challenge, personId, reason, presentedFace } = await lastResult();
  expect({ reason, personId, outcome: challenge?.outcome }).toEqual({
    reason: 'challenge-failed',
    personId: null,
    outcome: 'failed',
  });
  expect(challenge?.steps.map((step) => [step.try, step.outcome])).toEqual([
    [1, 'late'],
    [2, 'late'],
  ]);
  expect(presentedFace).not.toBeNull();
  await nothingMoved();
});

test('a recording that goes on moving by itself is refused, whichever movement it shows', async () => {
  const { customer, camera } = atm.run;
  // Never at rest for long enough before anything is asked for.
  camera.acting = repeating('turn-left', 1_700);
  await asksForMuch();
  await customer.sees('sorry', { code: 'challenge-failed' });
  expect((await lastResult()).challenge?.outcome).toBe('failed');
  await nothingMoved();
});

test('who cannot make a movement is asked for light instead, at no cost, and passes by it', async () => {
  const { customer, camera } = atm.run;
  camera.acting = obeying(
    () => customer.view,
    (demand) => demand === 'light',
  );
  await asksForMuch();
  await customer.sees('challenge');
  for (let waits = 0; waits < 1_000 && customer.view.screen.name !== 'pin'; waits++) {
    const { screen } = customer.view;
    if (screen.name === 'challenge' && screen.demand !== null && screen.demand !== 'light') {
      expect(customer.says({ kind: 'decline-challenge', demand: screen.demand })).toEqual({ ok: true });
    }
    await customer.waits(70);
  }
  const steps = (await lastResult()).challenge?.steps ?? [];
  expect(steps.at(-1)).toMatchObject({ demand: 'light', outcome: 'passed', try: 1 });
  const movements = steps.filter(({ demand }) => demand !== 'light');
  expect(movements.length).toBeLessThanOrEqual(1);
  expect(movements.every(({ outcome }) => outcome === 'declined')).toBe(true);
});

test('only what stands on the screen can be declined', async () => {
  const { customer, camera } = atm.run;
  camera.acting = idle;
  await asksForMuch();
  const { demand } = await demanded();
  const other = demand === 'nod' ? 'mouth' : 'nod';
  expect(customer.says({ kind: 'decline-challenge', demand: other })).toMatchObject({ ok: false, code: 'not-offered' });
  await customer.cancels();
  await customer.sees('attract');
  await nothingMoved();
});

test('who cancels each time another movement is asked for has used the look, and after five rests where a challenge is wanted', async () => {
  const { customer, camera } = atm.run;
  camera.acting = idle;
  for (let look = 0; look < 5; look++) {
    await asksForMuch();
    await demanded();
    await customer.cancels();
    await customer.sees('attract');
    expect((await lastResult()).reason).toBe('challenge-failed');
    expect((await lastResult()).challenge?.steps.at(-1)).toMatchObject({ outcome: 'left' });
  }
  await asksForMuch();
  await customer.sees('sorry', { code: 'too-many-tries' });
  expect((await lastResult()).challenge).toBeNull();
  await customer.cancels();
  // It may be the owner, whose recording somebody showed: less is theirs as before.
  await customer.chooses('withdraw');
  await customer.asksFor(10_000);
  await customer.sees('pin', { purpose: 'verify' });
});

test('another face that steps in after the look ends it at once', async () => {
  const { customer, camera } = atm.run;
  camera.acting = idle;
  await asksForMuch();
  await demanded();
  customer.comes(resembling(person.face, 0.05));
  await customer.sees('sorry', { code: 'challenge-failed' });
  expect((await lastResult()).challenge?.steps.at(-1)).toMatchObject({ outcome: 'other-face' });
  await nothingMoved();
});

test('a camera that falls silent does not leave the customer standing there', async () => {
  const { customer, camera } = atm.run;
  camera.acting = idle;
  await asksForMuch();
  await demanded();
  camera.silent = true;
  await customer.sees('sorry', { code: 'challenge-failed' });
  expect((await lastResult()).challenge?.steps.at(-1)).toMatchObject({ outcome: 'lost' });
  await nothingMoved();
});

/** Waits until something is asked for. */
async function demanded() {
  const { customer } = atm.run;
  for (;;) {
    const screen = await customer.sees('challenge');
    if (screen.demand !== null) return { demand: screen.demand };
    await customer.waits(70);
  }
}
