/** What a service offers, as its Capabilities tell it: interfaces, commands and the version to ask them with. */
import { type CommandName, commandNamed, type InterfaceName, interfaceNamed } from './messages/table.ts';
import type { Capabilities } from './surface.ts';
import { chooseVersion } from './versions.ts';

export interface Offer {
  readonly capabilities: Capabilities;
  readonly interfaces: ReadonlySet<InterfaceName>;
  /** Header version per command; a command that is not here is not offered, or in no version this client knows. */
  readonly versions: ReadonlyMap<CommandName, string>;
  /** Commands the service queues; the lowest of what its interfaces say. */
  readonly requestsMax: number;
}

export const NO_OFFER: Offer = {
  capabilities: {},
  interfaces: new Set(),
  versions: new Map(),
  requestsMax: Number.POSITIVE_INFINITY,
};

/** `understood`: the version with which Capabilities was answered; used where a command is listed without versions. */
export function offerOf(capabilities: Capabilities, understood: string): Offer {
  const listed = capabilities.interfaces ?? [];
  const versions = new Map<CommandName, string>();
  for (const { commands } of listed) {
    for (const [listedName, { versions: all = [] }] of Object.entries(commands ?? {})) {
      const name = commandNamed(listedName);
      const version = all.length > 0 ? chooseVersion(all) : understood;
      if (name && version) versions.set(name, version);
    }
  }
  // 0: no limit.
  const limits = listed.flatMap(({ maximumRequests }) => (maximumRequests ? [maximumRequests] : []));
  return {
    capabilities,
    interfaces: new Set(listed.flatMap(({ name }) => interfaceNamed(name) ?? [])),
    versions,
    requestsMax: Math.min(Number.POSITIVE_INFINITY, ...limits),
  };
}
