import type { JSX } from "preact";
import { swapBins } from "./bins/actions";
import { Bin } from "./bins/Bin";
import { Ghost } from "./bins/Ghost";
import { RestoreBar } from "./bins/RestoreBar";
import { SelectionBar } from "./bins/SelectionBar";
import { useStore } from "./context";
import { Explicands } from "./explicands/Explicands";
import { WaitingNote } from "./explicands/WaitingNote";
import { AlikeNote } from "./gallery/AlikeNote";
import { Gallery } from "./gallery/Gallery";
import { EnlargedImage } from "./insight/EnlargedImage";
import { KernelNote } from "./kernel/KernelNote";
import { Button } from "./ui/Button";
import { Help } from "./ui/Help";
import { Icon } from "./ui/icons";
import { StatusBar } from "./ui/StatusBar";
import { Toasts } from "./ui/Toasts";
import { Toolbar } from "./ui/Toolbar";

export function App({ root }: { root: HTMLElement }): JSX.Element {
  const store = useStore();
  const { enlarged } = store.insight;
  return (
    <>
      <Toolbar root={root} />
      <KernelNote />
      <RestoreBar />
      <AlikeNote />
      <div class="main">
        <Gallery />
        <Explicands />
        <div class="bins">
          <Bin bin="corpus" />
          <Button
            action="swap"
            label="Swap corpus and foil"
            disabled={!store.settings.corpus.value.length && !store.settings.foil.value.length}
            onClick={() => swapBins(store)}
            aim={() => ({ kind: "swap" })}
          >
            <Icon name="swap" />
          </Button>
          <Bin bin="foil" />
        </div>
      </div>
      <StatusBar>
        <WaitingNote />
      </StatusBar>
      <SelectionBar />
      <Toasts />
      {enlarged.value && <EnlargedImage {...enlarged.value} />}
      {store.ui.help.value && <Help />}
      <Ghost root={root} />
      <div class="announcer" role="status" aria-live="polite">
        {store.ui.announcement}
      </div>
    </>
  );
}
