import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, TerminalError } from './errors.ts';

const PAGE = join(import.meta.dirname, '../docs/errors.md');

/** The rows of the page's table: code and what the customer is told, and whether the columns between say anything. */
function rows() {
  return readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [code = '', meaning = '', remedy = '', customer = ''] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', ''));
      return { code, customer, complete: meaning.length > 20 && remedy.length > 0 };
    });
}

/** All product sources of the terminal, without tests and without the list itself. */
function sources(): string {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(name) && name !== 'errors.ts')
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .join('\n');
}

describe('docs/errors.md and the list of codes', () => {
  it('have the same codes in the same order, and tell the customer the same', () => {
    expect(rows().map(({ code, customer }) => [code, customer])).toEqual(Object.entries(ERROR_CODES));
  });

  it('say of each code what it means and what to do', () => {
    expect(rows().filter(({ complete }) => !complete)).toEqual([]);
  });

  it('have no code that nothing throws', () => {
    const text = sources();
    expect(Object.keys(ERROR_CODES).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });
});

describe('a terminal error', () => {
  it.each(Object.entries(ERROR_CODES))('%s tells the customer "%s"', (code, customer) => {
    const cause = new Error('why');
    const error = new TerminalError(code as ErrorCode, 'what was wrong', { cause });
    expect(error).toMatchObject({ name: 'TerminalError', code, customer, message: 'what was wrong', cause });
  });
});
