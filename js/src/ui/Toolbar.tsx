import type { JSX } from "preact";
import { step } from "../bins/actions";
import { useCatalogue, useStore } from "../context";
import { COLORMAPS } from "../engine/colormaps";
import type { Choice } from "../kernel/protocol";
import { Button } from "./Button";
import { Icon, Logo } from "./icons";
import { Menu } from "./Menu";
import { PercentSlider } from "./PercentSlider";

const COLORMAP_CHOICES: Choice[] = COLORMAPS.map(({ name, label }) => ({
  name,
  label,
  hint: `${label.split(" – ")[0]} stands for the corpus, ${label.split(" – ")[1]} for the foil`,
}));

type Setting = "method" | "target" | "layer" | "baseline" | "similarity" | "colormap";

/** The menu of a setting; a setting that the kernel does not know has no choices, hence no menu. */
function SettingMenu({ setting, title, choices }: { setting: Setting; title: string; choices?: readonly Choice[] }) {
  const { settings, kernel } = useStore();
  if (useCatalogue() && !choices?.length) return null;
  return (
    <Menu
      setting={setting}
      title={title}
      choices={choices ?? []}
      value={settings[setting].value}
      onChoose={(name) => kernel.change({ [setting]: name })}
    />
  );
}

/** The bar of settings. Those that are seldom changed are folded away. */
export function Toolbar({ root }: { root: HTMLElement }): JSX.Element {
  const { ui } = useStore();
  const known = useCatalogue();
  return (
    <div class="toolbar" role="group" aria-label="Settings">
      <div class="brand">
        <Logo />
        <strong>COCOA</strong>
      </div>
      <div class="toolbar-group" role="group" aria-label="Explanation">
        <SettingMenu setting="method" title="Method" choices={known?.methods} />
        <SettingMenu setting="target" title="Target" choices={known?.targets} />
        <SettingMenu setting="layer" title="Layer" choices={known?.layers} />
      </div>
      <Button
        action="settings"
        class="toolbar-unfold"
        worded
        label="Baseline, similarity, and how heatmaps are shown"
        expanded={ui.unfolded.value}
        onClick={() => {
          ui.unfolded.value = !ui.unfolded.peek();
        }}
      >
        More
        <Icon name="chevron" />
      </Button>
      <SeldomChanged />
      <div class="toolbar-group toolbar-end" role="group" aria-label="Page">
        <PageButtons root={root} />
      </div>
    </div>
  );
}

function SeldomChanged(): JSX.Element {
  const { settings, kernel, ui } = useStore();
  const known = useCatalogue();
  return (
    <div class="toolbar-fold" hidden={!ui.unfolded.value}>
      <div class="toolbar-group" role="group" aria-label="Details">
        <SettingMenu setting="baseline" title="Baseline" choices={known?.baselines} />
        <SettingMenu setting="similarity" title="Similarity" choices={known?.similarities} />
      </div>
      <div class="toolbar-group" role="group" aria-label="Heatmaps">
        <Opacity />
        <SettingMenu setting="colormap" title="Colours" choices={COLORMAP_CHOICES} />
        <ScaleToggle />
        <Button
          action="toggle-gallery-heatmaps"
          label={settings.gallery_heatmaps.value ? "Hide heatmaps in the gallery" : "Show heatmaps in the gallery"}
          pressed={settings.gallery_heatmaps.value}
          onClick={() => kernel.change({ gallery_heatmaps: !settings.gallery_heatmaps.peek() })}
        >
          <Icon name="grid" />
        </Button>
      </div>
    </div>
  );
}

function Opacity(): JSX.Element {
  return (
    <PercentSlider
      class="opacity"
      setting="opacity"
      label="Opacity of the heatmaps"
      caption={() => <span class="menu-title">Opacity</span>}
      title={(percent) => `Opacity of the heatmaps: ${percent} %`}
      min={0}
      max={100}
    />
  );
}

function ScaleToggle(): JSX.Element {
  const { settings, kernel } = useStore();
  const shared = settings.scale.value === "shared";
  return (
    <Button
      action="scale"
      worded
      label={
        shared
          ? "All heatmaps share one scale, so colours compare between images. Click to give each image its own."
          : "Each image has its own scale: colours do not compare between images. Click to share one."
      }
      onClick={() => kernel.change({ scale: shared ? "image" : "shared" })}
    >
      <span class="titled">
        <span class="menu-title">Scale</span> <span class="menu-value">{shared ? "Shared" : "Per image"}</span>
      </span>
    </Button>
  );
}

function PageButtons({ root }: { root: HTMLElement }): JSX.Element {
  const store = useStore();
  const steps = store.kernel.steps.value;
  const [undo, redo] = [steps.undo.at(-1)?.label, steps.redo.at(-1)?.label];
  const next = (kind: "undo" | "redo") => () => {
    const id = steps[kind].at(-1)?.id;
    return id === undefined ? null : { kind, step: id };
  };
  return (
    <>
      <Button
        action="undo"
        label={undo ? `Undo: ${undo} (Ctrl+Z)` : "Nothing to undo"}
        disabled={!undo}
        onClick={() => step(store, "undo")}
        aim={next("undo")}
      >
        <Icon name="undo" />
      </Button>
      <Button
        action="redo"
        label={redo ? `Redo: ${redo} (Ctrl+Shift+Z)` : "Nothing to redo"}
        disabled={!redo}
        onClick={() => step(store, "redo")}
        aim={next("redo")}
      >
        <Icon name="redo" />
      </Button>
      {document.fullscreenEnabled && (
        <Button action="fullscreen" label="Full screen" onClick={() => toggleFullScreen(root)}>
          <Icon name="expand" />
        </Button>
      )}
      <Button
        action="help"
        label="Help and keys (?)"
        onClick={() => {
          store.ui.help.value = true;
        }}
      >
        <Icon name="help" />
      </Button>
    </>
  );
}

function toggleFullScreen(root: HTMLElement): void {
  const current = (root.getRootNode() as Document | ShadowRoot).fullscreenElement;
  // A host may forbid it (an iframe without permission); then nothing happens, and the browser reports it by itself.
  (current ? document.exitFullscreen() : root.requestFullscreen()).catch(() => undefined);
}
