/** The dialect as something to turn: each switch with the values it can have, read off its schema. */
import { z } from 'zod';
import { Dialect, STANDARD_DIALECT } from '../dialect.ts';

export interface Switch {
  readonly name: string;
  /** The standard one first. */
  readonly values: readonly (string | boolean)[];
}

export function switches(): readonly Switch[] {
  const { properties = {} } = z.toJSONSchema(Dialect);
  return Object.entries(properties).map(([name, schema]) => {
    const { enum: values } = schema as { readonly enum?: readonly string[] };
    const standard = STANDARD_DIALECT[name as keyof Dialect];
    const all: readonly (string | boolean)[] = values ?? [true, false];
    return { name, values: [standard, ...all.filter((value) => value !== standard)] };
  });
}

/** Every switch at its last value: the machine that is as unlike the standard one as it can be. */
export const FLIPPED_DIALECT: Dialect = Dialect.parse(
  Object.fromEntries(switches().map(({ name, values }) => [name, values.at(-1)])),
);
