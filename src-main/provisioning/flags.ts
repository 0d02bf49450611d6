/** Options of the command line, strictly. */
import { parseArgs } from 'node:util';

/** The command was not understood: exit code 2, and one sentence. */
export class UsageError extends Error {}

export type Flags<Name extends string> = Readonly<Partial<Record<Name, string>>>;

/** Throws UsageError for anything that is not one of the names. */
export function flagsOf<Name extends string>(args: readonly string[], names: readonly Name[]): Flags<Name> {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values as Flags<Name>;
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

export function needed<Name extends string>(flags: Flags<Name>, name: Name): string {
  const value = flags[name];
  if (value === undefined || value === '') throw new UsageError(`--${name} is needed`);
  return value;
}

/** Takes a switch out of the arguments. */
export function takeSwitch(args: readonly string[], name: string): [given: boolean, rest: readonly string[]] {
  return [args.includes(name), args.filter((arg) => arg !== name)];
}
