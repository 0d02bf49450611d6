/** People moved from one embedder to the next, at the bank: who is sent what, what is stored beside what, and when the old one goes. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import type { GalleryAnswer } from '../../../src-contract/bank-api.ts';
import type { RenewalAnswer } from '../../../src-contract/renewal.ts';
import { facesFrom } from '../../../src-main/gallery/gallery.fixture.ts';
import { emptyBank } from '../../support/bank-database.ts';
import { type Admin, adminOf, id, injectInto, type Send, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, openBank, TestClock } from './banks.ts';

const PIN = '4071';
const OLD = 'a1'.repeat(32);
const NEW = 'b2'.repeat(32);
const faces = facesFrom(61, 24);

let clock: TestClock;
let bank: Bank;
let send: Send;
let admin: Admin;
let terminal: TestTerminal;

beforeEach(async () => {
  clock = new TestClock();
  bank = await openBank(await emptyBank(), clock);
  send = injectInto(bank.app);
  admin = adminOf(send, ADMIN_TOKEN);
  terminal = await TestTerminal.activate(send, admin, { now: () => clock.now() });
});
afterEach(() => bank.close());

const templateUnder = (modelSha256: string) => ({
  values: Buffer.from(faces.next().buffer).toString('base64url'),
  dimensions: 24,
  modelSha256,
  protectionVersion: terminal.activation.protectionVersion,
});
const enrol = async (change: Record<string, unknown> = { template: templateUnder(OLD) }) => {
  const request = await terminal.enrolRequest(PIN, change);
  expect((await terminal.post('/v1/enrolments', request)).body).toMatchObject({ outcome: 'enrolled' });
  return request.personId;
};
/** Asks for the balance with this PIN, seen under this embedder. */
const visit = async (personId: string, model: string | null, pin: string | null = PIN) => {
  const transactionId = id();
  const comparison = { score: 0.7, runnerUpScore: null, gallerySize: 3, estimatedFmr: 1e-6, model };
  const { resultId, jws } = await terminal.nextResult({
    service: 'balance',
    personId,
    comparison,
    secondFactor: 'pin',
  });
  expect((await terminal.post('/v1/results', { results: [jws] })).status).toBe(200);
  const pinBlock = pin && (await terminal.pinBlock(pin, { boundTo: transactionId }));
  const about = { transactionId, personId, resultId };
  const request = { idempotencyKey: id(), service: 'balance', amount: null, pinBlock, ...about };
  await terminal.post('/v1/authorisations', request);
  return about;
};
const renewal = async (about: object, template = templateUnder(NEW)) => {
  const request = { idempotencyKey: id(), template, ...about };
  return { request, answer: await terminal.post<RenewalAnswer>('/v1/renewals', request) };
};
const renewed = async (personId: string) => {
  const { answer } = await renewal(await visit(personId, OLD));
  expect(answer.body).toEqual({ outcome: 'renewed' });
};
const feed = async (query: string, of = terminal) => {
  const { body } = await of.get<GalleryAnswer>(`/v1/gallery?after=0${query}`);
  return body.entries.map((entry) => [entry.kind, entry.personId]);
};
const report = async () =>
  (
    await admin.get<{
      embedders: { modelSha256: string; people: number; peopleWithNoOther: number }[];
      terminals: { embedders: string[] | null }[];
    }>('/admin/embedders')
  ).body;

it('a person moved has a template under either embedder, and each feed brings its own', async () => {
  const [moved, other] = [await enrol(), await enrol()];
  await renewed(moved);
  expect(await feed(`&model=${OLD}`)).toEqual([moved, other].map((personId) => ['put', personId]));
  expect(await feed(`&model=${NEW}`)).toEqual([['put', moved]]);
  // Software from before there could be two.
  expect(await feed('')).toEqual([moved, other].map((personId) => ['put', personId]));
  // What is another's is passed over for good.
  const { body } = await terminal.get<GalleryAnswer>(`/v1/gallery?after=0&model=${'c3'.repeat(32)}`);
  expect(body).toMatchObject({ entries: [], next: 3, more: false });
  expect(await report()).toMatchObject({
    embedders: [
      { modelSha256: OLD, people: 2, peopleWithNoOther: 1 },
      { modelSha256: NEW, people: 1, peopleWithNoOther: 0 },
    ],
    terminals: [{ embedders: ['c3'.repeat(32)] }],
  });
});

it('nobody is moved without the right PIN, by a match under no template of theirs, or after they withdrew', async () => {
  const personId = await enrol();
  const refused = async (about: object, reason: string) =>
    expect((await renewal(about)).answer.body).toEqual({ outcome: 'refused', reason });
  await refused(await visit(personId, OLD, '1593'), 'pin-not-proven');
  await refused({ ...(await visit(personId, OLD)), transactionId: id() }, 'result-not-accepted');
  await refused(await visit(personId, null), 'result-not-accepted');
  await refused(await visit(personId, NEW), 'result-not-accepted');
  await refused({ ...(await visit(await enrol(), OLD)), personId }, 'result-not-accepted');
  expect(await feed(`&model=${NEW}`)).toEqual([]);
  const about = await visit(personId, OLD);
  expect((await admin.delete(`/admin/people/${personId}/template`)).status).toBe(200);
  await refused(about, 'unknown-person');
});

it('a renewal counts once, though its template comes under another matrix the second time', async () => {
  const personId = await enrol();
  const about = await visit(personId, OLD);
  const { request, answer } = await renewal(about);
  expect(answer.body).toEqual({ outcome: 'renewed' });
  const { request: again } = { request: { ...request, template: templateUnder(NEW) } };
  expect((await terminal.post('/v1/renewals', again)).body).toEqual({ outcome: 'renewed' });
  expect(await feed(`&model=${NEW}`)).toEqual([['put', personId]]);
  expect((await renewal(about)).answer.body).toEqual({ outcome: 'had-one' });
  const other = { ...again, template: { ...request.template, modelSha256: OLD } };
  expect((await terminal.post('/v1/renewals', other)).status).toBe(409);
});

it('the old template stays until every terminal has the new embedder, and it has decided two matches in a row', async () => {
  const personId = await enrol();
  const away = await TestTerminal.activate(send, admin, { now: () => clock.now() });
  await renewed(personId);
  const held = async () => (await feed(`&model=${OLD}&embedders=${OLD},${NEW}`)).map(([kind]) => kind);
  await visit(personId, NEW);
  await visit(personId, NEW);
  await visit(personId, NEW);
  // One terminal has not said what it has, and then it has the old one alone.
  expect(await held()).toEqual(['put']);
  await feed(`&model=${OLD}`, away);
  await visit(personId, NEW);
  expect(await held()).toEqual(['put']);
  await feed(`&model=${OLD}&embedders=${OLD},${NEW}`, away);
  // The old template was the surer one: the new one begins anew.
  await visit(personId, OLD);
  await visit(personId, NEW);
  await visit(personId, NEW, '1593');
  expect(await held()).toEqual(['put']);
  await visit(personId, NEW);
  await visit(personId, NEW, null);
  expect(await held()).toEqual(['retire']);
  expect(await feed(`&model=${NEW}`)).toEqual([['put', personId]]);
  expect((await report()).embedders).toEqual([{ modelSha256: NEW, people: 1, peopleWithNoOther: 1 }]);
});

it('who enrols at a terminal with two embedders is known by either, and who withdraws is forgotten by both', async () => {
  const personId = await enrol({ template: templateUnder(NEW), templateBefore: templateUnder(OLD) });
  expect(await feed(`&model=${OLD}`)).toEqual([['put', personId]]);
  expect(await feed(`&model=${NEW}`)).toEqual([['put', personId]]);
  const people = (await admin.get<{ people: { personId: string; hasTemplate: boolean }[] }>('/admin/people')).body
    .people;
  expect(people.map((one) => [one.personId, one.hasTemplate])).toEqual([[personId, true]]);
  await admin.delete(`/admin/people/${personId}/template`);
  for (const model of [OLD, NEW]) expect(await feed(`&model=${model}`)).toEqual([['erase', personId]]);
  expect((await report()).embedders).toEqual([]);
});
