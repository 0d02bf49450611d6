import { describe, expect, it } from 'vitest';
import type { ResultsAnswer } from '../../../src-contract/bank-api.ts';
import { id, type TestTerminal } from '../../support/test-terminal.ts';
import { onEachDatabase } from './banks.ts';

const MATCH = 'kaopass-match+jws';
const refusal = { outcome: 'refused', reason: 'nobody' } as const;

onEachDatabase((opened) => {
  const deliver = (terminal: TestTerminal, results: readonly string[]) =>
    terminal.post<ResultsAnswer>('/v1/results', { results });
  const chain = async (terminal: TestTerminal) =>
    (await opened().admin.get<{ results: number; verified: boolean }>(`/admin/chains/${terminal.terminalId}`)).body;
  const incidentsOf = async (terminal: TestTerminal) => {
    const { body } = await opened().admin.get<{
      incidents: { terminalId: string; code: string; occurrences: number }[];
    }>('/admin/incidents');
    return body.incidents
      .filter(({ terminalId }) => terminalId === terminal.terminalId)
      .map(({ code, occurrences }) => ({ code, occurrences }));
  };
  const links = async (terminal: TestTerminal, count: number) => {
    const jws: string[] = [];
    for (let link = 0; link < count; link += 1) jws.push((await terminal.nextResult(refusal)).jws);
    return jws;
  };

  it('are recorded in order, and known ones are known again', async () => {
    const terminal = await opened().terminal();
    const [one, two, three] = (await links(terminal, 3)) as [string, string, string];
    expect((await deliver(terminal, [one, two])).body).toEqual({ recorded: 2, alreadyKnown: 0, headSequence: 2 });
    expect((await deliver(terminal, [one, two, three])).body).toEqual({
      recorded: 1,
      alreadyKnown: 2,
      headSequence: 3,
    });
    expect((await deliver(terminal, [two])).body).toEqual({ recorded: 0, alreadyKnown: 1, headSequence: 3 });
    expect(await chain(terminal)).toMatchObject({ results: 3, verified: true, problem: null });
    expect(await incidentsOf(terminal)).toEqual([]);
  });

  it('are refused as a batch when one of them is bad', async () => {
    const terminal = await opened().terminal();
    const [one, , three] = (await links(terminal, 3)) as [string, string, string];
    expect(await deliver(terminal, [one, three])).toMatchObject({ status: 409, body: { code: 'result-gap' } });
    expect(await chain(terminal)).toMatchObject({ results: 0, verified: true });
  });

  it('leave one incident however often the same batch comes', async () => {
    const terminal = await opened().terminal();
    const [, two] = (await links(terminal, 2)) as [string, string];
    for (let repeat = 0; repeat < 3; repeat += 1) await deliver(terminal, [two]);
    expect(await incidentsOf(terminal)).toEqual([{ code: 'result-gap', occurrences: 3 }]);
  });

  it('are a fork when a known sequence has other content, or the predecessor is another', async () => {
    const terminal = await opened().terminal();
    const rewritten = terminal.describeResult(refusal);
    const [one] = (await links(terminal, 1)) as [string];
    await deliver(terminal, [one]);
    const second = await terminal.sign(JSON.stringify({ ...rewritten, resultId: id() }), MATCH);
    expect(await deliver(terminal, [second])).toMatchObject({ status: 409, body: { code: 'result-fork' } });
    const elsewhere = terminal.describeResult({ ...refusal, previousHash: 'x'.repeat(43) });
    const astray = await terminal.sign(JSON.stringify(elsewhere), MATCH);
    expect(await deliver(terminal, [astray])).toMatchObject({ status: 409, body: { code: 'result-fork' } });
    expect(await incidentsOf(terminal)).toEqual([
      { code: 'result-fork', occurrences: 1 },
      { code: 'result-fork', occurrences: 1 },
    ]);
    expect(await chain(terminal)).toMatchObject({ results: 1, verified: true });
  });

  it("are a replay under another terminal's name, or with a resultId used before", async () => {
    const [here, there] = [await opened().terminal(), await opened().terminal()];
    const { jws, resultId } = await here.nextResult(refusal);
    await deliver(here, [jws]);
    expect(await deliver(there, [jws])).toMatchObject({ status: 409, body: { code: 'result-replay' } });
    const again = await there.nextResult({ ...refusal, resultId });
    expect(await deliver(there, [again.jws])).toMatchObject({ status: 409, body: { code: 'result-replay' } });
    const later = await here.nextResult({ ...refusal, resultId });
    expect(await deliver(here, [later.jws])).toMatchObject({ status: 409, body: { code: 'result-replay' } });
    expect(await incidentsOf(there)).toHaveLength(2);
  });

  describe('with a bad signature', () => {
    it.each([
      [
        "another terminal's key",
        async (terminal: TestTerminal, another: TestTerminal) =>
          await another.sign(JSON.stringify(terminal.describeResult(refusal)), MATCH),
      ],
      [
        'another typ',
        async (terminal: TestTerminal) => await terminal.sign(JSON.stringify(terminal.describeResult(refusal)), 'JWT'),
      ],
      [
        "another terminal's id inside",
        async (terminal: TestTerminal, another: TestTerminal) =>
          await terminal.sign(
            JSON.stringify({ ...terminal.describeResult(refusal), terminalId: another.terminalId }),
            MATCH,
          ),
      ],
      [
        'a member too many',
        async (terminal: TestTerminal) =>
          await terminal.sign(JSON.stringify({ ...terminal.describeResult(refusal), face: 'AAAA' }), MATCH),
      ],
      [
        'one bit of the payload changed',
        async (terminal: TestTerminal) => {
          const [header, , signature] = (
            await terminal.sign(JSON.stringify(terminal.describeResult(refusal)), MATCH)
          ).split('.');
          const payload = Buffer.from(JSON.stringify(terminal.describeResult({ ...refusal, reason: 'no-face' })));
          return [header, payload.toString('base64url'), signature].join('.');
        },
      ],
    ])('(%s) are refused and looked at', async (_case, make) => {
      const [terminal, another] = [await opened().terminal(), await opened().terminal()];
      const answer = await deliver(terminal, [await make(terminal, another)]);
      expect(answer).toMatchObject({ status: 422, body: { code: 'result-bad-signature' } });
      expect(await incidentsOf(terminal)).toEqual([{ code: 'result-bad-signature', occurrences: 1 }]);
      expect(await chain(terminal)).toMatchObject({ results: 0 });
    });
  });

  it('arrive once when the same batch is sent by twenty at once', async () => {
    const terminal = await opened().terminal();
    const batch = await links(terminal, 10);
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(terminal, batch)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(answers.reduce((sum, { body }) => sum + body.recorded, 0)).toBe(10);
    expect(await chain(terminal)).toMatchObject({ results: 10, verified: true });
  });

  it('are listed and counted for the staff', async () => {
    const terminal = await opened().terminal();
    await deliver(terminal, await links(terminal, 2));
    const personId = await terminal.enrol('2749');
    await terminal.recognise('balance', personId, { transactionId: null, yen: null });
    const { body } = await opened().admin.get<{ terminals: { terminalId: string }[] }>('/admin/terminals');
    expect(body.terminals.find(({ terminalId }) => terminalId === terminal.terminalId)).toMatchObject({
      headSequence: 4,
      results: { accepted: 1, refused: 2, enrolled: 1 },
    });
    const { body: list } = await opened().admin.get<{ results: { sequence: number; outcome: string }[] }>(
      `/admin/results?terminalId=${terminal.terminalId}&after=2`,
    );
    expect(list.results.map(({ sequence, outcome }) => [sequence, outcome])).toEqual([
      [3, 'enrolled'],
      [4, 'accepted'],
    ]);
  });
});
