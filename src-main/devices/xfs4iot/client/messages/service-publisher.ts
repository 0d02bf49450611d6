/** XFS4IoT 2024-3, ServicePublisher: which services a machine offers. */
import { z } from 'zod';
import { nothing, ofCommand, text } from './lenient.ts';

const Services = z.object({
  vendorName: text,
  services: z.array(z.object({ serviceURI: z.string() })).optional(),
});

export const servicePublisherCommands = {
  'ServicePublisher.GetServices': { payload: nothing, completion: Services },
} as const;

export const servicePublisherEvents = { 'ServicePublisher.ServiceDetailEvent': ofCommand(Services) } as const;
