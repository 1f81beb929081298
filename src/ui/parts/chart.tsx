import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useStore } from '../state/store.ts';
import { theme } from '../state/theme.ts';

export interface Line {
  readonly label: string;
  /** Name of a colour of the style sheet, for example `--line-1`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  /** Lines are told apart by their dashes, too. */
  readonly dash?: readonly number[];
}

interface ChartProps {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly show: (value: number | null) => string;
  /** Where the scale ends at least, so that noise does not look like much. */
  readonly least: number;
}

const HEIGHT = 150;
/** Seconds that a chart shows. */
const SPAN = 300;

/** The last minutes as lines, with their newest values in words beside them. */
export function Chart({ title, times, lines, show, least }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const chosen = useStore(theme);
  const data = [[...times], ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor({ lines, show, least }, place.clientWidth), dataOf(plot, data), place);
    };
    draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    const watcher = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height: HEIGHT }));
    watcher.observe(place);
    return () => {
      scheme.removeEventListener('change', draw);
      watcher.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [chosen]);
  useEffect(() => plot.current?.setData(data), [times.at(-1)]);
  const newest = lines.map(({ label, values }) => `${label} ${show(values.at(-1) ?? null)}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        {lines.map(({ label, color, values }) => (
          <span key={label} class="key">
            <i class={`swatch ${color.slice(2)}`} aria-hidden="true" />
            {label} <b>{show(values.at(-1) ?? null)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={box} role="img" aria-label={`${title} over the last minutes; now: ${newest}`} />
    </figure>
  );
}

/** What is drawn already when the colours change, else what is given. */
function dataOf(plot: { current: uPlot | null }, given: uPlot.AlignedData): uPlot.AlignedData {
  return plot.current?.data ?? given;
}

function optionsFor(chart: Pick<ChartProps, 'lines' | 'show' | 'least'>, width: number): uPlot.Options {
  const { lines, show, least } = chart;
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: color('--quiet'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } };
  return {
    width: Math.max(120, width),
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: { range: (_plot, _first, last) => [last - SPAN, last] },
      y: { range: (_plot, _low, high) => [0, Math.max(least, (high ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        space: 44,
        values: (_plot, times) => times.map((time) => new Date(time * 1000).toLocaleTimeString('en-GB').slice(0, 5)),
      },
      { ...axis, size: 66, values: (_plot, values) => values.map((value) => show(value)) },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name, dash }) => ({
        label,
        stroke: color(name),
        width: 1.5,
        points: { show: false },
        ...(dash ? { dash: [...dash] } : {}),
      })),
    ],
  };
}
