/** The page of tests/screens, built as the product is built and served under the product's own headers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { build, mergeConfig } from 'vite';
import { openContent, securityHeaders } from '../../src-main/host/content.ts';
import product from '../../vite.config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface ServedPage {
  /** http://127.0.0.1:PORT/ */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * @param which the product's own page, or the stage on which a test shows views.
 * @param react the one of the product, or the one that says what is wrong with a tree, and takes twice as long to draw it.
 */
export async function servePage(
  which: 'product' | 'stage',
  footageDir: string | null,
  react: 'production' | 'development' = 'production',
): Promise<ServedPage> {
  const outDir = await mkdtemp(path.join(tmpdir(), 'kaopass-screens-'));
  const overrides = { configFile: false, logLevel: 'warn', build: { outDir } } as const;
  const root = which === 'stage' ? { root: path.join(ROOT, 'tests/screens') } : {};
  // Vitest says "test" here, and Vite would go by that.
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = react;
  try {
    await build(mergeConfig(product, { ...overrides, ...root }));
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }

  const roots = { rendererDir: outDir, footageDir };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://terminal');
    const { status, headers, body } = await openContent(roots, pathname, request.headers.range);
    response.writeHead(status, { ...securityHeaders([]), ...headers });
    if (!body) return void response.end();
    // A video element gives up requests all the time: it seeks. One given up before it began leaves the file open.
    const bytes = body.open.createReadStream({ start: body.range.first, end: body.range.last });
    await pipeline(bytes, response).catch(() => bytes.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(outDir, { recursive: true, force: true });
    },
  };
}
