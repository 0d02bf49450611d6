/** PIN blocks of ISO 9564-1 format 4, under a working key that a terminal's PIN pad and the bank share. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AuthoriseAnswer, EnrolAnswer } from '../../../src-contract/bank-api.ts';
import { encipherPinBlock } from '../../../src-devices/pin/pin-block.ts';
import { accountDigits } from '../../../src-main/devices/xfs4iot/pin-pad.ts';
import { id, type TestTerminal } from '../../support/test-terminal.ts';
import { onPostgres } from './banks.ts';

const PIN = '2749';
const KEY = { name: 'PIN key 1', key: '00112233445566778899aabbccddeeff' };

/** What an encrypting pad makes of the digits. */
function padBlock(pin: string, boundTo: string, { name, key } = KEY): string {
  const block = encipherPinBlock(
    Uint8Array.from(pin, Number),
    { format: 'iso4', customerData: accountDigits(boundTo), key: Buffer.from(key, 'hex') },
    (bytes) => new Uint8Array(randomBytes(bytes)),
  );
  return `iso4.${Buffer.from(name).toString('base64url')}.${block.toString('base64url')}`;
}

onPostgres((opened) => {
  const setKey = ({ terminalId }: TestTerminal, key: object = KEY) =>
    opened().admin.post(`/admin/terminals/${terminalId}/pin-keys`, key);

  describe('a terminal with an encrypting PIN pad', () => {
    it('enrols and authorises with format 4 blocks', async () => {
      const terminal = await opened().terminal();
      expect(await setKey(terminal)).toMatchObject({ status: 200, body: { name: KEY.name } });
      const personId = id();
      const pinBlocks = [padBlock(PIN, personId), padBlock(PIN, personId)];
      const enrolled = await terminal.post<EnrolAnswer>(
        '/v1/enrolments',
        await terminal.enrolRequest(PIN, { personId, pinBlocks }),
      );
      expect(enrolled.body).toMatchObject({ outcome: 'enrolled' });
      const request = await terminal.authoriseRequest('balance', personId, { yen: null, pin: PIN });
      const ask = (pinBlock: string) =>
        terminal.post<AuthoriseAnswer>('/v1/authorisations', { ...request, idempotencyKey: id(), pinBlock });
      expect((await ask(padBlock('1593', request.transactionId))).body).toMatchObject({ reason: 'pin-wrong' });
      const right = padBlock(PIN, request.transactionId);
      expect((await ask(right)).body).toMatchObject({ outcome: 'approved' });
      expect(await ask(right), 'used before').toMatchObject({ status: 400, body: { field: 'pinBlock' } });
    });

    it.each([
      ['bound to another transaction', () => padBlock(PIN, id())],
      ['under a key the bank does not have', (bound: string) => padBlock(PIN, bound, { ...KEY, name: 'PIN key 2' })],
      ['under another value of the key', (bound: string) => padBlock(PIN, bound, { ...KEY, key: 'ff'.repeat(16) })],
      ['of another shape', () => `iso4.UElO.${'A'.repeat(21)}`],
    ])('is refused a block %s, and no try is counted', async (_, block) => {
      const terminal = await opened().terminal();
      await setKey(terminal);
      const personId = await terminal.enrol(PIN);
      const request = await terminal.authoriseRequest('balance', personId, { yen: null, pin: PIN });
      const answer = await terminal.post('/v1/authorisations', { ...request, pinBlock: block(request.transactionId) });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
      expect(JSON.stringify(answer.body)).not.toContain(PIN);
      expect((await terminal.post('/v1/authorisations', request)).body).toMatchObject({ outcome: 'approved' });
    });

    it('is refused another terminal’s key, and its own can be changed', async () => {
      const [terminal, another] = [await opened().terminal(), await opened().terminal()];
      await setKey(another);
      const personId = await terminal.enrol(PIN);
      const request = await terminal.authoriseRequest('balance', personId, { yen: null, pin: PIN });
      const send = (block: string) => terminal.post('/v1/authorisations', { ...request, pinBlock: block });
      expect((await send(padBlock(PIN, request.transactionId))).status).toBe(400);
      await setKey(terminal);
      const key = '11'.repeat(32);
      await setKey(terminal, { ...KEY, key });
      expect((await send(padBlock(PIN, request.transactionId))).status).toBe(400);
      expect((await send(padBlock(PIN, request.transactionId, { ...KEY, key }))).status).toBe(200);
    });

    it('has keys of AES length alone, and a place for them at the bank', async () => {
      const terminal = await opened().terminal();
      expect(await setKey(terminal, { ...KEY, key: '00' })).toMatchObject({ status: 400, body: { field: 'key' } });
      expect((await opened().admin.post(`/admin/terminals/${id()}/pin-keys`, KEY)).status).toBe(404);
    });
  });
});
