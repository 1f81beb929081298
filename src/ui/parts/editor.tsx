import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { visible } from '../state/figures.ts';

/** A mistake in the text, line and column from 1; line 0 where it has no place. */
export interface Mark {
  readonly line: number;
  readonly col: number;
  readonly message: string;
}

interface EditorProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly marks?: readonly Mark[];
  readonly rows?: number;
}

/** A text with line numbers and marked mistakes. Tab leaves it, as everywhere; Enter keeps the indentation. */
export function Editor({ label, value, onChange, marks = [], rows = 20 }: EditorProps): JSX.Element {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const numbers = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (numbers.current) numbers.current.scrollTop = scrollTop;
  }, [scrollTop]);
  const marked = new Set(marks.map(({ line }) => line));
  const lines = value.split('\n').length;
  return (
    <div class="editor">
      <label for={id}>{label}</label>
      <div class="editor-box">
        <div class="line-numbers" ref={numbers} aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <div key={index} class={marked.has(index + 1) ? 'wrong' : ''}>
              {index + 1}
            </div>
          ))}
        </div>
        <textarea
          id={id}
          ref={area}
          rows={rows}
          value={value}
          spellcheck={false}
          autocomplete="off"
          wrap="off"
          aria-invalid={marks.length > 0}
          aria-describedby={`${id}-marks`}
          onInput={(event) => onChange(event.currentTarget.value)}
          onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
          onKeyDown={keepIndentation}
        />
      </div>
      <ul class="marks" id={`${id}-marks`} aria-live="polite">
        {marks.map((mark, index) => (
          <li key={index}>
            <button type="button" class="plain wrong" onClick={() => area.current && select(area.current, mark)}>
              {mark.line > 0 ? `${mark.line}:${mark.col}` : 'whole'}
            </button>{' '}
            {visible(mark.message)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function keepIndentation(event: TargetedKeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  const area = event.currentTarget;
  const before = area.value.slice(0, area.selectionStart);
  const indentation = /(?:^|\n)( *)[^\n]*$/.exec(before)?.[1] ?? '';
  if (indentation === '') return;
  event.preventDefault();
  area.setRangeText(`\n${indentation}`, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

/** Puts the cursor where the mistake is. */
function select(area: HTMLTextAreaElement, { line, col }: Mark): void {
  const lines = area.value.split('\n');
  const start = lines.slice(0, Math.max(0, line - 1)).reduce((sum, text) => sum + text.length + 1, 0);
  const place = start + Math.max(0, col - 1);
  area.focus();
  area.setSelectionRange(place, start + (lines[line - 1]?.length ?? 0));
  const height = Number.parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (line - 5) * height);
}
