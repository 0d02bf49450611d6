/** What `kaopass devices list` prints for people. */
import type { Found, FoundDevices, FoundLine } from '../devices/find.ts';
import type { ListAnswer } from './devices-command.ts';
import type { PrintedReport } from './running-terminal.ts';

export function devicesInWords({ configured, found }: ListAnswer): string {
  const lines: string[] = [];
  if (configured) {
    const holder = configured.running ? ', held by the running terminal' : '';
    lines.push(`Configured (${configured.kind}${holder})`, ...configured.devices.flatMap(deviceLines), '');
  }
  lines.push(...foundLines(found));
  return `${lines.join('\n')}\n`;
}

function deviceLines(report: PrintedReport): string[] {
  const { name, driver, connection, held, figures } = report;
  const facts = [
    figures.shutter && `shutter ${figures.shutter}`,
    figures.paper && `paper ${figures.paper}`,
    held === 'suspect' && 'blocked by an unsettled transaction',
    held === 'test' && 'being tested',
  ].filter(Boolean);
  const units = (figures.units ?? []).map(({ id, kind, denominationMinor, count, capacity, state }) =>
    detail(`${id.padEnd(6)}${denominationMinor ?? ''} ${kind}, ${count} of ${capacity} notes, ${state}`),
  );
  return [
    `  ${name.padEnd(17)}${report.state.padEnd(15)}${driver}, ${connection}`,
    ...[report.problem, report.figuresProblem].filter((words) => words !== null).map(detail),
    ...(facts.length > 0 ? [detail(facts.join(', '))] : []),
    ...units,
  ];
}

function foundLines({ xfs4iot, hid, printers, serialPorts }: FoundDevices): string[] {
  const services = xfs4iot.found.flatMap(({ uri, state, model, interfaces }) => [
    `  ${uri}  ${state}${model ? `, ${model}` : ''}`,
    detail(interfaces.length > 0 ? interfaces.join(', ') : 'it has not said what it is'),
  ]);
  const unusable = xfs4iot.unusable.map(({ uri, why }) => `  ${uri}  cannot be used: ${why}`);
  const devices = hid.found.flatMap(({ info, kind, problem, rule, selector }) => {
    const maker = [info.manufacturer, info.product].filter(Boolean).join(' ');
    const usages = info.usages.map(({ page, usage }) => `${hex(page)}:${hex(usage)}`).join(' ');
    return [
      `  ${selector.vendorId}:${selector.productId}  ${kind}${maker ? `, ${maker}` : ''}`,
      detail(`${info.path}${usages ? `, usages ${usages}` : ''}`),
      detail(`in the configuration: ${JSON.stringify(selector)}`),
      ...(problem ? [detail(`${problem}${rule ? `; put into ${hid.ruleFile}:` : ''}`)] : []),
      ...(rule ?? '').split('\n').filter(Boolean).map(detail),
    ];
  });
  return [
    ...part(`XFS4IoT services at ${xfs4iot.host}`, xfs4iot, [...services, ...unusable]),
    ...part('USB HID devices', hid, devices),
    ...part('USB printers', printers, printers.found.map(lineWords)),
    ...part('Serial ports', serialPorts, serialPorts.found.map(lineWords)),
  ];
}

function part(title: string, { problem }: Found<unknown>, lines: readonly string[]): string[] {
  const none = problem === null ? '  none' : `  cannot be looked for: ${problem}`;
  return [title, ...(lines.length > 0 ? lines : [none])];
}

const lineWords = ({ path, allowed, maker }: FoundLine): string =>
  `  ${path}${maker ? `, ${maker}` : ''}${allowed ? '' : ': this user may not use it (group "lp" or "dialout")'}`;
const detail = (words: string): string => `      ${words}`;
const hex = (value: number): string => value.toString(16).padStart(2, '0');
