import type { RunFile } from '@privatelink/embedded/run-file';
import { lifecycle } from '../../demo/lifecycle.ts';
import { createNarrator, type Line } from '../../demo/narrator.ts';
import { playOn } from '../../demo/story.ts';
import { openFactFeed } from '../../support/fact-feed.ts';
import { startTxtServer } from '../../support/txt-server.ts';

/** Plays the demo's story, which throws at the first difference, and returns the status changes that it told. */
export const playLifecycle = async (run: RunFile): Promise<readonly Line[]> => {
  const lines: Line[] = [];
  const narrator = createNarrator(true, (text) => lines.push(JSON.parse(text)) > 0);
  const [feed, txt] = await Promise.all([openFactFeed(run), startTxtServer()]);
  try {
    await playOn({ run, feed, narrator, txt, connections: 1 }, lifecycle);
  } finally {
    await Promise.all([feed.close(), txt.close()]);
  }
  return lines.filter(({ kind }) => kind === 'status');
};
