import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { HeatmapInfo } from "./explicands/heatmap";
import type { Catalogue } from "./kernel/protocol";
import type { Store } from "./store";

export const StoreContext = createContext<Store | null>(null);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error("useStore needs a StoreContext");
  return store;
}

/** What the kernel offers; null before it has answered. */
export const useCatalogue = (): Catalogue | null => useStore().session.catalogue.value;

/** What the page knows of an image's heatmap; null before one has come. */
export const useHeatmapInfo = (image: string): HeatmapInfo | null => useStore().explicands.heatmaps.info(image).value;
