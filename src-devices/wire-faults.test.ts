import { afterEach, describe, expect, test } from 'vitest';
import { type CashBench, codeOf, expectSound, openCashBench, yen } from './cash/cash-bench.ts';

let bench: CashBench;
const arm = async (fault: { fault: string; [parameter: string]: unknown }) => {
  bench = await openCashBench();
  bench.atm.faults.arm(fault);
  return bench;
};
afterEach(async () => {
  expectSound(bench);
  await bench.close();
});

const DISPENSE = 'CashDispenser.Dispense';
const completions = () => bench.client.heard.filter(({ header }) => header.type === 'completion');

describe('faults between service and client (22.9)', () => {
  test('slowCompletion: later than the time-out, and what was done is done', async () => {
    const { client, hands } = await arm({ fault: 'slowCompletion', command: DISPENSE, delayMs: 60 });
    const completion = client.command(DISPENSE, yen(10_000), { timeout: 20 });
    await client.event('Storage.CountsChangedEvent');
    expect(completions()).toEqual([]);
    expect(codeOf(await completion)).toBe('success');
    expect(hands.where().places.stacker).toEqual({ 'type10000JPY1/fit': 1 });
  });

  test('lateResult: a Cancel that is not heard', async () => {
    const { client } = await arm({ fault: 'lateResult', command: 'CashAcceptor.CashIn' });
    await client.command('CashAcceptor.CashInStart', { useRecycleUnits: true });
    const id = client.send('CashAcceptor.CashIn');
    await client.event('CashAcceptor.InsertItemsEvent');
    expect(codeOf(await client.command('Common.Cancel', { requestIds: [id] }))).toBe('success');
    await bench.hands.insertWhenOpen([{ value: 1_000, count: 1 }]);
    expect(codeOf(await client.completion(id))).toBe('success');
  });

  test('connectionDrop before the act: nothing moved, and nobody was told', async () => {
    const { client, connect, hands } = await arm({ fault: 'connectionDrop', command: DISPENSE, when: 'beforeAct' });
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    client.send(DISPENSE, yen(10_000));
    await closed;
    const again = await connect();
    const { presentState } = (await again.command('CashDispenser.GetPresentStatus')).payload;
    expect(presentState).toBe('notPresented');
    expect(completions()).toEqual([]);
    expect(hands.where().places.stacker).toEqual({});
  });

  test('connectionDrop after the act: the notes moved and nobody was told', async () => {
    const { client, connect, hands } = await arm({ fault: 'connectionDrop', command: DISPENSE, when: 'afterAct' });
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    client.send(DISPENSE, yen(10_000));
    await closed;
    expect(completions()).toEqual([]);
    expect(hands.where().places.stacker).toEqual({ 'type10000JPY1/fit': 1 });
    expect(codeOf(await (await connect()).command('CashDispenser.Reject'))).toBe('success');
  });

  test('missingEvent and duplicateEvent', async () => {
    const { atm, client } = await arm({ fault: 'missingEvent', event: 'Storage.CountsChangedEvent' });
    atm.faults.arm({ fault: 'duplicateEvent', event: 'Common.StatusChangedEvent' });
    await client.command(DISPENSE, yen(10_000));
    expect(client.events()).toEqual(['Common.StatusChangedEvent', 'Common.StatusChangedEvent']);
  });

  test('missingCompletion', async () => {
    const { client } = await arm({ fault: 'missingCompletion', command: DISPENSE });
    client.send(DISPENSE, yen(10_000));
    await client.command('CashDispenser.GetPresentStatus');
    expect(completions().map(({ header }) => header.name)).toEqual(['CashDispenser.GetPresentStatus']);
  });

  test('duplicateCompletion and strayCompletion', async () => {
    const { atm, client } = await arm({ fault: 'duplicateCompletion', command: DISPENSE });
    atm.faults.arm({ fault: 'strayCompletion', command: DISPENSE });
    const id = client.send(DISPENSE, yen(10_000));
    await client.command('Common.Status');
    await client.command('CashDispenser.GetPresentStatus');
    const ids = completions().map(({ header }) => header.requestId);
    expect(ids.filter((each) => each === id)).toHaveLength(2);
    expect(ids.filter((each) => Number(each) > 1_000_000_000)).toHaveLength(1);
  });

  test('garbage before a completion that is whole', async () => {
    const { client } = await arm({ fault: 'garbage', command: DISPENSE, text: '{"header":' });
    const texts: string[] = [];
    client.socket.on('message', (data) => texts.push(String(data)));
    expect(codeOf(await client.command(DISPENSE, yen(10_000)))).toBe('success');
    expect(texts).toContain('{"header":');
  });

  test('unknownFields', async () => {
    const { client } = await arm({ fault: 'unknownFields', command: DISPENSE });
    const completion = await client.command(DISPENSE, yen(10_000));
    expect(completion.header).toHaveProperty('x-edition');
    expect(completion.payload).toHaveProperty('vendorSpecific');
    expect(codeOf(completion)).toBe('success');
  });

  test('deviceFailure: any of the general completion codes', async () => {
    const { client } = await arm({ fault: 'deviceFailure', command: DISPENSE, code: 'userError' });
    expect(codeOf(await client.command(DISPENSE, yen(10_000)))).toBe('userError');
    expect(codeOf(await client.command(DISPENSE, yen(10_000)))).toBe('success');
  });
});
