/** Where things lie: one installation's files, and one terminal's data. */
import { join } from 'node:path';

export interface Installation {
  /** Manifests of the models. */
  readonly modelsDir: string;
  /** Weights that set-up fetched. */
  readonly weightsDir: string;
  /** The built screens. */
  readonly rendererDir: string;
  /** Demonstration clips, served to the screen's simulated camera; null in a product installation. */
  readonly footageDir: string | null;
  /** Chromium that set-up unpacked; null where none was. */
  readonly bundledBrowserDir: string | null;
  /** Goods of the demonstration. */
  readonly goodsFile: string;
}

/** The files of a checkout after set-up. */
export function checkoutInstallation(root: string): Installation {
  return {
    modelsDir: join(root, 'models'),
    weightsDir: join(root, '.cache', 'models'),
    rendererDir: join(root, 'dist', 'renderer'),
    footageDir: join(root, '.cache', 'footage'),
    bundledBrowserDir: join(root, '.cache', 'chromium'),
    goodsFile: join(root, 'src-main', 'config', 'goods.demonstration.json'),
  };
}

/** What one terminal keeps, below its data directory. */
export function dataPlaces(dataDir: string) {
  return {
    config: join(dataDir, 'kaopass.json'),
    lock: join(dataDir, 'running.lock'),
    keys: join(dataDir, 'keys'),
    journal: join(dataDir, 'journal.sqlite'),
    gallery: join(dataDir, 'gallery.sqlite'),
    /** Of the embedder before, while there is one. */
    galleryBefore: join(dataDir, 'gallery-before.sqlite'),
    devices: join(dataDir, 'devices'),
    camera: join(dataDir, 'camera.json'),
    receipts: join(dataDir, 'receipts'),
    servicePage: join(dataDir, 'service-page.json'),
  };
}
