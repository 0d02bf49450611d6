import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../tests/contract/devices/virtual-clock.ts';
import { type Bench, bench, settled, steady } from './bench.fixture.ts';
import { DISPENSER, type MemoryService } from './memory-machine.fixture.ts';
import { merged } from './merge.ts';

let open: Bench | null = null;
afterEach(() => open?.client.close());

const STATUS = {
  common: { device: 'online', exchange: 'inactive' },
  cashDispenser: {
    intermediateStacker: 'empty',
    positions: [
      { position: 'outCenter', shutter: 'closed', positionStatus: 'empty' },
      { position: 'outLeft', shutter: 'closed', positionStatus: 'empty' },
    ],
  },
};
const STORAGE = {
  storage: {
    unit3: {
      status: 'ok',
      cash: {
        configuration: { currency: 'JPY', value: 10_000 },
        status: {
          initial: { type10000JPY1: { fit: 200 } },
          out: { presented: { type10000JPY1: { fit: 3 } }, rejected: { unrecognized: 1 } },
        },
      },
    },
  },
};

async function dispenser() {
  const clock = new VirtualClock();
  const prepare = (device: MemoryService) =>
    device.answers('Common.Status', STATUS).answers('Storage.GetStorage', STORAGE);
  open = await bench(clock, DISPENSER, { prepare });
  return open;
}

describe('the mirror of the status', () => {
  it('merges what changed: positions by their position, missing and null unchanged', async () => {
    const { service, device } = await dispenser();
    let changes = 0;
    service.onChange(() => {
      changes += 1;
    });
    device.line.unsolicited('Common.StatusChangedEvent', {
      common: { device: null },
      cashDispenser: { positions: [{ position: 'outCenter', shutter: 'open', positionStatus: 'notEmpty' }] },
    });
    device.line.unsolicited('Common.StatusChangedEvent', { cashDispenser: { intermediateStacker: 'notEmpty' } });
    await settled();
    expect(service.status()).toEqual({
      common: { device: 'online', exchange: 'inactive' },
      cashDispenser: {
        intermediateStacker: 'notEmpty',
        positions: [
          { position: 'outCenter', shutter: 'open', positionStatus: 'notEmpty' },
          { position: 'outLeft', shutter: 'closed', positionStatus: 'empty' },
        ],
      },
      fresh: true,
    });
    expect(changes).toBe(2);
  });

  it('is not touched by a change that cannot be read', async () => {
    const { service, device, letters } = await dispenser();
    const before = service.status();
    device.line.unsolicited('Common.StatusChangedEvent', { common: { device: 'offline' }, cashDispenser: 'open' });
    device.line.unsolicited('Common.StatusChangedEvent', JSON.parse('{"common":{"__proto__":{"device":"offline"}}}'));
    await settled();
    expect(service.status()).toEqual(before);
    expect(letters.map(({ reason }) => reason)).toEqual(['invalidPayload']);
    expect(({} as { device?: string }).device).toBeUndefined();
  });

  it('keeps a change that arrives while it is being read', async () => {
    const { service, device } = await dispenser();
    device.on('Common.Status', (command, line) => {
      line.acknowledge(command);
      line.unsolicited('Common.StatusChangedEvent', { cashDispenser: { intermediateStacker: 'notEmpty' } });
      line.complete(command, STATUS);
    });
    await service.refresh(steady());
    expect(service.status().cashDispenser?.intermediateStacker).toBe('notEmpty');
  });

  it('forgets on reading what the service no longer has', async () => {
    const { service, device } = await dispenser();
    device.answers('Common.Status', { common: { device: 'offline' } });
    await service.refresh(steady());
    expect(service.status()).toEqual({ common: { device: 'offline' }, fresh: true });
  });

  it('is read again after an error of a command, but not after a query or a refusal', async () => {
    const { service, device } = await dispenser();
    const reads = () => device.received.filter(({ header }) => header.name === 'Common.Status').length;
    const run = async (name: 'CashDispenser.Present' | 'CashDispenser.GetPresentStatus', code: string) => {
      device.on(name, (command, line) => line.fail(command, code));
      await service.command(name, null, { timeoutMs: 1_000, signal: steady() });
      await settled();
      await settled();
    };
    await run('CashDispenser.Present', 'unsupportedCommand');
    await run('CashDispenser.GetPresentStatus', 'hardwareError');
    expect(reads()).toBe(1);
    await run('CashDispenser.Present', 'hardwareError');
    expect(reads()).toBe(2);
  });

  it('is not fresh when the service does not tell it any more', async () => {
    const { service, device } = await dispenser();
    device.on('Common.Status', (command, line) => line.fail(command, 'internalError'));
    await expect(service.refresh(steady())).rejects.toThrow('does not tell its status');
    expect(service.status().fresh).toBe(false);
    expect(service.state()).toBe('connected');
  });
});

describe('the mirror of the storage', () => {
  it('merges absolute counts level by level; unknown keys of the payload are ignored', async () => {
    const { service, device } = await dispenser();
    device.line.unsolicited('Storage.CountsChangedEvent', {
      vendorSequence: 17,
      unit3: {
        cash: { status: { out: { presented: { type10000JPY1: { fit: 4 } }, stacked: { type10000JPY1: { fit: 0 } } } } },
      },
    });
    device.line.unsolicited('Storage.StorageThresholdEvent', {
      unit3: { cash: { status: { replenishmentStatus: 'low' } } },
    });
    device.line.unsolicited('Storage.StorageChangedEvent', { unit4: { status: 'missing' } });
    await settled();
    const { unit3, unit4 } = service.storage().units;
    expect(unit3?.cash?.configuration).toEqual({ currency: 'JPY', value: 10_000 });
    expect(unit3?.cash?.status).toEqual({
      initial: { items: { type10000JPY1: { fit: 200 } } },
      out: {
        presented: { items: { type10000JPY1: { fit: 4 } } },
        rejected: { unrecognized: 1, items: {} },
        stacked: { items: { type10000JPY1: { fit: 0 } } },
      },
      replenishmentStatus: 'low',
    });
    expect(unit4).toEqual({ status: 'missing' });
  });

  it('takes the unit of a storage error of a command', async () => {
    const { service, device } = await dispenser();
    const failures: unknown[] = [];
    service.on('Storage.StorageErrorEvent', ({ failure }) => failures.push(failure));
    device.on('CashDispenser.Reject', (command, line) => {
      line.event(command, 'Storage.StorageErrorEvent', {
        failure: 'empty',
        unit: { unit3: { status: 'inoperative' } },
      });
      line.complete(command, {});
    });
    await service.command('CashDispenser.Reject', null, { timeoutMs: 1_000, signal: steady() });
    expect(service.storage().units['unit3']?.status).toBe('inoperative');
    expect(failures).toEqual(['empty']);
  });

  it('takes no negative and no fractional count', async () => {
    const { service, device, letters } = await dispenser();
    for (const fit of [-1, 0.5, '3']) {
      const counts = { cash: { status: { out: { presented: { type10000JPY1: { fit } } } } } };
      device.line.unsolicited('Storage.CountsChangedEvent', { unit3: counts });
    }
    await settled();
    expect(service.storage().units['unit3']?.cash?.status?.out?.presented).toEqual({
      items: { type10000JPY1: { fit: 3 } },
    });
    expect(letters).toHaveLength(3);
  });
});

describe('merging', () => {
  it('replaces lists other than positions, and leaves what it merges into unchanged', () => {
    const known = { list: [1, 2], inner: { kept: true, changed: 1 } };
    expect(merged(known, { list: [3], inner: { changed: 2 }, added: 'x' })).toEqual({
      list: [3],
      inner: { kept: true, changed: 2 },
      added: 'x',
    });
    expect(known).toEqual({ list: [1, 2], inner: { kept: true, changed: 1 } });
  });
});
