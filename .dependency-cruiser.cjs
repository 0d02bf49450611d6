/** The import rules of the design, as data. Each message names the remedy. */
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that import each other are one file, or hide a third: move what both need into its own file.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contract-stands-alone',
      comment: 'src-contract crosses process boundaries: it imports zod and itself, nothing else. Pass values instead.',
      severity: 'error',
      from: { path: '^src-contract/', pathNot: '[.]test[.]ts$' },
      to: { pathNot: '^(src-contract/|node_modules/zod/)' },
    },
    {
      name: 'renderer-sees-contract-only',
      comment:
        'The screen is not trusted. What it needs of the terminal travels in a view; put the shape into src-contract.',
      severity: 'error',
      from: { path: '^src-renderer/' },
      to: { path: '^(src-main|src-bank|tests|scripts)/' },
    },
    {
      name: 'bank-sees-contract-only',
      comment: 'A bank replaces src-bank with its own core. What both sides need belongs in src-contract.',
      severity: 'error',
      from: { path: '^src-bank/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(src-main|src-renderer|tests|scripts)/' },
    },
    {
      name: 'main-does-not-import-other-processes',
      comment: 'The terminal talks to screen and bank over src-contract.',
      severity: 'error',
      from: { path: '^src-main/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(src-renderer|src-bank|src-devices|tests|scripts)/' },
    },
    {
      name: 'devices-stand-alone',
      comment:
        'src-devices is hardware: it knows the XFS4IoT standard and nothing of Kaopass. A misreading shared with the client would never be found.',
      severity: 'error',
      from: { path: '^src-devices/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(src-contract|src-main|src-bank|src-renderer|tests|scripts)/' },
    },
    {
      name: 'xfs4iot-client-stands-alone',
      comment:
        'The XFS4IoT client is a package of its own: it imports zod, ws, Node and itself. Take anything else as a parameter.',
      severity: 'error',
      from: { path: '^src-main/devices/xfs4iot/client/', pathNot: '[.]test[.]ts$' },
      to: {
        pathNot: '^(src-main/devices/xfs4iot/client/|node_modules/(@types/)?(zod|ws)/)',
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'electron-only-in-its-host',
      comment:
        'Only src-main/electron.ts and src-main/host/electron/ may import electron: write what you need into host/host.ts.',
      severity: 'error',
      from: { pathNot: '^src-main/(electron[.]ts$|host/electron/)' },
      to: { path: '^node_modules/electron/' },
    },
    {
      name: 'session-is-pure',
      comment:
        'session/ has no Node, no Electron, no driver: take a port as a parameter (src-main/terminal.ts gives it one).',
      severity: 'error',
      from: { path: '^src-main/session/', pathNot: '[.]test[.]ts$' },
      to: {
        pathNot:
          '^(src-contract/|src-main/session/|src-main/(clock|errors)[.]ts$|src-main/devices/[a-z-]+[.]ts$|src-main/vision/(observation|presentation-attack)[.]ts$|src-main/(gallery|journal|sync|identity|challenge)/[a-z-]+[.]ts$|node_modules/(xstate|zod)/)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'session-without-node',
      comment: 'session/ has no Node: take a port as a parameter.',
      severity: 'error',
      from: { path: '^src-main/session/', pathNot: '[.]test[.]ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'drivers-only-from-composition',
      comment:
        'Only src-main/devices/open.ts and find.ts name concrete drivers, and src-main/terminal.ts what surrounds simulated ones. Take the port as a parameter.',
      severity: 'error',
      from: {
        path: '^src-main/',
        pathNot: '^src-main/(terminal[.]ts$|devices/((open|find)[.]ts$|(simulated|xfs4iot|hid|escpos)/))|[.]test[.]ts$',
      },
      to: { path: '^src-main/devices/(simulated|xfs4iot|hid|escpos)/', pathNot: '/config[.]ts$' },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing imports this file: delete it, or name it as an entry.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '[.]d[.]ts$',
          '[.]test[.]tsx?$',
          '[.]config[.](ts|mjs|cjs)$',
          '^scripts/',
          '^src-devices/control/page/',
          '^tests/',
          '^[.]dependency-cruiser[.]cjs$',
        ],
      },
      to: {},
    },
    {
      name: 'no-dev-dependency-in-product',
      comment:
        'The terminal and the bank run from "dependencies" alone: move the package there, or out of the product.',
      severity: 'error',
      from: {
        path: '^(src-main|src-bank|src-devices|src-contract)/',
        pathNot: ['[.]test[.]ts$', '^src-main/(electron[.]ts$|host/electron/)'],
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(build|dist|release|[.]cache|node_modules/[.])' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
