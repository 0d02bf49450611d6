/** Several scanners of one counter as one port: a code of any comes to whoever listens; the health tells the first problem. */
import type { Barcode, BarcodeScanner } from '../barcode-scanner.ts';
import type { DeviceHealth } from '../device.ts';

export class ScannerGroup implements BarcodeScanner {
  readonly name = 'barcode-scanner';
  readonly #members: readonly BarcodeScanner[];

  constructor(members: readonly BarcodeScanner[]) {
    this.#members = members;
  }

  /** Online while any of them is: one scanner is enough to go on. What is wrong with another is told all the same. */
  health(): DeviceHealth {
    const all = this.#members.map((member) => member.health());
    const ill = all.find(({ problem }) => problem !== null);
    const state = all.some(({ state }) => state === 'online') ? 'online' : (ill?.state ?? 'noDevice');
    return { state, problem: ill?.problem ?? null };
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    return all(this.#members.map((member) => member.onHealth(() => listener(this.health()))));
  }

  onBarcode(listener: (barcode: Barcode) => void): () => void {
    return all(this.#members.map((member) => member.onBarcode(listener)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }
}

function all(stops: readonly (() => void)[]): () => void {
  return () => {
    for (const stop of stops) stop();
  };
}
