import { actions } from './dashboard/actions.ts';
import { describeWithBrowser } from './dashboard/browser.ts';
import { deadLetters } from './dashboard/dead-letters.ts';
import { details } from './dashboard/details.ts';
import { live } from './dashboard/live.ts';
import { looks } from './dashboard/looks.ts';
import { signingIn } from './dashboard/signing-in.ts';
import { tables } from './dashboard/tables.ts';
import { useDashboard } from './dashboard/use-dashboard.ts';

describeWithBrowser('the dashboard', () => {
  const dashboard = useDashboard();
  signingIn(dashboard);
  looks(dashboard);
  tables(dashboard);
  live(dashboard);
  details(dashboard);
  actions(dashboard);
  deadLetters(dashboard);
});
