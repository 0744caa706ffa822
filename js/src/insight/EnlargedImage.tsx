import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { enlargeNext } from "../bins/actions";
import type { Region } from "../bins/bins";
import { isText } from "../bins/texts";
import { useCatalogue, useHeatmapInfo, useStore } from "../context";
import type { Size } from "../engine/geometry";
import { Probe, Reading } from "../explicands/Explicands";
import { Legend } from "../explicands/Legend";
import { Photo } from "../gallery/Photo";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { amount, signed } from "../ui/format";
import { Icon } from "../ui/icons";
import { observeSize } from "../ui/observe-size";
import { InsightPanel } from "./InsightPanel";
import { StabilityBadge } from "./StabilityBadge";

/** One image as large as the page allows; the space bar, held, shows it without its heatmap. */
export function EnlargedImage({ image, from }: { image: string; from: Region }): JSX.Element {
  const store = useStore();
  const { open, enlarged, heatmapPixels } = store.insight;
  const original = useSignal(false);
  const area = useRef<HTMLDivElement>(null);
  const box = useSignal<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => observeSize(area.current, box), []);
  const { width, height } = box.value;
  useEffect(() => {
    heatmapPixels.value = Math.min(1024, Math.min(width, height) * devicePixelRatio);
    return () => {
      heatmapPixels.value = 0;
    };
  }, [width, height]);

  const close = () => {
    enlarged.value = null;
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (event.key === "ArrowRight" || event.key === "ArrowDown") enlargeNext(store, 1);
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") enlargeNext(store, -1);
    else if (event.key === " " && !(event.target as Element).closest("button")) original.value = true;
    else return false;
    return true;
  };
  const several = store.order(from).ids.filter((id) => !isText(id)).length > 1;
  return (
    <Dialog
      label={store.describe(image)}
      class="enlarged"
      onClose={close}
      onKey={onKey}
      onKeyUp={(event) => {
        if (event.key === " " && !(event.target as Element).closest("button")) original.value = false;
      }}
    >
      <div class="enlarged-head">
        <Title image={image} />
        <span class="spacer" />
        <StabilityBadge key={image} image={image} />
        <Reading image={image} />
        <Button
          class="labelled"
          action="toggle-original"
          worded
          label="Show the photograph alone (hold Space)"
          pressed={original.value}
          onClick={() => {
            original.value = !original.peek();
          }}
        >
          <Icon name="photo" />
          <span class="button-text">{original.value ? "Show heatmap" : "Show original"}</span>
        </Button>
        <Button
          class="labelled"
          action="toggle-insight"
          worded
          label={open.value ? "Hide the insight panel" : "Show the insight panel"}
          expanded={open.value}
          onClick={() => {
            open.value = !open.peek();
          }}
        >
          <Icon name="insight" />
          <span class="button-text">Insight</span>
        </Button>
        <Button action="close" label="Close (Esc)" onClick={close}>
          <Icon name="close" />
        </Button>
      </div>
      <div class="enlarged-middle">
        <div class="enlarged-photo">
          <div class="enlarged-body" data-plain={original.value || undefined} ref={area}>
            {width > 0 && (
              <Photo key={image} image={image} box={{ width, height }} heatmap whole>
                {(frame) => <Probe image={image} frame={frame} />}
              </Photo>
            )}
          </div>
          {several && (
            <>
              <Button class="step step-left" label="Previous image" onClick={() => enlargeNext(store, -1)}>
                <Icon name="left" />
              </Button>
              <Button class="step step-right" label="Next image" onClick={() => enlargeNext(store, 1)}>
                <Icon name="right" />
              </Button>
            </>
          )}
        </div>
        {open.value && <InsightPanel image={image} />}
      </div>
      <Facts image={image} />
    </Dialog>
  );
}

function Title({ image }: { image: string }): JSX.Element {
  const store = useStore();
  const label = store.gallery.label(image);
  return (
    <div class="enlarged-title">
      <strong>{label ?? image}</strong>
      {label && label !== image && <span class="caption-id">{image}</span>}
    </div>
  );
}

/** Method, scale and completeness of the heatmap. */
function Facts({ image }: { image: string }): JSX.Element {
  const store = useStore();
  const info = useHeatmapInfo(image);
  const caption = store.gallery.caption(image);
  const method = useCatalogue()?.methods.find(({ name }) => name === info?.method)?.label ?? info?.method;
  return (
    <div class="enlarged-facts">
      <Legend />
      {caption && <span>{caption}</span>}
      {info && (
        <span>
          {method}, peak {amount(info.peak)}
          {info.gap !== undefined && `, completeness gap ${signed(info.gap)}`}
        </span>
      )}
    </div>
  );
}
