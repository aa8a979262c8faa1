import { describe, expect, it } from 'vitest';
import {
  createCli,
  NoAnswer,
  readChecks,
  readCounters,
  readFlows,
  readFrontends,
  readInfo,
  readProcesses,
} from './cli.ts';

describe('what HAProxy says', () => {
  it('of its processes', () => {
    const answer = `#<PID>          <type>          <reloads>       <uptime>        <version>      
13700           master          2 [failed: 1]   0d00h00m02s     2.6.12-1+deb12u4
# workers
13737           worker          0               0d00h00m00s     2.6.12-1+deb12u4
# old workers
13703           worker          1               0d00h00m02s     2.6.12-1+deb12u4
13699           worker          2               0d00h00m02s     2.6.12-1+deb12u4
# programs

`;
    const processes = { master: 13700, reloads: 2, failed: true, worker: 13737, former: [13703, 13699] };
    expect(readProcesses(answer)).toEqual(processes);
    expect(readProcesses(answer.replace(/13737.*\n/, ''))?.worker).toBe(null);
    expect(readProcesses(answer.slice(0, answer.indexOf('# workers')))).toBe(null);
    expect(readProcesses('')).toBe(null);
  });

  it('of a worker', () => {
    const answer = 'Name: HAProxy\nPid: 14928\nStart_time_sec: 17\ndescription: abc-1\nStopping: 1\n';
    expect(readInfo(answer)).toEqual({ pid: 14928, startedAt: 17, configId: 'abc-1', stopping: true });
    expect(readInfo("Can't find the target PID matching the prefix '@!1'\n")).toBe(null);
  });

  it('of frontends', () => {
    const answer = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight
ep-1:8080,FRONTEND,,,3,1,9481,1,0,0,0,0,0,,,,,STOP,,
ep-2:8080,FRONTEND,,,0,1,9481,1,0,0,0,0,0,,,,,OPEN,,
ep-2:8080,t1,,,7,1,9481,1,0,0,0,0,0,,,,,no check,,
`;
    expect(readFrontends(answer)).toEqual([
      { name: 'ep-1:8080', open: false, sessions: 3 },
      { name: 'ep-2:8080', open: true, sessions: 0 },
    ]);
  });

  it('of what was counted: each connection with all its ports, unless it had no flow', () => {
    const answer = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight
checks,BACKEND,0,0,0,0,998,0,0,0,0,0,,5,0,0,0,UP,1
ep-1:80,FRONTEND,,,2,2,9481,18446744073709551615,9007199254740993,7,0,0,0,,,,,OPEN,,
ep-1:80,BACKEND,0,0,2,2,998,9,9007199254740993,7,0,0,,3,0,0,6,UP,1
ep-1:443,FRONTEND,,,1,1,9481,4,10,20,0,0,0,,,,,STOP,,
ep-1:443,BACKEND,0,0,1,1,998,4,10,20,0,0,,1,0,0,2,UP,1
ep-2:80,FRONTEND,,,0,0,9481,0,0,0,0,0,0,,,,,OPEN,,
ep-2:80,BACKEND,0,0,0,0,998,0,0,0,0,0,,0,0,0,0,UP,1

`;
    expect([...readCounters(answer)]).toEqual([
      [
        'ep-1',
        {
          ...{ receivedBytes: 9_007_199_254_741_003n, sentBytes: 27n, flows: 18_446_744_073_709_551_619n },
          ...{ openFlows: 3n, failedFlows: 4n },
        },
      ],
    ]);
  });

  it('of checks, without those that have not been made yet', () => {
    const answer = `# pxname,svname,qcur,status,check_status,last_chk,
checks,:10.0.0.1:80,0,UP,L4OK,,
checks,:10.0.0.2:80,0,UP 1/3,L4TOUT,,
checks,:10.0.0.3:80,0,DOWN,L4CON,Connection refused,
checks,:10.0.0.4:80,0,DOWN 1/2,L4OK,,
checks,:10.0.0.5:80,0,UP,INI,,

`;
    expect([...readChecks(answer)]).toEqual([
      [':10.0.0.1:80', true],
      [':10.0.0.2:80', true],
      [':10.0.0.3:80', false],
      [':10.0.0.4:80', false],
    ]);
    expect(readChecks('No such proxy.\n').size).toBe(0);
  });

  it('of flows, without those of whoever asks', () => {
    const answer = `0x559c790474e0: proto=tcpv4 src=127.0.0.1:37372 fe=ep-1:8080 be=ep-1:8080 srv=t1 ts=00 age=3s
0x559c79a72f60: proto=unix_stream src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00 age=0s
`;
    expect(readFlows(answer)).toEqual([{ id: '0x559c790474e0', name: 'ep-1:8080' }]);
  });

  it('is nothing when nobody is there', async () => {
    await expect(createCli('/nonexistent/master.sock')('show proc')).rejects.toThrow(NoAnswer);
  });
});
