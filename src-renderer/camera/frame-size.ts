/** Every frame is handed on in this size, whatever the camera gives: what the models were calibrated with. */
export const FRAME_WIDTH_PX = 640;
export const FRAME_HEIGHT_PX = 480;
