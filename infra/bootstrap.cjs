// Runs a package.json script on a machine that has only Node >= 20 and npm: installs the pinned dependencies (which
// bring Node 24), nats-server and HAProxy, then hands over. Plain JavaScript because it runs before anything is
// installed. What it has to say goes to stderr: stdout belongs to the script.
'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const pnpmVersion = '12.21.0';
const natsImage = 'nats:2.10.29-alpine';
const root = path.dirname(__dirname);
const modules = path.join(root, 'node_modules');
const tools = path.join(modules, '.cache', 'privatelink', 'bin');

function fail(message) {
  process.stderr.write(`privatelink: ${message}\n`);
  process.exit(1);
}

function progress(message) {
  if (process.stderr.isTTY) process.stderr.write(`privatelink: ${message}\n`);
}

/** Runs a command with its output held back; the output is returned for the case that it is worth showing. */
function quietly(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  return { ok: status === 0, output: [error?.message, stdout, stderr].filter(Boolean).join('\n').trim() };
}

function onPath(command) {
  return `${tools}:${process.env.PATH}:/usr/sbin:/usr/local/sbin`
    .split(':')
    .some((directory) => isExecutable(path.join(directory, command)));
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

// ---- dependencies

/** A hash of all that decides what an installation looks like. */
function wantedInstallation() {
  const hash = createHash('sha256').update(`${pnpmVersion} ${os.platform()} ${os.arch()}\n`);
  const manifests = ['services', 'infra'].flatMap((parent) =>
    fs.readdirSync(path.join(root, parent)).map((name) => `${parent}/${name}/package.json`),
  );
  for (const file of [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    'examples/package.json',
    'proto/package.json',
    'proto/client/package.json',
    'test/package.json',
    ...manifests.sort(),
  ]) {
    const absolute = path.join(root, file);
    if (fs.existsSync(absolute)) hash.update(`${file}\n`).update(fs.readFileSync(absolute));
  }
  return hash.digest('hex');
}

function installDependencies() {
  const stamp = path.join(modules, '.privatelink-installed');
  const wanted = wantedInstallation();
  const installed = fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted;
  if (installed && isExecutable(path.join(modules, '.bin', 'node'))) return;
  progress('installing dependencies ...');
  const { ok, output } = quietly('npx', ['--yes', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile'], {
    // CI keeps pnpm from asking questions nobody can see.
    env: { ...process.env, CI: 'true' },
  });
  if (!ok) fail(`the dependencies could not be installed:\n${output}`);
  fs.writeFileSync(stamp, wanted);
}

// ---- programs that npm cannot bring

/** The words that make a command run as root, or undefined where that is not possible. */
function asRoot({ mayAsk }) {
  if (process.getuid() === 0) return [];
  if (!onPath('sudo')) return undefined;
  if (quietly('sudo', ['-n', 'true']).ok) return ['sudo', '-n'];
  return mayAsk && process.stdin.isTTY ? ['sudo'] : undefined;
}

/**
 * Installs Debian packages without starting the services they bring. The policy file is Debian's own way to say so;
 * a policy the machine already has is left alone, and a service that started in spite of it is stopped.
 */
const aptScript = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
apt-get update
apt-get install -y --no-install-recommends "$@"
if [ -d /run/systemd/system ]; then
  for service in nats-server haproxy prometheus; do
    case " $* " in *" $service "*) systemctl disable --now $service || true ;; esac
  done
fi
`;

function aptInstall(packages, { mayAsk }) {
  const words = onPath('apt-get') ? asRoot({ mayAsk }) : undefined;
  if (!words) return { ok: false, output: '' };
  progress(`installing ${packages.join(', ')} ...`);
  const [command, ...args] = [...words, 'sh', '-c', aptScript, 'sh', ...packages];
  return quietly(command, args, { stdio: ['inherit', 'pipe', 'pipe'] });
}

function brewInstall(formula) {
  if (!onPath('brew')) return { ok: false, output: '' };
  progress(`installing ${formula} ...`);
  return quietly('brew', ['install', '--quiet', formula]);
}

/** The server in the image is one static file, which runs on any Linux. */
function copyFromImage() {
  if (os.platform() !== 'linux' || !onPath('docker')) return { ok: false, output: '' };
  progress(`fetching nats-server from the image ${natsImage} ...`);
  fs.mkdirSync(tools, { recursive: true });
  return quietly('sh', [
    '-c',
    `id=$(docker create ${natsImage}) && { docker cp "$id":/usr/local/bin/nats-server "$1"; docker rm "$id"; }`,
    'sh',
    path.join(tools, 'nats-server'),
  ]);
}

/** Whether a program is there in the end, and what the attempts to install it said if not. */
function install(program, { alsoOnDebian = [], otherAttempts = [] } = {}) {
  const attempts = [
    () => aptInstall([program, ...alsoOnDebian], { mayAsk: true }),
    () => brewInstall(program),
    ...otherAttempts,
  ];
  const outputs = [];
  for (const attempt of attempts) {
    if (onPath(program)) break;
    const { output } = attempt();
    if (output) outputs.push(`${output}\n`);
  }
  return { ok: onPath(program), output: outputs.join('') };
}

function installNats() {
  const { ok, output } = install('nats-server', { otherAttempts: [copyFromImage] });
  if (ok) return;
  process.stderr.write(output);
  fail(
    'nats-server is not installed and could not be: put it on PATH (https://github.com/nats-io/nats-server/releases)',
  );
}

/** Without HAProxy everything but forwarding works, unless forwarding was asked for. */
function installHaproxy() {
  // Agents look for its processes with ps, which a Debian in a container may lack, and limit bandwidth with nft.
  const { ok, output } = install('haproxy', { alsoOnDebian: ['procps', 'nftables'] });
  if (ok) return;
  const missing = 'haproxy is not installed and could not be';
  if (process.env.PRIVATELINK_FORWARDING) {
    process.stderr.write(output);
    fail(`${missing}: put it on PATH, or set PRIVATELINK_FORWARDING=none`);
  }
  process.stderr.write(`privatelink: ${missing}: no traffic is forwarded (PRIVATELINK_FORWARDING=none)\n`);
  process.env.PRIVATELINK_FORWARDING = 'none';
}

/** Tests that use these are skipped by name where they are missing. */
function installTestTools(packageOf) {
  const missing = Object.keys(packageOf).filter((command) => !onPath(command));
  if (missing.length > 0)
    aptInstall(
      missing.map((command) => packageOf[command]),
      { mayAsk: false },
    );
}

// ---- hand over

/** The scripts that look at the code alone. */
const withoutServers = ['app:check', 'app:state-machines', 'app:asyncapi'];

/** The scripts that start zone agents. */
const forwards = ['app:start', 'app:demo', 'app:test', 'app:bench'];

function run(command, args) {
  const env = {
    ...process.env,
    PATH: [path.join(modules, '.bin'), process.env.PATH, tools, '/usr/local/sbin', '/usr/sbin'].join(':'),
  };
  // exec: signals reach the command itself and not a shell in between.
  const child = spawn('sh', ['-c', `exec ${command} "$@"`, 'sh', ...args], { cwd: root, stdio: 'inherit', env });
  // Ctrl-C arrives here once from the terminal and once more from npm; one of them is enough.
  let forwardedAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (Date.now() - forwardedAt < 500) return;
      forwardedAt = Date.now();
      child.kill(signal);
    });
  }
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + os.constants.signals[signal] : code));
}

function main() {
  const [script, ...args] = process.argv.slice(2);
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const command = scripts[script];
  if (!command) {
    const known = Object.keys(scripts).filter((name) => name.startsWith('app:'));
    fail(`usage: node infra/bootstrap.cjs <${known.join('|')}> [args...]`);
  }
  installDependencies();
  if (!withoutServers.includes(script) && !process.env.PRIVATELINK_NATS) installNats();
  const { PRIVATELINK_FORWARDING: forwarding, PRIVATELINK_HAPROXY: haproxy } = process.env;
  if (forwards.includes(script) && forwarding !== 'none' && !haproxy) installHaproxy();
  if (script === 'app:test')
    installTestTools({ dig: 'bind9-dnsutils', nft: 'nftables', strace: 'strace', promtool: 'prometheus' });
  if (script === 'app:test:ui') installTestTools({ chromium: 'chromium' });
  run(command, args);
}

main();
