import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useStore } from "../context";
import { isCropped, LONGEST, layoutPhoto, type PhotoLayout, quantised, type Rect, type Size } from "../engine/geometry";
import type { Frame } from "../kernel/protocol";
import { placed, sized } from "../ui/boxes";
import { Icon } from "../ui/icons";
import type { LoadedThumbnail } from "./thumbnails";

const FINEST = 1024;

/** How much larger the whole photograph is than the part of it that is shown. */
const enlargement = ({ photo, stage }: PhotoLayout): number =>
  Math.max(1, Math.max(photo.width, photo.height) / Math.max(stage.width, stage.height));

interface PhotoProps {
  image: string;
  /** The available CSS pixels. */
  box: Size;
  heatmap: boolean;
  /** The whole photograph in the finest resolution, also where it is far longer than high, or higher than long. */
  whole?: boolean;
  children?: (frame: Rect) => ComponentChildren;
}

/** A photograph, what the encoder sees of it, and the heatmap exactly over that part. */
export function Photo({ image, box, heatmap, whole, children }: PhotoProps): JSX.Element {
  const { thumbnails } = useStore().gallery;
  const thumbnail = thumbnails.thumbnail(image).value;
  const layout = thumbnail && layoutPhoto(thumbnail, thumbnail.frame, box, whole ? undefined : LONGEST);
  const pixels = whole ? FINEST : Math.min(FINEST, Math.max(box.width, box.height) * devicePixelRatio);
  const size = quantised(pixels * (layout ? enlargement(layout) : 1));
  useLayoutEffect(() => thumbnails.acquire(image, size), [image, size]);
  const onPainted = useUnpainted(image, thumbnail);
  if (thumbnail?.error !== undefined && !thumbnail.url) return <Broken box={box} reason={thumbnail.error} />;
  if (!thumbnail || !layout) return <div class="photo photo-waiting" style={sized(box)} />;
  const { stage, photo, frame } = layout;
  return (
    <div class="photo" style={sized(stage)}>
      {heatmap && <HeatCanvas image={image} frame={frame} />}
      <img src={thumbnail.url} alt="" draggable={false} style={placed(photo)} onLoad={onPainted} onError={onPainted} />
      {heatmap && isCropped(thumbnail.frame) && <Outside frame={thumbnail.frame} photo={photo} inside={frame} />}
      {children?.(frame)}
    </div>
  );
}

/** Counts this photograph as unpainted from its mounting until its thumbnail is decoded. */
function useUnpainted(
  image: string,
  thumbnail: LoadedThumbnail | null,
): (event: { currentTarget: HTMLImageElement }) => void {
  const { unpainted } = useStore().ui;
  const settle = useRef<() => void>();
  useLayoutEffect(() => {
    let counted = true;
    unpainted.value = unpainted.peek() + 1;
    settle.current = () => {
      if (counted) unpainted.value = unpainted.peek() - 1;
      counted = false;
    };
    return settle.current;
  }, [image]);
  useLayoutEffect(() => {
    if (thumbnail && !thumbnail.url) settle.current?.();
  }, [thumbnail]);
  return ({ currentTarget }) => {
    const done = settle.current;
    currentTarget.decode().then(done, done);
  };
}

/** A veil over the part of the photograph that the encoder does not see. */
function Outside({
  frame: [left, top, right, bottom],
  photo,
  inside,
}: {
  frame: Frame;
  photo: Rect;
  inside: Rect;
}): JSX.Element {
  const at = (x: number, y: number) =>
    `${Math.min(100, Math.max(0, x * 100))}% ${Math.min(100, Math.max(0, y * 100))}%`;
  const outer = "0% 0%, 100% 0%, 100% 100%, 0% 100%, 0% 0%";
  const inner = [at(left, top), at(left, bottom), at(right, bottom), at(right, top), at(left, top)].join(", ");
  return (
    <>
      <div class="veil" style={{ ...placed(photo), clipPath: `polygon(evenodd, ${outer}, ${inner})` }} />
      <div class="frame" style={placed(inside)} />
    </>
  );
}

function HeatCanvas({ image, frame }: { image: string; frame: Rect }): JSX.Element {
  const { heatmaps } = useStore().explicands;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, height] = [frame.width, frame.height].map((side) => Math.max(1, Math.round(side * devicePixelRatio)));
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    // Setting a size wipes a canvas, so it is done here, right before painting, and only when it differs.
    if (element.width !== width) element.width = width as number;
    if (element.height !== height) element.height = height as number;
    return heatmaps.attach(image, element);
  }, [image, width, height]);
  return <canvas class="heat" ref={canvas} style={placed(frame)} aria-hidden="true" />;
}

function Broken({ box, reason }: { box: Size; reason: string }): JSX.Element {
  return (
    <div class="photo photo-broken" style={sized(box)} title={reason}>
      <Icon name="warning" />
    </div>
  );
}
