import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from './frame-size.ts';

let canvas: OffscreenCanvas | null = null;

/** Draws with the given function on a canvas of the frames' size and reads RGBA back. */
export function pixelsOf(draw: (context: OffscreenCanvasRenderingContext2D) => void): Uint8Array<ArrayBuffer> {
  canvas ??= new OffscreenCanvas(FRAME_WIDTH_PX, FRAME_HEIGHT_PX);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('the browser gives no 2d canvas');
  draw(context);
  return new Uint8Array(context.getImageData(0, 0, FRAME_WIDTH_PX, FRAME_HEIGHT_PX).data.buffer as ArrayBuffer);
}

/** Fills the frame with the middle of the picture; what is wider or higher than 4:3 loses its edges, never its shape. */
export function drawCovering(
  context: OffscreenCanvasRenderingContext2D,
  picture: CanvasImageSource,
  width: number,
  height: number,
): void {
  const scale = Math.max(FRAME_WIDTH_PX / width, FRAME_HEIGHT_PX / height);
  const w = width * scale;
  const h = height * scale;
  context.drawImage(picture, (FRAME_WIDTH_PX - w) / 2, (FRAME_HEIGHT_PX - h) / 2, w, h);
}
