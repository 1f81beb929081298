import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { FileDifference, Revision } from '../../http/api-types.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Confirmation } from '../parts/dialog.tsx';
import { Differences } from '../parts/diff.tsx';
import { Failure, Panel, useAnswer } from '../parts/pieces.tsx';
import { announce } from '../state/announce.ts';
import { checkDocument, listRevisions, readRevision, rollBack } from '../state/api.ts';
import { reloadDraft } from '../state/draft.ts';
import { formatMoment, visible } from '../state/figures.ts';
import { poll } from '../state/live.ts';

/** Earlier configurations: what going back to one would change, and the way back. `about` changes when one is deployed. */
export function Revisions({ about }: { about: number | null }): JSX.Element {
  const { value, error, again } = useAnswer(listRevisions, [about]);
  return (
    <Panel title="Revisions">
      <Failure error={error} />
      <DataTable
        caption="Configurations that were in force, newest first"
        empty="None yet."
        rows={[...(value ?? [])].sort((a, b) => b.number - a.number)}
        keyOf={({ number }) => `${number}`}
        columns={[
          { title: 'Revision', by: ({ number }) => number, show: ({ number }) => number },
          { title: 'Since', by: ({ createdAt }) => createdAt, show: ({ createdAt }) => formatMoment(createdAt) },
          { title: 'Origin', by: ({ origin }) => origin, show: ({ origin }) => origin },
          { title: 'Note', show: ({ note }) => visible(note) },
          {
            title: 'Back to it',
            show: (revision) =>
              revision.isCurrent ? (
                <span class="mark good">in force</span>
              ) : (
                <RollBack revision={revision} onDone={again} />
              ),
          },
        ]}
      />
    </Panel>
  );
}

function RollBack({ revision, onDone }: { revision: Revision; onDone: () => void }): JSX.Element {
  const { number } = revision;
  const [files, setFiles] = useState<readonly FileDifference[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const compare = (): void => {
    setFiles(null);
    readRevision(number)
      .then(({ document }) => checkDocument(document))
      .then(({ differences }) => setFiles(differences), setError);
  };
  const act = async (): Promise<void> => {
    const { problems } = await rollBack(number);
    if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join(' '));
    announce(`Revision ${number} is in force again.`);
    await reloadDraft();
    onDone();
    await poll();
  };
  return (
    <Confirmation
      label={`Roll back to ${number}`}
      title={`What going back to revision ${number} changes`}
      action="Roll back"
      kind="main"
      run={act}
      onOpen={compare}
    >
      <Failure error={error} />
      {files ? <Differences files={files} /> : <p class="quiet">Comparing …</p>}
    </Confirmation>
  );
}
