/** The virtual printer for people: listens as a printer on the network, keeps each receipt as a picture, and obeys what is typed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { systemClock } from '../../../clock.ts';
import { renderSheet } from '../picture.ts';
import { VirtualPrinter, type VirtualReceipt } from './printer.ts';
import { servePrinter } from './server.ts';

const USAGE = `A receipt printer made of software. It listens as a printer on the network does.

  npm run printer -- [--port 9100] [--out receipts] [--width 576] [--maker KAOPASS] [--speed 200]

  --port   TCP port on 127.0.0.1; 0 for any
  --out    folder for the pictures of the receipts (PNG)
  --width  dots across: 384, 512 or 576
  --maker  what it calls itself; printers by KAOPASS and EPSON confirm receipts by GS ( H, others by GS r
  --speed  mm of paper a second; 0 prints in no time

Then type, and press Enter:
`;
const WORDS: Readonly<Record<string, readonly [string, (printer: VirtualPrinter) => void]>> = {
  'paper full': ['put a new roll in', (printer) => printer.setPaper()],
  'paper low': ['leave 50 cm on the roll', (printer) => printer.setPaper(4_000)],
  'paper out': ['take the roll out', (printer) => printer.setPaper(0)],
  'paper 5': ['leave 5 cm on the roll (any number)', (printer) => printer.setPaper(400)],
  'cover open': ['open the cover; frees a stuck cutter', (printer) => printer.setCover(true)],
  'cover close': ['close the cover', (printer) => printer.setCover(false)],
  'jam cutter': ['let the cutter get stuck at the next cut', (printer) => printer.jamCutter()],
  'drawer close': ['push the cash drawer shut', (printer) => printer.setDrawer(false)],
  'drawer stick': ['let the drawer get stuck', (printer) => printer.stickDrawer(true)],
  'drawer free': ['let it move again', (printer) => printer.stickDrawer(false)],
  hot: ['overheat the print head', (printer) => printer.setTooHot(true)],
  cool: ['let it cool', (printer) => printer.setTooHot(false)],
  off: ['switch off and on again', (printer) => printer.powerCycle()],
};
const help = Object.entries(WORDS)
  .map(([word, [what]]) => `  ${word.padEnd(14)}${what}`)
  .join('\n');

const Options = z.object({
  port: z.coerce.number().int().min(0).max(65_535),
  out: z.string().min(1),
  width: z.coerce.number().pipe(z.literal([384, 512, 576])),
  maker: z.string().min(1).max(80),
  speed: z.coerce.number().min(0).max(1_000),
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9100' },
      out: { type: 'string', default: 'receipts' },
      width: { type: 'string', default: '576' },
      maker: { type: 'string', default: 'KAOPASS' },
      speed: { type: 'string', default: '200' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(USAGE + help);
    return;
  }
  const { port, out, width, maker, speed } = Options.parse(values);
  await mkdir(out, { recursive: true });
  const printer = new VirtualPrinter({
    clock: systemClock,
    widthDots: width,
    maker,
    dotsPerSecond: speed * 8,
    onEvent: say,
    onReceipt: (receipt) => {
      keep(out, receipt).catch((error: Error) => say(`receipt ${receipt.number} can't be kept: ${error.message}`));
    },
  });
  const server = await servePrinter(printer, port);
  say(`printer ready at 127.0.0.1:${server.port}; receipts go to ${out}\n${help}`);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const word = line.trim().toLowerCase();
    const centimetres = /^paper (\d{1,4})$/.exec(word)?.[1];
    if (centimetres) printer.setPaper(Number(centimetres) * 80);
    else if (WORDS[word]) WORDS[word][1](printer);
    else if (word) say(help);
  });
  process.once('SIGINT', () => {
    lines.close();
    void server.close();
  });
}

async function keep(out: string, { number, sheet, problems }: VirtualReceipt): Promise<void> {
  if (!sheet.marks.some((mark) => mark.kind !== 'cut')) return;
  const path = join(out, `${process.pid}-${String(number).padStart(4, '0')}.png`);
  await writeFile(path, await renderSheet(sheet));
  say([`receipt ${number}: ${path}`, ...problems.map((problem) => `  ${problem}`)].join('\n'));
}

try {
  await run();
} catch (error) {
  const message = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
