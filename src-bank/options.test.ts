import { describe, expect, it } from 'vitest';
import { readOptions, USAGE } from './options.ts';

const least = ['--port', '0', '--data', 'somewhere'];

describe('the command line', () => {
  it('wants a port and a data directory, and has defaults for the rest', () => {
    expect(readOptions(least, {})).toEqual({
      port: 0,
      data: 'somewhere',
      databaseUrl: null,
      adminTokenFile: null,
      keyFile: null,
      policyFile: null,
      policyValidForMs: 96 * 60 * 60 * 1000,
      logLevel: 'info',
    });
  });

  it('takes the database from the flag before the environment', () => {
    const env = { KAOPASS_BANK_DATABASE_URL: 'postgres://env/bank' };
    expect(readOptions(least, env)).toMatchObject({ databaseUrl: 'postgres://env/bank' });
    const flags = [...least, '--database-url', 'postgresql://flag/bank'];
    expect(readOptions(flags, env)).toMatchObject({ databaseUrl: 'postgresql://flag/bank' });
  });

  it.each([
    [[], /--data is missing/],
    [['--data', 'x'], /--port is missing/],
    [['--data', '', '--port', '0'], /--data must not be empty/],
    [['--data', 'x', '--port', 'many'], /--port must be 0 to 65535, not many/],
    [['--data', 'x', '--port', '65536'], /not 65536/],
    [['--data', 'x', '--port', '-1'], /--port/],
    [[...least, '--colour', 'red'], /--colour/],
    [[...least, 'stray'], /stray/],
    [[...least, '--policy-valid-hours', '0'], /--policy-valid-hours must be 1 to 9999, not 0/],
    [[...least, '--log-level', 'loud'], /--log-level must be one of .* not loud/],
    [[...least, '--database-url', 'mysql://bank:secret@x'], /--database-url must start with postgres/],
  ])('refuses %j and names what was wrong', (args, sentence) => {
    expect(() => readOptions(args, {})).toThrow(sentence);
  });

  it('does not repeat a password', () => {
    expect(() => readOptions([...least, '--database-url', 'mysql://bank:secret@x'], {})).not.toThrow(/secret/);
  });

  it('gives help before anything else', () => {
    expect(readOptions(['--help'], {})).toBe('help');
    expect(USAGE).toContain('KAOPASS_BANK_DATABASE_URL');
  });
});
