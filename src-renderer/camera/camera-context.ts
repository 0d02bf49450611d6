import { createContext } from 'react';

/** What the camera sees now, for whoever shows it; null while there is no picture. */
export const CameraContext = createContext<MediaStream | null>(null);
