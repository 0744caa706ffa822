import type { JSX } from "preact";
import { swapBins } from "../actions";
import { useStore } from "../context";
import { Bin } from "./Bin";
import { Button } from "./Button";
import { Explicands } from "./Explicands";
import { Gallery } from "./Gallery";
import { Ghost } from "./Ghost";
import { Help } from "./Help";
import { Icon } from "./icons";
import { KernelNote } from "./KernelNote";
import { Lightbox } from "./Lightbox";
import { RestoreBar } from "./RestoreBar";
import { SelectionBar } from "./SelectionBar";
import { StatusBar } from "./StatusBar";
import { Toasts } from "./Toasts";
import { Toolbar } from "./Toolbar";

export function App({ root }: { root: HTMLElement }): JSX.Element {
  const store = useStore();
  const { lightbox, help } = store;
  return (
    <>
      <Toolbar root={root} />
      <KernelNote />
      <RestoreBar />
      <div class="main">
        <Gallery />
        <Explicands />
        <div class="bins">
          <Bin bin="corpus" />
          <Button
            action="swap"
            label="Swap corpus and foil"
            disabled={!store.t.corpus.value.length && !store.t.foil.value.length}
            onClick={() => swapBins(store)}
          >
            <Icon name="swap" />
          </Button>
          <Bin bin="foil" />
        </div>
      </div>
      <StatusBar />
      <SelectionBar />
      <Toasts />
      {lightbox.value && <Lightbox {...lightbox.value} />}
      {help.value && <Help />}
      <Ghost root={root} />
      <div class="announcer" role="status" aria-live="polite">
        {store.announcement}
      </div>
    </>
  );
}
