/** Wrong PINs at the bank: they count against who tried and not against who was claimed, and guessing is still stopped. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ATTEMPTS_DEFAULT } from '../../../src-contract/attempts.ts';
import type { TestTerminal } from '../../support/test-terminal.ts';
import { onPostgres } from './banks.ts';

const PIN = '2749';
const WRONG = '1357';
const DAY_MS = 24 * 60 * 60 * 1000;
const newFace = () => randomBytes(16).toString('base64url');

onPostgres((opened) => {
  const terminal = () => opened().terminal();
  const tries = async (at: TestTerminal, personId: string, face: string | null, pin: string | null) => {
    const service = pin === null ? 'purchase' : 'withdraw';
    const request = await at.authoriseRequest(service, personId, { yen: 1_000, pin, face });
    const { body } = await at.post<{ outcome: string; reason?: string; attemptsLeft?: number | null }>(
      '/v1/authorisations',
      request,
    );
    return body.outcome === 'approved' ? 'approved' : `${body.reason} ${body.attemptsLeft}`;
  };
  const state = async (personId: string) => {
    const { body } = await opened().admin.get<{ people: { personId: string; pin: object }[] }>('/admin/people');
    return body.people.find((one) => one.personId === personId)?.pin;
  };
  const owner = async (at: TestTerminal) => {
    const face = newFace();
    return { face, personId: await at.enrol(PIN, { yen: 100_000, face }) };
  };

  describe('a stranger’s wrong PINs', () => {
    it('lock the stranger’s pair; the owner gets in at the same terminal and at another, with or without a PIN', async () => {
      const [lobby, other] = [await terminal(), await terminal()];
      const { face, personId } = await owner(lobby);
      const stranger = newFace();
      expect(await tries(lobby, personId, stranger, WRONG)).toBe('pin-wrong 2');
      expect(await tries(lobby, personId, stranger, WRONG)).toBe('pin-wrong 1');
      expect(await tries(lobby, personId, stranger, WRONG)).toBe('pin-locked 0');
      expect(await tries(lobby, personId, stranger, PIN)).toBe('pin-locked 0');
      expect(await tries(lobby, personId, stranger, null)).toBe('pin-locked 0');
      for (const at of [lobby, other]) {
        expect(await tries(at, personId, face, PIN)).toBe('approved');
        expect(await tries(at, personId, face, null)).toBe('approved');
      }
      expect(await state(personId)).toEqual({ failures: 3, lockedPairs: 1, onlyProven: false });
    });

    it('run into the cap for one person, wherever and under however many faces; the owner still gets in anywhere', async () => {
      const [lobby, evil, far] = [await terminal(), await terminal(), await terminal()];
      const { face, personId } = await owner(lobby);
      const said: string[] = [];
      for (let n = 0; n < 14; n += 1) said.push(await tries(n % 2 ? evil : lobby, personId, newFace(), WRONG));
      expect(said.filter((one) => one.startsWith('pin-wrong'))).toHaveLength(ATTEMPTS_DEFAULT.perPersonInWindow);
      expect(said.slice(-4)).toEqual(Array(4).fill('pin-locked 0'));
      expect(await tries(lobby, personId, newFace(), PIN)).toBe('pin-locked 0');
      expect(await tries(far, personId, face, PIN)).toBe('approved');
      expect(await state(personId)).toMatchObject({ onlyProven: true });
    });

    it('are stopped for good after so many in all, until staff unlock', async () => {
      const lobby = await terminal();
      const { face, personId } = await owner(lobby);
      let compared = 0;
      for (let day = 0; day < 6; day += 1) {
        opened().clock.ms += DAY_MS + 1;
        for (let n = 0; n < ATTEMPTS_DEFAULT.perPersonInWindow + 1; n += 1) {
          if ((await tries(lobby, personId, newFace(), WRONG)).startsWith('pin-wrong')) compared += 1;
        }
      }
      expect(compared).toBe(ATTEMPTS_DEFAULT.perPersonEver);
      expect(await tries(lobby, personId, face, PIN)).toBe('approved');
      await opened().admin.post(`/admin/people/${personId}/pin-unlock`);
      expect(await tries(lobby, personId, newFace(), WRONG)).toBe('pin-wrong 2');
    });

    it('for many people with one face are one face’s', async () => {
      const lobby = await terminal();
      const stranger = newFace();
      const people = [];
      for (let n = 0; n < 5; n += 1) people.push((await owner(lobby)).personId);
      const said = [];
      for (const personId of people) said.push(await tries(lobby, personId, stranger, WRONG));
      expect(said.map((one) => one.split(' ')[0])).toEqual([...Array(3).fill('pin-wrong'), 'pin-locked', 'pin-locked']);
    });

    it('at one terminal that makes up faces and people are bounded', async () => {
      const [lobby, evil] = [await terminal(), await terminal()];
      const people = [];
      for (let n = 0; n < 6; n += 1) people.push(await owner(lobby));
      let compared = 0;
      for (let n = 0; n < 60; n += 1) {
        if ((await tries(evil, people[n % 6]!.personId, newFace(), WRONG)).startsWith('pin-wrong')) compared += 1;
      }
      expect(compared).toBe(ATTEMPTS_DEFAULT.perTerminalInWindow);
      for (const { face, personId } of people) expect(await tries(lobby, personId, face, PIN)).toBe('approved');
    });
  });

  describe('the owner', () => {
    it('who mistypes too often has locked that terminal for a day, and not the others', async () => {
      const [lobby, other] = [await terminal(), await terminal()];
      const { face, personId } = await owner(lobby);
      for (const left of ['pin-wrong 2', 'pin-wrong 1', 'pin-locked 0']) {
        expect(await tries(lobby, personId, face, WRONG)).toBe(left);
      }
      expect(await tries(lobby, personId, face, PIN)).toBe('pin-locked 0');
      expect(await tries(other, personId, face, PIN)).toBe('approved');
      opened().clock.ms += DAY_MS + 1;
      expect(await tries(lobby, personId, face, PIN)).toBe('approved');
      // Not a stranger's tries: they use up no cap.
      expect(await state(personId)).toMatchObject({ failures: 0 });
    });

    it('is waited for twice as long each time, so that who feigns the owner’s own face gains little', async () => {
      const evil = await terminal();
      const { face, personId } = await owner(evil);
      let compared = 0;
      for (let day = 0; day < 30; day += 1) {
        for (let n = 0; n < 4; n += 1) {
          // The last of three that is compared is answered as locked.
          if ((await tries(evil, personId, face, WRONG)) === 'pin-wrong 1') compared += 3;
        }
        opened().clock.ms += DAY_MS + 1;
      }
      expect(compared).toBe(15);
    });

    it('whose face was never proven is a stranger, and has a stranger’s tries, until the right PIN', async () => {
      const lobby = await terminal();
      const { personId } = await owner(lobby);
      const inBadLight = newFace();
      for (let n = 0; n < 3; n += 1) {
        expect(await tries(lobby, personId, inBadLight, WRONG)).toBe('pin-wrong 2');
        expect(await tries(lobby, personId, inBadLight, PIN)).toBe('approved');
      }
    });
  });

  it('a terminal that tells no faces apart has one pair a person, which is never proven', async () => {
    const old = await terminal();
    const { personId } = await owner(old);
    expect(await tries(old, personId, null, PIN)).toBe('approved');
    for (const left of ['pin-wrong 2', 'pin-wrong 1', 'pin-locked 0']) {
      expect(await tries(old, personId, null, WRONG)).toBe(left);
    }
    expect(await tries(old, personId, null, PIN)).toBe('pin-locked 0');
  });
});
