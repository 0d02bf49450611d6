/** What the shared steps' answers mean for the service that asked. Pure. */
import type { Service } from '../../src-contract/primitives.ts';
import { type Authorised, DECLINE_SORRY } from './authorise.ts';
import type { Identified } from './identify.ts';
import type { PinStep } from './pin.ts';
import { type Outcome, sorry } from './step.ts';

export type Person = Extract<Identified, { outcome: 'accepted' }>;

export function accepted(identified: Identified): Person | null {
  return identified.outcome === 'accepted' ? identified : null;
}

export function wantsPin(identified: Identified): boolean {
  return identified.outcome === 'accepted' && identified.secondFactor === 'pin';
}

/** How a look that recognised nobody ends a service. */
export function unidentified(service: Service, identified: Identified): Outcome {
  switch (identified.outcome) {
    case 'refused':
      return sorry(service, identified.reason);
    case 'unavailable':
      return sorry(service, identified.code);
    default:
      return { kind: 'cancelled' };
  }
}

export function entered(step: PinStep): string | null {
  return step.outcome === 'entered' ? step.pinBlock : null;
}

/** How a service ends whose PIN was not entered. */
export function withoutPin(service: Service, step: PinStep): Outcome {
  return sorry(service, step.outcome === 'unavailable' ? 'device-unavailable' : 'pin-cancelled');
}

/** No nonce: the dispenser wants a token, and does not say for what. */
type Answered = Authorised | { readonly outcome: 'no-nonce' };

export function wrongPinWithMoreTries(authorised: Answered): boolean {
  return authorised.outcome === 'declined' && authorised.reason === 'pin-wrong' && (authorised.attemptsLeft ?? 0) > 0;
}

export function notAuthorised(service: 'withdraw' | 'purchase', authorised: Answered): Outcome {
  if (authorised.outcome === 'declined') return sorry(service, DECLINE_SORRY[authorised.reason]);
  return sorry(service, authorised.outcome === 'no-nonce' ? 'device-unavailable' : 'offline-service');
}
