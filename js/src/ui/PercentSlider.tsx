import type { JSX } from "preact";
import { useStore } from "../context";
import { FOCUSABLE } from "./keyboard";

/** A slider with a caption, for a setting that is a part of 1, in per cent from `min` to `max`. */
export function PercentSlider(props: {
  class: string;
  setting: "opacity" | "spotlight";
  label: string;
  caption: (percent: number) => JSX.Element;
  title?: (percent: number) => string;
  min: number;
  max: number;
}): JSX.Element {
  const { setting, label, caption, title, min, max } = props;
  const { settings, kernel } = useStore();
  const percent = Math.round(100 * settings[setting].value);
  return (
    <label class={props.class} title={title?.(percent)}>
      {caption(percent)}
      <input
        type="range"
        data-setting={setting}
        min={min}
        max={max}
        value={percent}
        aria-label={label}
        style={{ "--filled": `${(100 * (percent - min)) / (max - min)}%` }}
        onInput={(event) => kernel.changeSoon({ [setting]: Number(event.currentTarget.value) / 100 })}
        {...FOCUSABLE}
      />
    </label>
  );
}
