import type { JSX } from "preact";
import { SPLITTING } from "../bins/texts";
import { useCatalogue, useStore } from "../context";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";

const KEYS: [string, string][] = [
  ["Tab", "from region to region"],
  ["← ↑ → ↓  Home  End", "from tile to tile"],
  ["Space", "select or deselect"],
  ["Shift + arrows, Shift + click", "select a range"],
  ["Ctrl + click, Ctrl + A", "select more, select all"],
  ["C  F  E", "send to corpus, foil, explicands"],
  ["T  Shift + T", "type a text into corpus, foil"],
  ["Delete", "remove from this bin"],
  ["Enter", "enlarge; Space shows the original"],
  ["Shift + hover, W", "point at a place: where else? Arrows move"],
  ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo"],
  ["Esc", "clear the selection, cancel a drag, leave a place"],
];

export function Help(): JSX.Element {
  const { ui } = useStore();
  const text = useCatalogue()?.text;
  const keys = text?.available ? KEYS : KEYS.filter(([key]) => !key.startsWith("T "));
  const close = () => {
    ui.help.value = false;
  };
  return (
    <Dialog label="Help" class="help" onClose={close}>
      <div class="help-card">
        <div class="help-head">
          <h2>Why does the encoder find this image like those?</h2>
          <Button label="Close (Esc)" onClick={close}>
            <Icon name="close" />
          </Button>
        </div>
        <ol class="help-steps">
          <li>
            Drag the images to be explained onto <b>Explicands</b>.
          </li>
          <li>
            Drag images that they should resemble into the <b class="in-corpus">Corpus</b>, and images to contrast with
            into the <b class="in-foil">Foil</b>.
          </li>
          <li>
            Read the heatmaps: <b class="in-corpus">these parts</b> pull the representation towards the corpus,{" "}
            <b class="in-foil">these</b> towards the foil. Hatched parts were cropped away before the encoder.
          </li>
          <li>
            The <b>±</b> beside a score is how far other images of the same kind in the bins would move it; its bar
            shows both, on one scale for all explicands. Enlarge an explicand to see what each bin member contributes.
          </li>
          {text?.available && (
            <li>
              Or use words: type <b>texts</b> into the bins, or rank the gallery by a text. {SPLITTING} {text.note}
            </li>
          )}
        </ol>
        <table class="help-keys">
          <tbody>
            {keys.map(([key, what]) => (
              <tr key={key}>
                <th scope="row">
                  <kbd>{key}</kbd>
                </th>
                <td>{what}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}
