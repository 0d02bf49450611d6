/** Whatever this worker does, and whatever it starts, leaves the cores to the suites that look through a camera. */
import { constants, setPriority } from 'node:os';

setPriority(constants.priority.PRIORITY_LOW);
