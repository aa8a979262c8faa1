// Prints a link that begins a session with the running dashboard, once: node infra/embedded/src/login-link.ts --role viewer
import { parseArgs } from 'node:util';
import { roles } from '@privatelink/shared/grpc/access';
import { defaultDataDir } from './command-line.ts';
import { makeLoginLink } from './dashboard.ts';
import { readRunFile } from './run-file.ts';

const { values } = parseArgs({
  options: {
    account: { type: 'string', default: '' },
    role: { type: 'string', multiple: true, default: ['operator'] },
    subject: { type: 'string', default: 'developer' },
    'data-dir': { type: 'string', default: defaultDataDir },
  },
});
const run = await readRunFile(values['data-dir']);
const [url] = run.dashboard.urls;
if (url === undefined) {
  process.stderr.write('no dashboard runs\n');
  process.exit(1);
}
const claims = {
  subject: values.subject,
  account: values.account,
  roles: roles.filter((role) => values.role.includes(role)),
};
process.stdout.write(
  `${await makeLoginLink({ dataDir: values['data-dir'], keyFile: run.issuer.keyFile, url }, claims)}\n`,
);
