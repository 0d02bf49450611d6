/** People move to the next embedder as they visit: nobody comes for it, nothing is lost on the way, and the old template goes last. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { MODEL_SHA256, NEXT_MODEL_SHA256 } from '../../support/compose-terminal.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { enrolled, type Person, PIN } from '../../support/visits.ts';

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
  person = await enrolled(atm, newFace());
  await atm.run.close();
  atm.nextEmbedder = true;
  await atm.start();
});
afterEach(async () => {
  world.mend();
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

const looksUp = async (pin = PIN) => {
  const { customer } = atm.run;
  customer.comes(person.face);
  await customer.chooses('balance');
  await customer.sees('pin');
  await customer.keys(pin);
  if (pin !== PIN) return;
  await customer.sees('balance');
  await customer.confirms();
  await customer.sees('done');
  await customer.confirms();
  await customer.sees('attract');
};
/** Of this person: whether by the older embedder, and by the newer, here and at the bank. */
const under = async () => {
  const { body } = await world.admin.get<{ embedders: { modelSha256: string; people: number }[] }>('/admin/embedders');
  const atBank = (model: string) => body.embedders.find(({ modelSha256 }) => modelSha256 === model)?.people ?? 0;
  const { gallery } = atm.run;
  const here = (model: string) => gallery.templateOf(person.personId, model) !== null;
  return { here: [MODEL_SHA256, NEXT_MODEL_SHA256].map(here), bank: [MODEL_SHA256, NEXT_MODEL_SHA256].map(atBank) };
};
const settled = () => atm.run.customer.waits(60_000);

test('who is known under the old one has both after a visit with their PIN, and the new one alone after two more', async () => {
  expect((await under()).here).toEqual([true, false]);
  await looksUp();
  await settled();
  const { here, bank } = await under();
  expect(here).toEqual([true, true]);
  expect(bank[1]).toBe(1);
  const before = bank[0]!;
  for (let visit = 0; visit < 3; visit++) await looksUp();
  await settled();
  expect(await under()).toEqual({ here: [false, true], bank: [before - 1, 1] });
  await looksUp();
  const { journal } = atm.run;
  expect(journal.outbox.deadLetters()).toEqual([]);
});

test('a wrong PIN moves nobody', async () => {
  await looksUp('1593E');
  await atm.run.customer.sees('pin', { problem: 'wrong' });
  await settled();
  expect((await under()).here).toEqual([true, false]);
});

test('what the line took away is sent later, over a loss of power, and no template lies in the journal', async () => {
  world.disturb('down', '/v1/renewals', Number.POSITIVE_INFINITY);
  await looksUp();
  expect((await under()).here).toEqual([true, true]);
  const { values } = atm.run.gallery.templateOf(person.personId, NEXT_MODEL_SHA256)!;
  await atm.cutPower();
  const journals = [...atm.files()].filter(([path]) => path.includes('journal'));
  for (const [, bytes] of journals) expect(bytes.includes(values.slice(0, 40))).toBe(false);
  await atm.start();
  world.mend();
  await settled();
  const { bank } = await under();
  expect(bank[1]).toBeGreaterThan(0);
});

test('who withdraws before the bank has heard of it is forgotten under both, and no template is sent', async () => {
  world.disturb('down', '/v1/renewals', Number.POSITIVE_INFINITY);
  await looksUp();
  await world.admin.delete(`/admin/people/${person.personId}/template`);
  world.mend();
  await settled();
  expect((await under()).here).toEqual([false, false]);
});
