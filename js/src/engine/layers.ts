/** What a heatmap's values are: the attribution itself, or how uncertain it is. The kernel names them (`catalogue.layers`). */

export const ATTRIBUTION = "attribution";
/** The deviation of the heatmap over draws of the bins. */
export const STABILITY = "stability";

/** Whether a layer has both signs. All others but the attribution are amounts of 0 or more in its unit. */
export const isSigned = (layer: string): boolean => layer === ATTRIBUTION;
