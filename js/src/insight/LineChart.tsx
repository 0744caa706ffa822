import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Curve } from "../kernel/protocol";
import { percent, plain } from "../ui/format";
import { linePath, range, ticks } from "./chart";

const [WIDTH, HEIGHT] = [320, 168];
const [LEFT, RIGHT, TOP, BOTTOM] = [42, 10, 8, 34];

/** One measure against the pixels that are inserted or deleted, with the area under each curve. */
export function LineChart({ fractions, curve }: { fractions: readonly number[]; curve: Curve }): JSX.Element {
  const { label, insertion, deletion } = curve;
  const at = useSignal<number | null>(null);
  const [low, high] = range(insertion, deletion);
  const x = (fraction: number) => LEFT + fraction * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const xs = fractions.map(x);
  const areas = `insertion has an area under its curve of ${plain(curve.insertion_auc)}, deletion of ${plain(curve.deletion_auc)}`;
  const onPointerMove = ({ clientX, currentTarget }: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = currentTarget.getBoundingClientRect();
    const place = ((clientX - box.left) / box.width) * WIDTH;
    const distance = xs.map((each) => Math.abs(each - place));
    at.value = xs.length ? distance.indexOf(Math.min(...distance)) : null;
  };
  const index = at.value;
  return (
    <figure class="chart" data-measure={curve.measure}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${label}: ${areas}`}
        onPointerMove={onPointerMove}
        onPointerLeave={() => {
          at.value = null;
        }}
      >
        {ticks(low, high, 5).map((value) => (
          <g key={value}>
            <path class="chart-grid" d={`M${LEFT} ${y(value)}H${WIDTH - RIGHT}`} />
            <text x={LEFT - 6} y={y(value) + 3.5} text-anchor="end">
              {tick(value)}
            </text>
          </g>
        ))}
        {[0, 0.5, 1].map((value) => (
          <text key={value} x={x(value)} y={HEIGHT - BOTTOM + 14} text-anchor={value === 1 ? "end" : "middle"}>
            {percent(value)}
          </text>
        ))}
        <text x={x(0.5)} y={HEIGHT - 4} text-anchor="middle">
          of the pixels, the most important first
        </text>
        <path class="chart-line chart-deletion" d={linePath(xs, deletion.map(y))} />
        <path class="chart-line chart-insertion" d={linePath(xs, insertion.map(y))} />
        {index !== null && <path class="chart-at" d={`M${xs[index]} ${TOP}V${HEIGHT - BOTTOM}`} />}
      </svg>
      <figcaption>
        <Key name="insertion" text={index === null ? `AUC ${plain(curve.insertion_auc)}` : read(insertion[index])} />
        <Key name="deletion" text={index === null ? `AUC ${plain(curve.deletion_auc)}` : read(deletion[index])} />
        {index !== null && <span>at {percent(fractions[index] ?? 0)}</span>}
      </figcaption>
      <Values fractions={fractions} curve={curve} />
    </figure>
  );
}

const tick = (value: number) => String(value).replace("-", "−");
const read = (value: number | undefined) => plain(value ?? Number.NaN);

function Key({ name, text }: { name: "insertion" | "deletion"; text: string }): JSX.Element {
  return (
    <span class="chart-key">
      <svg viewBox="0 0 22 6" aria-hidden="true">
        <path class={`chart-line chart-${name}`} d="M1 3h20" />
      </svg>
      {name} <b>{text}</b>
    </span>
  );
}

/** The curves as a table for screen readers. */
function Values({ fractions, curve }: { fractions: readonly number[]; curve: Curve }): JSX.Element {
  return (
    <div class="unseen">
      <table>
        <caption>{curve.label}</caption>
        <thead>
          <tr>
            <th scope="col">Pixels</th>
            <th scope="col">Insertion</th>
            <th scope="col">Deletion</th>
          </tr>
        </thead>
        <tbody>
          {fractions.map((fraction, i) => (
            <tr key={fraction}>
              <th scope="row">{percent(fraction)}</th>
              <td>{read(curve.insertion[i])}</td>
              <td>{read(curve.deletion[i])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
