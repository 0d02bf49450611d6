/** Vitest ends this worker itself, so a bank's PGlite may lie idle in it until the next file asks for one. */
import { lendFromNowOn } from './lent-pglite.ts';

lendFromNowOn();
