/** What a benchmark measured, as a file: `npm run bench -- --json FILE` writes it, `npm run evaluate -- --bench FILE` puts it on the error card. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { z } from 'zod';

const figure = z.number().nonnegative();
const count = z.int().nonnegative();

const part = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object({
    /** What it ran on. */
    machine: z.string().min(1).max(300),
    /** Processes that wanted a core in the minute before, for each core. */
    load: figure,
    ...shape,
  });

/** Times in ms. A part that was not measured is absent. */
export const BenchFigures = z.object({
  version: z.literal(1),
  vision: part({ looks: count, pipelineMs: figure, runsMs: figure, ratio: figure }).optional(),
  peer: part({
    frames: count,
    ...{ oursMs: figure, oursOnTwoMs: figure, theirsMs: figure, faster: figure, fasterOnTwo: figure },
  }).optional(),
  decision: part({ looks: count, accepted: count, p50Ms: figure, p95Ms: figure }).optional(),
  galleries: part({
    galleries: z.array(
      z.object({
        dimensions: count,
        sizes: z
          .array(z.object({ people: count, searchMs: figure, passMs: figure, searches: count, wrong: count }))
          .readonly(),
        /** Of the largest. */
        opened: z.object({ memoryMiB: figure, peakMiB: figure }),
      }),
    ),
  }).optional(),
});
export type BenchFigures = z.infer<typeof BenchFigures>;

export const MACHINE = `${cpus()[0]?.model ?? 'an unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}`;

/** What a part says of where and when. */
export const circumstances = () => ({ machine: MACHINE, load: loadavg()[0]! / availableParallelism() });

/** Throws where the file is none, saying why. */
export function readFigures(file: string): BenchFigures {
  return BenchFigures.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Parts that were measured before stay what they were. */
export function addFigures(file: string, parts: Omit<z.input<typeof BenchFigures>, 'version'>): void {
  const before = existsSync(file) ? readFigures(file) : null;
  const all = BenchFigures.parse({ ...before, ...parts, version: 1 });
  writeFileSync(`${file}.new`, `${JSON.stringify(all, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
