/**
 * Moves a person to the newest embedder by the look they were just recognised by under the one before: with the right PIN, nobody near, and
 * frames that would do for an enrolment (gallery.movesOver). The message goes first and has no template in it: that stays in the gallery,
 * sealed, and is sent from there (sync/drain.ts). Cut in between, the message finds none, and the person is moved at another visit.
 */
import type { Uuid } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import type { Person } from './outcomes.ts';
import type { StepPorts } from './ports.ts';

/** @param transactionId what the right PIN was entered for. */
export function moveOver(ports: StepPorts, { personId, resultId, moves }: Person, transactionId: Uuid): void {
  if (!moves) return;
  const template = ports.gallery.protectedTemplate(moves);
  const { modelSha256 } = template;
  try {
    ports.journal.queueRenewal({ idempotencyKey: ports.chance.id(), personId, transactionId, resultId, modelSha256 });
    ports.gallery.put(personId, template, null);
  } catch (error) {
    // A disk that is full stops nobody's visit: the old template is there still.
    if (!(error instanceof TerminalError)) throw error;
    return;
  }
  ports.sync.soon();
}
