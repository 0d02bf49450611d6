/** Writes to a journal without end, and says what was recorded once it was. For journal-crash.test.ts, which kills it. */
import { writeSync } from 'node:fs';
import { money, Uuid } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { exampleResult, fakeSigner } from '../../src-main/journal/journal.fixture.ts';
import { openJournal } from '../../src-main/journal/journal.ts';

const [, , path, terminalId] = process.argv;
const journal = openJournal({
  path: path!,
  clock: systemClock,
  chance: systemChance,
  signer: fakeSigner(Uuid.parse(terminalId)),
  onAlarm: () => {},
});
const id = () => systemChance.id();
for (;;) {
  const transactionId = id();
  journal.begin({ transactionId, service: 'withdraw', personId: id(), amount: money(20_000) });
  journal.record(transactionId, { state: 'dispensing' });
  const { sequence } = await journal.recordResult(exampleResult({ transactionId }));
  // Synchronous, or an acknowledgement could still be in this process when it is killed.
  writeSync(1, `result ${sequence}\n`);
  journal.record(transactionId, { state: 'reversed', final: true }, [
    {
      kind: 'reversal',
      body: { idempotencyKey: id(), authorisationKey: id(), reason: transactionId, proof: null, priorProof: null },
    },
  ]);
  writeSync(1, `final ${transactionId}\n`);
}
