import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Confirmation } from '../parts/dialog.tsx';
import { ActionButton, Panel } from '../parts/pieces.tsx';
import { announce } from '../state/announce.ts';
import { resetPipeline, startPipeline, stopPipeline } from '../state/api.ts';
import { formatMoment } from '../state/figures.ts';
import { live, poll } from '../state/live.ts';
import { useStore } from '../state/store.ts';

/** Start, stop and reset; what would hurt asks first. */
export function PipelineControls(): JSX.Element {
  const { status } = useStore(live);
  const [isFlushing, setFlushing] = useState(false);
  const pipeline = status?.pipeline;
  const act = (what: () => Promise<unknown>, said: string) => async (): Promise<void> => {
    await what();
    announce(said);
    await poll();
  };
  return (
    <Panel
      title="Pipeline"
      actions={
        <>
          {pipeline?.isActive === false ? (
            <ActionButton kind="main" run={act(startPipeline, 'The pipeline is started.')}>
              Start
            </ActionButton>
          ) : (
            <Confirmation
              label="Stop"
              title="Stop the pipeline"
              action="Stop it"
              kind="danger"
              run={act(stopPipeline, 'The pipeline is stopped.')}
            >
              <p>
                Nothing more is written to the targets until it is started again, also after a restart of rdi. Feeders
                are accepted until the disk limit.
              </p>
            </Confirmation>
          )}
          <Confirmation
            label="Reset"
            title="Reset the pipeline"
            action="Reset it"
            kind="danger"
            run={act(() => resetPipeline(isFlushing), 'The pipeline is reset.')}
            onOpen={() => setFlushing(false)}
          >
            <p>
              Back to the initial sync: waiting records, offsets, schema history, DLQs and statistics are deleted.
              Configuration and secrets stay. Restart your feeder afterwards.
            </p>
            <label>
              <input
                type="checkbox"
                checked={isFlushing}
                onChange={(event) => setFlushing(event.currentTarget.checked)}
              />{' '}
              Delete every key of the targets, too (FLUSHDB)
            </label>
          </Confirmation>
        </>
      }
    >
      <p data-testid="pipeline-state">
        {pipeline ? (
          <>
            <span class={`mark ${pipeline.state === 'error' ? 'bad' : pipeline.isActive ? 'good' : 'warn'}`}>
              {pipeline.state}
            </span>{' '}
            since {formatMoment(pipeline.stateChangedAt)},{' '}
            {pipeline.revision === null ? 'given on the command line' : `revision ${pipeline.revision}`}
          </>
        ) : (
          'Asking rdi …'
        )}
      </p>
    </Panel>
  );
}
