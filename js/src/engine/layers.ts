import { type Colormap, colorTable, sequentialTable } from "./colormaps";

/** What a heatmap's values are: the attribution itself, or how uncertain it is. The kernel names them (`catalogue.layers`). */

export const ATTRIBUTION = "attribution";
/** The deviation of the heatmap over draws of the bins. */
export const STABILITY = "stability";

/** Whether a layer has both signs. All others but the attribution are amounts of 0 or more in its unit. */
export const isSigned = (layer: string): boolean => layer === ATTRIBUTION;

/** The colours of a map for both kinds of layers. */
export class LayerColours {
  readonly #signed: Uint32Array<ArrayBuffer>;
  readonly #amounts: Uint32Array<ArrayBuffer>;

  constructor(map: Colormap) {
    this.#signed = colorTable(map);
    this.#amounts = sequentialTable(map);
  }

  of(layer: string): Uint32Array<ArrayBuffer> {
    return isSigned(layer) ? this.#signed : this.#amounts;
  }
}
