import type { Migration } from '../database.ts';
import { journal0001 } from './0001-journal.ts';
import { journal0002 } from './0002-outbox-kinds.ts';
import { journal0003 } from './0003-open-and-ended.ts';
import { journal0004 } from './0004-erasure-receipts.ts';
import { journal0005 } from './0005-day-closes.ts';
import { journal0006 } from './0006-stand-ins.ts';
import { journal0007 } from './0007-protection-receipts.ts';

/** In order. A step that was released is never changed: it is followed by another. */
export const journalMigrations: readonly Migration[] = [
  journal0001,
  journal0002,
  journal0003,
  journal0004,
  journal0005,
  journal0006,
  journal0007,
];
