/**
 * Sequences of what a service may do wrong: malformed JSON, wrong types, messages above the limit, completions that are late,
 * doubled, of unknown requests or of another command, events out of order, silence, lost connections. Whatever happens: nothing
 * throws, every command resolves exactly once, and a success is only ever told when the service said so for that very command.
 *
 * KAOPASS_FUZZ_RUNS sets the number of sequences (default 1,000). A failure prints the seed and path that replay it.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../tests/contract/devices/virtual-clock.ts';
import { answerQueries, bench, DISPENSER_URI, settled } from './bench.fixture.ts';
import type { Completion } from './completion.ts';
import { DISPENSER, PIN_DEVICE, type Sent } from './memory-machine.fixture.ts';

const RUNS = Number(process.env['KAOPASS_FUZZ_RUNS'] ?? 1_000);
const BYTES_MAX = 2 * 1024 * 1024;
/** Each call is numbered, in its payload and in the answer to it, so that an answer to another call would show. */
const CALLS = {
  'CashDispenser.Dispense': {
    payload: (call: number) => ({
      denomination: { denomination: { service: { currencies: { JPY: 1_000 }, mix: 'mix1' } } },
      token: String(call),
    }),
    callOf: ({ payload }: Sent) => Number(payload['token']),
    answer: (call: number) => ({ bunches: String(call) }),
  },
  'CashDispenser.GetPresentStatus': {
    payload: (call: number) => ({ nonce: String(call) }),
    callOf: ({ payload }: Sent) => Number(payload['nonce']),
    answer: (call: number) => ({ presentState: 'presented', token: String(call) }),
  },
  'Keyboard.PinEntry': {
    payload: (call: number) => ({ minLen: call, maxLen: 99, activeKeys: { enter: { terminate: true } } }),
    callOf: ({ payload }: Sent) => Number(payload['minLen']),
    answer: (call: number) => ({ digits: call, completion: 'enter' }),
  },
};
type Name = keyof typeof CALLS;
const NAMES = Object.keys(CALLS) as Name[];
const TABLE = { ...DISPENSER, ...PIN_DEVICE };

const tooLarge = `{"header":{"type":"completion","name":"CashDispenser.Dispense","requestId":4},"payload":{"x":"${'x'.repeat(BYTES_MAX)}"}}`;
const tooDeep = `{"header":{"type":"completion","name":"CashDispenser.Dispense","requestId":4},"payload":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`;

const which = fc.nat({ max: 5 });
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.constant([]),
  fc.constant({}),
);
const code = fc.constantFrom(
  'success',
  null,
  undefined,
  'canceled',
  'timeOut',
  'hardwareError',
  'commandErrorCode',
  'gremlins',
  7,
  {},
);
const eventName = fc.constantFrom(
  'Common.StatusChangedEvent',
  'Storage.CountsChangedEvent',
  'Storage.StorageErrorEvent',
  'CashManagement.ItemsTakenEvent',
  'CashAcceptor.SubCashInEvent',
  'Keyboard.KeyEvent',
  'Vendor.GremlinEvent',
);
const eventPayload = fc.oneof(
  scalar,
  fc.constant({ common: { device: 'offline' } }),
  fc.constant({ unit3: { cash: { status: { out: { presented: { type1000JPY1: { fit: 3 } } } } } } }),
  fc.dictionary(fc.constantFrom('common', 'unit3', 'position', 'failure', '__proto__', 'constructor'), scalar),
);

/** One thing that happens. `which` picks among the commands received so far. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('command' as const),
      name: fc.constantFrom(...NAMES),
      timeoutMs: fc.integer({ min: 1, max: 3_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('acknowledge' as const),
      which,
      status: fc.constantFrom(
        undefined,
        null,
        'ok',
        'tooManyRequests',
        'invalidRequestID',
        'invalidMessage',
        'maybe',
        3,
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('complete' as const),
      which,
      code,
      payload: fc.oneof({ weight: 3, arbitrary: fc.constant('fitting' as const) }, scalar),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('misaddress' as const),
      which,
      by: fc.constantFrom('name', 'number', 'nothing', 'type'),
      as: fc.constantFrom(...NAMES),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      which,
      to: fc.constantFrom('request', 'everybody', 'stranger'),
      name: eventName,
      payload: eventPayload,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      text: fc.oneof(fc.string(), fc.json(), fc.constantFrom('{', '', '{"header":{}}', '{"header":null}', tooDeep)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), downMs: fc.integer({ min: 0, max: 3_000 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('spoil' as const),
      name: fc.constantFrom('Common.Capabilities', 'Common.Status', 'Storage.GetStorage'),
      how: fc.constantFrom('silent', 'failing', 'unfit', 'dropping', 'telling'),
      payload: eventPayload,
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);
beforeAll(() => void process.on('unhandledRejection', onRejection));
afterAll(() => void process.off('unhandledRejection', onRejection));

/** How commands ended over all sequences: shows that the sequences reach what they are meant to reach. */
const seen = new Map<string, number>();
const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

async function play(steps: readonly Step[], large: boolean): Promise<void> {
  const clock = new VirtualClock();
  const limits = {
    answerMarginMs: 500,
    cancelMs: 500,
    retryMs: 100,
    retryMsMax: 1_000,
    queryMs: 500,
    outstandingMax: 8,
  };
  const { client, service, device, late, letters } = await bench(clock, TABLE, { limits });
  for (const name of NAMES) device.on(name, () => {});
  const stop = new AbortController();
  /** Calls to which the service said success, where a connection was left to say it on. */
  const granted = new Set<number>();
  const aborts: AbortController[] = [];
  const completions: Promise<Completion<Name>>[] = [];
  const received = () =>
    device.lines.flatMap((line) =>
      line.sent
        .filter(({ header }) => header.name in CALLS)
        .map((sent) => ({ line, sent, name: sent.header.name as Name })),
    );
  const pick = (index: number) => received().at(-1 - index);

  const act: { [K in Step['do']]: (one: Extract<Step, { do: K }>) => unknown } = {
    command: ({ name, timeoutMs }) => {
      const abort = new AbortController();
      const payload = CALLS[name].payload(aborts.push(abort));
      completions.push(service.command(name, payload as never, { timeoutMs, signal: abort.signal, onEvent: () => {} }));
    },
    abort: ({ which: index }) => aborts.at(-1 - index)?.abort(),
    acknowledge: ({ which: index, status }) => {
      const one = pick(index);
      one?.line.say({ header: { ...one.sent.header, type: 'acknowledge', status } });
    },
    complete: ({ which: index, code: completionCode, payload }) => {
      const one = pick(index);
      if (!one) return;
      const { line, sent, name } = one;
      const call = CALLS[name].callOf(sent);
      const fits = payload === 'fitting';
      const empty = payload === null || JSON.stringify(payload) === '{}';
      if (line.open && (fits || empty) && (completionCode ?? 'success') === 'success') granted.add(call);
      line.say({
        header: { ...sent.header, type: 'completion', completionCode },
        payload: fits ? CALLS[name].answer(call) : payload,
      });
    },
    misaddress: ({ which: index, by, as }) => {
      const one = pick(index);
      if (!one) return;
      const { line, sent } = one;
      const wrong = {
        name: { name: as === sent.header.name ? 'Printer.Reset' : as },
        number: { requestId: sent.header.requestId + 1_000 },
        nothing: { requestId: null },
        type: { type: 'command' },
      }[by];
      const header = { ...sent.header, type: 'completion', completionCode: 'success', ...wrong };
      line.say({ header, payload: CALLS[as].answer(0) });
    },
    event: ({ which: index, to, name, payload }) => {
      const one = pick(index);
      const requestId = { request: one?.sent.header.requestId ?? 1, everybody: null, stranger: 77_777 }[to];
      (one?.line ?? device.line).say({ header: { type: 'event', name, version: '2.0', requestId }, payload });
    },
    say: ({ text }) => device.line.sayText(text),
    drop: ({ downMs }) => {
      device.down = true;
      clock.after(downMs, () => {
        device.down = false;
      });
      device.line.drop();
    },
    wait: ({ ms }) => clock.sleep(ms, stop.signal),
    // What is asked while connecting goes wrong, until the end of the sequence.
    spoil: ({ name, how, payload }) => {
      device.on(name, (command, line) => {
        if (how === 'dropping') line.drop();
        else if (how === 'failing') line.fail(command, 'hardwareError');
        else if (how === 'unfit') line.say({ header: { ...command.header, type: 'completion' }, payload });
        else if (how === 'telling') line.unsolicited('Common.StatusChangedEvent', payload as never);
      });
    },
    refresh: () => void service.refresh(stop.signal).catch(() => count('refresh rejected')),
  };

  for (const one of steps) {
    await act[one.do](one as never);
    await settled();
  }
  if (large) device.line.sayText(tooLarge);

  // Each resolves; a success is the answer to this very call, and the service gave it.
  for (const [index, completion] of (await Promise.all(completions)).entries()) {
    count(completion.code);
    if (completion.code === 'success') expectGranted(granted, index + 1, completion.payload);
  }
  for (const { completion } of late) {
    count('late');
    const call = completion.code === 'success' ? callIn(completion.payload) : Number.NaN;
    if (!Number.isNaN(call)) expectGranted(granted, call, completion.payload);
  }
  for (const { reason } of letters) count(reason);
  expect(client.deadLetters().length).toBeLessThanOrEqual(100);

  // And when the faults end, the service is there again with the truth about itself.
  device.down = false;
  answerQueries(device, TABLE);
  await client.rediscover(stop.signal);
  const deadline = clock.monotonicMs() + 60_000;
  while (service.state() !== 'connected' && clock.monotonicMs() < deadline) await clock.sleep(100, stop.signal);
  // Spoiled capabilities, once read, stay until the next connection.
  if (!service.supports('CashDispenser.Reject')) {
    device.line.drop();
    await settled();
    while (service.state() !== 'connected' && clock.monotonicMs() < deadline) await clock.sleep(100, stop.signal);
  }
  await service.refresh(stop.signal);
  expect([service.state(), service.status().fresh, service.uri]).toEqual(['connected', true, DISPENSER_URI]);
  device.answers('CashDispenser.Reject');
  const last = await service.command('CashDispenser.Reject', null, { timeoutMs: 1_000, signal: stop.signal });
  expect(last.code).toBe('success');
  await client.close();
  expect(rejections).toEqual([]);
}

const callIn = (payload: object) => {
  const { bunches, token, digits } = payload as { bunches?: string; token?: string; digits?: number };
  return Number(bunches ?? token ?? digits);
};

function expectGranted(granted: ReadonlySet<number>, call: number, payload: object): void {
  expect(granted, `a success of call ${call} that the service never gave`).toContain(call);
  // Some successes come without a payload.
  const answered = callIn(payload);
  expect(Number.isNaN(answered) ? call : answered, `the answer to call ${call}`).toBe(call);
}

describe('sequences of messages', () => {
  it(
    `of ${RUNS} kinds: nothing throws, each command resolves once, no answer is made up`,
    async () => {
      let run = 0;
      const sequences = (numRuns: number) =>
        fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
            run += 1;
            // 2 MiB of text takes longer than the rest of a sequence.
            await play(steps as Step[], run % 50 === 0);
          }),
          { numRuns },
        );
      await sequences(RUNS);
      const reached = [
        'success',
        'canceled',
        'unknown',
        'invalidMessage',
        'connectionLost',
        'noAnswer',
        'notSent',
        'tooManyRequests',
        'late',
      ];
      const letters = [
        'malformed',
        'invalidEnvelope',
        'invalidPayload',
        'tooLarge',
        'unknownRequest',
        'duplicate',
        'nameMismatch',
      ];
      const all = [...reached, ...letters];
      // What chance left out is looked for, so that none of it fails a test of a client that is right.
      for (let more = 0; more < 20 && !all.every((one) => seen.has(one)); more++) await sequences(100);
      expect([...seen.keys()]).toEqual(expect.arrayContaining(all));
    },
    60_000 + RUNS * 60,
  );
});
