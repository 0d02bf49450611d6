/**
 * A simulated camera: pictures and clips in front of a wall, drawn on a canvas and taken from it as a stream, so that all
 * that follows can't tell it from a real camera. It is drawn anew for every frame even where nothing moves: a camera that
 * looks at a still picture goes on sending.
 */
import type { CameraSource, SceneLayer } from '../../src-contract/screen.ts';
import type { OpenSource } from './camera.ts';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from './frame-size.ts';
import { placeLayer } from './scene-layout.ts';

type Scene = Extract<CameraSource, { kind: 'scene' }>;

/** Frames per second; ordinary cameras give 15 to 30. */
const SCENE_FPS = 20;
/** Longest wait for a clip or picture to be there, ms. They come from this machine. */
const MEDIA_MS_MAX = 10_000;

interface OpenLayer {
  readonly layer: SceneLayer;
  readonly picture: HTMLVideoElement | HTMLImageElement;
  close(): void;
}

/** Rejects naming the file that could not be shown. */
export async function openScene(scene: Scene, signal: AbortSignal): Promise<OpenSource> {
  const waits = AbortSignal.any([signal, AbortSignal.timeout(MEDIA_MS_MAX)]);
  const layers: OpenLayer[] = [];
  try {
    for (const layer of scene.layers) {
      layers.push(layer.kind === 'video' ? await openVideo(layer, waits) : await openImage(layer, waits));
    }
  } catch (error) {
    for (const layer of layers) layer.close();
    throw error;
  }

  const canvas = document.createElement('canvas');
  canvas.width = FRAME_WIDTH_PX;
  canvas.height = FRAME_HEIGHT_PX;
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new Error('the browser gives no 2d canvas');
  const startedAtMs = performance.now();
  const draw = () => {
    context.resetTransform();
    context.fillStyle = scene.background;
    context.fillRect(0, 0, FRAME_WIDTH_PX, FRAME_HEIGHT_PX);
    for (const { layer, picture } of layers)
      drawLayer(context, layer, picture, (performance.now() - startedAtMs) / 1000);
  };
  draw();
  // Rate 0: a frame is taken when asked for, once per drawing, and not when the browser finds that something changed.
  const stream = canvas.captureStream(0);
  const track = stream.getVideoTracks()[0] as CanvasCaptureMediaStreamTrack;
  const timer = setInterval(() => {
    draw();
    track.requestFrame();
  }, 1000 / SCENE_FPS);
  return {
    stream,
    close: () => {
      clearInterval(timer);
      track.stop();
      for (const layer of layers) layer.close();
    },
  };
}

function drawLayer(
  context: CanvasRenderingContext2D,
  layer: SceneLayer,
  picture: HTMLVideoElement | HTMLImageElement,
  atS: number,
): void {
  const naturalWidth = picture instanceof HTMLVideoElement ? picture.videoWidth : picture.naturalWidth;
  const naturalHeight = picture instanceof HTMLVideoElement ? picture.videoHeight : picture.naturalHeight;
  if (naturalWidth === 0 || naturalHeight === 0) return;
  const place = placeLayer(layer, { width: naturalWidth, height: naturalHeight }, atS);
  context.resetTransform();
  context.translate(place.centreX, place.centreY);
  context.rotate(place.rotationRad);
  if (layer.border) {
    const paperWidth = place.width + 2 * place.borderPx;
    const paperHeight = place.height + 2 * place.borderPx;
    context.fillStyle = layer.border.colour;
    context.fillRect(-paperWidth / 2, -paperHeight / 2, paperWidth, paperHeight);
  }
  const { crop } = place;
  const target = [-place.width / 2, -place.height / 2, place.width, place.height] as const;
  context.drawImage(picture, crop.x, crop.y, crop.width, crop.height, ...target);
}

async function openImage(layer: SceneLayer, signal: AbortSignal): Promise<OpenLayer> {
  const picture = new Image();
  picture.src = layer.url;
  await once(picture, 'load', layer.url, signal);
  return { layer, picture, close: () => picture.removeAttribute('src') };
}

async function openVideo(layer: SceneLayer, signal: AbortSignal): Promise<OpenLayer> {
  const picture = document.createElement('video');
  picture.muted = true;
  picture.playsInline = true;
  picture.preload = 'auto';
  const close = () => {
    picture.pause();
    picture.removeAttribute('src');
    picture.load();
  };
  try {
    const there = once(picture, 'loadeddata', layer.url, signal);
    picture.src = layer.url;
    await there;
    if (layer.startS > 0) {
      const sought = once(picture, 'seeked', layer.url, signal);
      picture.currentTime = layer.startS;
      await sought;
    }
    if (!layer.paused) {
      // Not the loop attribute, which would go on from 0 instead of startS.
      picture.addEventListener('ended', () => {
        picture.currentTime = layer.startS;
        void picture.play().catch(() => {});
      });
      await picture.play();
    }
  } catch (error) {
    close();
    throw error;
  }
  return { layer, picture, close };
}

/** Resolves on the event; rejects on the element's error or when the wait ends, naming the file. */
function once(element: HTMLElement, event: string, url: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const listening = new AbortController();
    const settle = (outcome: () => void) => () => {
      listening.abort();
      outcome();
    };
    const options = { signal: listening.signal };
    element.addEventListener(event, settle(resolve), options);
    element.addEventListener(
      'error',
      settle(() => reject(new Error(`${url} can't be shown`))),
      options,
    );
    signal.addEventListener(
      'abort',
      settle(() => reject(new Error(`${url}: no ${event} in time`))),
      options,
    );
  });
}
