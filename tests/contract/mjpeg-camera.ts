import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';

/**
 * Writes the stills of the second man (franck_*.jpg) as the MJPEG file Chromium shows as its camera, round and round. They are
 * encoded anew because they are progressive, which Chromium's fake camera does not find ("Requested device not found").
 * @param file must end in .mjpeg, by which Chromium knows the format.
 */
export async function writeMjpegCamera(file: string, footageDir: string): Promise<void> {
  const names = readdirSync(footageDir).filter((name) => /^franck_\d+\.jpg$/.test(name));
  const frames = names
    .sort()
    .map((name) => sharp(path.join(footageDir, name)).jpeg({ progressive: false, quality: 92 }).toBuffer());
  writeFileSync(file, Buffer.concat(await Promise.all(frames)));
}
