/** What every device port shares. Words follow XFS4IoT's Common interface. */
export type DeviceState = 'online' | 'offline' | 'hardwareError' | 'noDevice' | 'userError' | 'fraudAttempt';

export interface DeviceHealth {
  readonly state: DeviceState;
  /** One sentence for the technician; null when all is well. */
  readonly problem: string | null;
}

/** A device as the terminal and its technician see it, whatever it does. */
export interface Device {
  /** Stable name within the terminal, e.g. "cash-dispenser". */
  readonly name: string;
  health(): DeviceHealth;
  /** Calls back on every change of health. Returns how to stop. */
  onHealth(listener: (health: DeviceHealth) => void): () => void;
  close(): Promise<void>;
}
